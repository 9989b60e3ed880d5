from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.cases.minutes import Answer
from bodycam.cases.models import MinuteChoice
from bodycam.coverage import queries, shift
from bodycam.coverage.handover import end_shift
from bodycam.coverage.models import Debt
from bodycam.people.scope import EVERYTHING
from tests.unit.coverage.world import NOON, docked, filmed, world

MIN = timedelta(minutes=1)
NUMBER = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
LATER = Answer(MinuteChoice.LATER)


@pytest.fixture(autouse=True)
def _noon():
    clock.set_now(lambda: NOON)


def lengths(found):
    return [len(stop.ids) for stop in found.stops]


def test_files_that_follow_each_other_are_one_stop_and_can_be_taken_apart(db):
    with db.write() as session:
        w = world(session)
        start = NOON - timedelta(hours=4)
        parts = [filmed(session, w, start + 5 * n * MIN) for n in range(3)]
        filmed(session, w, start + 60 * MIN, event_flag=True)
        found = shift.shift_of(session, w.officer)
        assert lengths(found) == [3, 1]
        assert [stop.is_event for stop in found.stops] == [False, True]
        assert (found.stops[0].seconds, found.stops[0].size, found.stops[0].is_sealed) == (900, 3000, True)
        assert lengths(shift.shift_of(session, w.officer, apart=[parts[0].id])) == [1, 1, 1, 1]
        shift.answer(session, [parts[0].id], NUMBER, officer_id=w.officer, station_id=None)
        assert lengths(shift.shift_of(session, w.officer)) == [1, 2, 1]  # not answered alike
        assert lengths(shift.shift_of(session, w.officer, apart=[parts[0].id])) == [1, 1, 1, 1]
        shift.answer(session, [p.id for p in parts], NUMBER, officer_id=w.officer, station_id=None)
        assert lengths(shift.shift_of(session, w.officer)) == [3, 1]


def test_two_cameras_at_once_are_two_rows_of_stops(db):
    with db.write() as session:
        w = world(session)
        start = NOON - timedelta(hours=4)
        from_other = {"camera_id": None}
        for n in range(3):
            filmed(session, w, start + 5 * n * MIN)
            filmed(session, w, start + (5 * n + 1) * MIN, **from_other)
        assert lengths(shift.shift_of(session, w.officer)) == [3, 3]


def test_sidecars_citizens_files_and_other_peoples_recordings_are_not_in_the_list(db):
    with db.write() as session:
        w, other = world(session), world(session, "S2", "123-457")
        own = filmed(session, w, NOON - 60 * MIN)
        filmed(session, w, NOON - 60 * MIN, kind="sidecar", parent_id=own.id)
        filmed(session, w, NOON - 60 * MIN, origin="citizen")
        filmed(session, other, NOON - 60 * MIN)
        assert [stop.ids for stop in shift.shift_of(session, w.officer).stops] == [(own.id,)]


def test_what_is_put_off_is_owed_until_it_is_answered(db):
    with db.write() as session:
        w = world(session)
        ids = [filmed(session, w, NOON - 60 * MIN * n).id for n in range(1, 4)]
        assert shift.answer(session, ids, LATER, officer_id=w.officer, station_id=w.station) == 3
        assert shift.answer(session, ids, LATER, officer_id=w.officer, station_id=w.station) == 0
        owed = queries.debts_of_officer(session, w.officer)
        assert {d.debt.due_at for d in owed} == {NOON + timedelta(hours=24)}
        shift.answer(session, ids[:1], NUMBER, officer_id=w.officer, station_id=w.station)
        shift.answer(session, ids[1:2], Answer(MinuteChoice.NONE), officer_id=w.officer, station_id=w.station)
        (left,) = queries.debts_of_officer(session, w.officer)
        assert (left.recordings, left.first_at, left.last_at) == (1, NOON - 180 * MIN, NOON - 180 * MIN)
        shift.answer(session, ids[2:], Answer(MinuteChoice.NONE), officer_id=w.officer, station_id=w.station)
        assert not queries.open_debts(session, EVERYTHING).debts
        assert session.scalars(select(Debt.closed_by)).all() == ["none"]


def test_putting_off_twice_wins_no_time(db):
    with db.write() as session:
        w = world(session)
        who = {"officer_id": w.officer, "station_id": w.station}
        ids = [filmed(session, w, NOON - 60 * MIN).id]
        shift.answer(session, ids, LATER, **who)
        clock.set_now(lambda: NOON + timedelta(hours=20))
        shift.answer(session, ids, Answer(MinuteChoice.NONE), **who)
        shift.answer(session, ids, LATER, **who)
        (owed,) = queries.debts_of_officer(session, w.officer)
        assert owed.debt.due_at == NOON + timedelta(hours=24)
        assert shift.undo(session, **who, since=NOON + timedelta(hours=19)) == 0  # it stands as it stood before
        assert len(queries.open_debts(session, EVERYTHING).debts) == 1


def test_the_last_answer_is_taken_back_as_a_whole_and_only_that(db):
    with db.write() as session:
        w = world(session)
        ids = [filmed(session, w, NOON - 60 * MIN * n).id for n in range(1, 5)]
        who = {"officer_id": w.officer, "station_id": w.station}
        shift.answer(session, ids[:1], NUMBER, **who)
        clock.set_now(lambda: NOON + MIN)
        shift.answer(session, ids[1:3], Answer(MinuteChoice.NONE), **who)
        assert shift.can_undo(session, w.officer, NOON)
        assert shift.undo(session, **who, since=NOON) == 2
        assert set(shift.shift_of(session, w.officer).unanswered) == set(ids[1:])
        assert shift.undo(session, **who, since=NOON + MIN) == 0  # the number was given before
        assert not shift.can_undo(session, w.officer, NOON + MIN)
        shift.answer(session, ids[1:3], LATER, **who)
        assert shift.undo(session, **who, since=NOON) == 2
        assert not queries.open_debts(session, EVERYTHING).debts


def test_taking_back_an_answer_to_what_was_put_off_keeps_its_deadline(db):
    with db.write() as session:
        w = world(session)
        who = {"officer_id": w.officer, "station_id": w.station}
        recording = filmed(session, w, NOON - 60 * MIN)
        docked(session, w)
        clock.set_now(lambda: NOON + MIN / 60)
        end_shift(session, **who)
        clock.set_now(lambda: NOON + timedelta(hours=8))
        shift.answer(session, [recording.id], NUMBER, **who)
        assert shift.undo(session, **who, since=NOON + timedelta(hours=7)) == 1
        assert shift.undo(session, **who, since=NOON + timedelta(hours=7)) == 0  # it stands as it stood before
        (owed,) = queries.debts_of_officer(session, w.officer)
        assert owed.debt.due_at == NOON + MIN / 60 + timedelta(hours=24)
        assert [stop.ids for stop in shift.shift_of(session, w.officer).put_off] == [(recording.id,)]


def test_the_next_shift_begins_where_this_one_ended_and_brings_along_what_was_put_off(db):
    with db.write() as session:
        w = world(session)
        docked(session, w)
        first, second = (filmed(session, w, NOON - n * 60 * MIN) for n in (2, 1))
        shift.answer(session, [first.id], NUMBER, officer_id=w.officer, station_id=w.station)
        end_shift(session, officer_id=w.officer, station_id=w.station)
        late = filmed(session, w, NOON - 30 * MIN)  # sealed in the moment of the end: nothing falls between
    clock.set_now(lambda: NOON + timedelta(hours=8))
    with db.write() as session:
        new = filmed(session, w, NOON + timedelta(hours=7))
        found = shift.shift_of(session, w.officer)
        assert [stop.ids for stop in found.stops] == [(late.id,), (new.id,)]
        assert [stop.ids for stop in found.put_off] == [(second.id,)]
        assert found.unanswered == (late.id, new.id)


def test_the_first_shift_does_not_reach_back_into_all_the_years(db):
    with db.write() as session:
        w = world(session)
        clock.set_now(lambda: NOON - timedelta(days=3))
        filmed(session, w, NOON - timedelta(days=3))
        clock.set_now(lambda: NOON)
        own = filmed(session, w, NOON - 60 * MIN)
        assert [stop.ids for stop in shift.shift_of(session, w.officer).stops] == [(own.id,)]

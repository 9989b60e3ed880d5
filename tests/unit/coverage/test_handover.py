import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.cases.minutes import Answer
from bodycam.cases.models import MinuteChoice
from bodycam.coverage import handover, queries, service, shift
from bodycam.coverage.models import ShiftEnd
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.errors import NotFoundError
from bodycam.fleet import docking
from bodycam.fleet.models import Camera, CameraState, VisitState
from bodycam.fleet.service import issue_at
from bodycam.migrations.runner import upgrade_to_head
from bodycam.people.scope import EVERYTHING, NOTHING, Scope
from tests.unit.coverage.world import NOON, docked, filmed, world

MIN = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon():
    clock.set_now(lambda: NOON)


def test_a_slip_keeps_what_was_handed_over_and_its_hash(db):
    with db.write() as session:
        w = world(session)
        docked(session, w, "uploading", files=(2, 6))
        first = filmed(session, w, NOON - 120 * MIN)
        second = filmed(session, w, NOON - 60 * MIN, receipt=False)
        said = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
        shift.answer(session, [first.id], said, officer_id=w.officer, station_id=w.station)
        slip = handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        body = json.loads(slip.body)
        shift.answer(session, [second.id], said, officer_id=w.officer, station_id=w.station)
    with db.read() as session:
        kept = handover.slip_of(session, slip.id)
        assert json.loads(kept.body) == body
        event = session.scalar(select(CustodyEvent).where(CustodyEvent.object_id == slip.id))
        assert handover.digest(kept) in event.openings
        assert "Nguyễn" not in event.body
        with pytest.raises(NotFoundError):
            handover.slip_of(session, "nothing")
    assert (slip.slip, body["slip"], body["unit_above"]) == ("PBG-20261122-0001", "PBG-20261122-0001", "Phòng CSGT")
    assert [(stop["choice"], stop["number"], stop["receipts"]) for stop in body["stops"]] == [
        ("number", "45/BB-VPHC", 1),
        ("later", None, 0),
    ]
    assert body["stops"][1]["due_at"] == "2026-11-23T05:00:00Z"
    assert body["cameras"] == [
        {"camera": "BWC-S1", "serial": "S1", "station": "Trạm cắm 01", "slot": 3, "state": "uploading", "files_left": 4}
    ]


def test_pressing_twice_is_one_end_of_shift(db):
    with db.write() as session:
        w = world(session)
        docked(session, w)
        filmed(session, w, NOON - 60 * MIN)
        clock.set_now(lambda: NOON + MIN / 4)
        slip = handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        clock.set_now(lambda: NOON + MIN)
        assert handover.end_shift(session, officer_id=w.officer, station_id=w.station) is slip
        clock.set_now(lambda: NOON + timedelta(hours=9))
        assert handover.end_shift(session, officer_id=w.officer, station_id=w.station).slip == "PBG-20261122-0002"
        clock.set_now(lambda: NOON + timedelta(hours=13))  # the next day in Vietnam
        assert handover.end_shift(session, officer_id=w.officer, station_id=w.station).slip == "PBG-20261123-0001"


def test_a_camera_that_came_to_no_dock_is_owed_once_until_it_comes(db):
    with db.write() as session:
        w = world(session)
        handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        clock.set_now(lambda: NOON + timedelta(hours=9))
        handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        (owed,) = queries.open_debts(session, EVERYTHING).debts
        assert (owed.debt.kind, owed.officer.id, owed.camera.label) == ("docking", w.officer, "BWC-S1")
        visit = docking.start_visit(session, camera_id=w.camera, serial="S1")
        service.camera_came(session, camera_id=w.camera, visit_id=visit.id, complete=True)
        assert not queries.open_debts(session, EVERYTHING).debts


@pytest.mark.parametrize(
    "why",
    ["docked", "in a slot of a silent station", "came and went", "broken", "returned", "owes its footage already"],
)
def test_no_docking_is_owed_of_a_camera_that(db, why):
    with db.write() as session:
        w = world(session)
        camera = session.get_one(Camera, w.camera)
        expected = 0
        if why == "docked":
            docked(session, w, "uploading")
        elif why == "in a slot of a silent station":
            docking.start_visit(session, camera_id=w.camera, serial="S1")
        elif why == "came and went":
            visit = docking.start_visit(session, camera_id=w.camera, serial="S1")
            docking.finish_visit(session, visit.id, state=VisitState.DONE, files=1, size=1)
        elif why == "broken":
            camera.state = CameraState.BROKEN
        elif why == "returned":
            issue_at(session, w.camera, NOON).ends_at = NOON - MIN
        else:
            ids = {"camera_id": w.camera, "visit_id": None, "officer_id": w.officer, "unit_id": w.team}
            service.footage_owed(session, **ids)
            expected = 1
        handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        assert len(queries.open_debts(session, EVERYTHING).debts) == expected


def test_a_silent_station_says_nothing_of_its_slots(db):
    with db.write() as session:
        w = world(session)
        docked(session, w)
        clock.set_now(lambda: NOON + timedelta(seconds=7))
        slip = handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        assert json.loads(slip.body)["cameras"][0]["state"] is None


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_slips_are_listed_newest_first_page_by_page_inside_the_scope(url, db, request):
    database = db
    if url == "postgres":
        database = Database(request.getfixturevalue("postgres_url"))
        upgrade_to_head(database.url)
    with database.write() as session:
        w, other = world(session), world(session, "S2", "123-457")
        for n in range(5):
            clock.set_now(lambda n=n: NOON + timedelta(hours=n))
            filmed(session, w, NOON, minutes=1)
            handover.end_shift(session, officer_id=w.officer, station_id=w.station)
        handover.end_shift(session, officer_id=other.officer, station_id=w.station)
        assert session.scalars(select(ShiftEnd.slip).order_by(ShiftEnd.slip)).all()[-1] == "PBG-20261122-0006"
        own, after, seen = Scope(officer_id=w.officer), None, []
        while True:
            page = handover.slips(session, own, after=after, limit=2)
            seen += [slip.slip for slip, _ in page.slips]
            after = page.after
            if after is None:
                break
        assert seen == [f"PBG-20261122-000{n}" for n in (5, 4, 3, 2, 1)]
        assert len(handover.slips(session, Scope(units=(w.team,))).slips) == 6
        assert handover.slips(session, NOTHING).slips == []
        assert [slip.slip for slip in handover.slips_of_officer(session, w.officer, limit=2)] == seen[:2]
    if database is not db:
        database.close()

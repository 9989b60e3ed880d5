"""Copies are read back and repaired: every kind of damage in either place, in both, while a place is away, killed half-way."""

import json
from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import select, update

from bodycam import clock, custody
from bodycam.custody.models import CustodyEvent
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.fixity.queries import list_damaged, place_states, unlisted
from bodycam.fixity.service import Scrub, scrub_share
from bodycam.jobs.models import Job
from bodycam.recordings.models import Recording
from bodycam.tasks.vault import known_objects, survey_places
from bodycam.vault import disk
from bodycam.vault.places import LocalPlace

BOTH = ("main", "second")


def scrubbed(rt):
    run = Scrub(rt, lambda: known_objects(rt.db))
    return list(run.steps()), run.finish()


def events(rt, kind):
    with rt.db.read() as session:
        rows = session.scalars(
            select(CustodyEvent).where(CustodyEvent.kind == kind).order_by(CustodyEvent.id).limit(100)
        )
        return [json.loads(row.body)["details"] for row in rows]


def copy(rt, object_id, place):
    with rt.db.read() as session:
        return session.get(VaultCopy, (object_id, place))


def all_whole(rt, films):
    return all(rt.vault.verify_copy(name, place).ok for name in films for place in BOTH)


def age(rt, days, *where):
    with rt.db.write() as session:
        session.execute(update(VaultCopy).where(*where).values(verified_at=clock.now() - timedelta(days=days)))


@pytest.mark.parametrize("place", BOTH)
@pytest.mark.parametrize(
    ("suffix", "problem"),
    [("", "object_damaged"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")],
    ids=["object", "envelope", "manifest"],
)
def test_a_flipped_bit_in_either_copy_is_told_and_repaired_from_the_other(two, films, place, suffix, problem):
    object_id = next(iter(films))
    two.spoil(place, object_id, suffix)
    other = BOTH[1 - BOTH.index(place)]
    with two.open() as rt:
        steps, report = scrubbed(rt)
        assert len(steps) == 6
        assert (report.copies, report.damaged, report.repaired, report.named) == (6, 0, 1, ())
        assert all_whole(rt, films)
        [damaged], [repaired] = events(rt, "fixity.damaged"), events(rt, "fixity.repaired")
        assert (damaged["place"], damaged["problems"]) == (place, [problem])
        assert (repaired["place"], repaired["from"], repaired["object"]) == (place, other, object_id)
        assert copy(rt, object_id, place).state == CopyState.PRESENT
        with rt.db.read() as session:
            names = session.scalars(select(Job.key).where(Job.name == "recording.recheck").limit(9)).all()
        assert len(names) == 2, "once for the damage, once for the repair"


def test_a_copy_that_vanished_is_brought_back(two, films):
    object_id = next(iter(films))
    for suffix in ("", ".env", ".manifest"):
        two.path("second", object_id, suffix).unlink()
    with two.open() as rt:
        assert scrubbed(rt)[1].repaired == 1
        assert all_whole(rt, films)
        assert events(rt, "fixity.repaired")[0]["problems"] == ["object_missing"]


def test_both_copies_damaged_are_told_nothing_is_deleted_and_each_stays_as_it_is(two, films):
    object_id = next(iter(films))
    left = [two.spoil("main", object_id, bit=999), two.spoil("second", object_id, bit=888)]
    with two.open() as rt:
        for _ in range(2):
            report = scrubbed(rt)[1]
            assert report.named == tuple((place, object_id, ("object_damaged",)) for place in BOTH)
            assert report.repaired == 0
        assert [two.path(place, object_id).read_bytes() for place in BOTH] == left
        assert events(rt, "fixity.repaired") == []
        with rt.db.read() as session:
            assert [(row.place, row.state) for row in list_damaged(session)] == [(p, "damaged") for p in BOTH]


def test_two_equal_wrong_copies_never_outvote_the_hash_that_was_sealed(two, films):
    object_id = next(iter(films))
    body = two.spoil("main", object_id)
    path = two.path("second", object_id)
    path.chmod(0o600)
    path.write_bytes(body)
    with two.open() as rt:
        assert scrubbed(rt)[1].damaged == 2
        assert path.read_bytes() == body


def test_an_object_damaged_here_and_its_envelope_there_make_two_whole_copies(two, films):
    object_id = next(iter(films))
    two.spoil("main", object_id)
    two.spoil("second", object_id, ".env", bit=700)
    with two.open() as rt:
        scrubbed(rt)
        assert scrubbed(rt)[1].damaged == 0
        assert all_whole(rt, films)


def test_a_repair_that_is_killed_has_told_the_damage_and_the_next_scrub_repairs(two, films, monkeypatch):
    object_id = next(iter(films))
    two.spoil("main", object_id)

    class KilledError(BaseException):
        pass

    def die(*_args, **_kwargs):
        raise KilledError

    with two.open() as rt:
        with monkeypatch.context() as patch:
            patch.setattr(disk, "protect", die)
            with pytest.raises(KilledError):
                scrubbed(rt)
        assert len(events(rt, "fixity.damaged")) == 1
        assert events(rt, "fixity.repaired") == []
        assert rt.vault.verify_copy(object_id, "second").ok
    with two.open() as rt:
        assert scrubbed(rt)[1].repaired == 1
        assert all_whole(rt, films)


def test_a_place_that_is_away_is_not_damage_and_is_read_when_it_is_back(two, films):
    away = two.roots[1].rename(two.roots[1].with_name("unplugged"))
    with two.open() as rt:
        age(rt, 10, VaultCopy.place == "second")
        before = copy(rt, next(iter(films)), "second").verified_at
        steps, report = scrubbed(rt)
        assert len(steps) == 3
        assert (report.away, report.damaged) == (("second",), 0)
        assert events(rt, "fixity.damaged") == []
        assert copy(rt, next(iter(films)), "second").verified_at == before
        away.rename(two.roots[1])
        assert len(scrubbed(rt)[0]) == 6


@pytest.mark.usefixtures("films")
def test_a_place_that_this_commands_settings_dont_name_is_left_as_one_that_is_away(two):
    with two.open() as rt:
        rt.vault.places = rt.vault.places[:1]
        steps, report = scrubbed(rt)
        assert len(steps) == 3
        assert (report.away, report.damaged) == (("second",), 0)


def test_a_place_added_later_gets_its_copies_without_being_called_damaged(two, films, monkeypatch, tmp_path):
    monkeypatch.setenv("BODYCAM_VAULT__COPIES", f"file://{tmp_path / 'third'}")
    from bodycam.settings import load_settings

    two.settings = load_settings()
    with two.open() as rt:
        with rt.db.write() as session:
            session.execute(VaultCopy.__table__.delete().where(VaultCopy.place == "second"))
        report = scrubbed(rt)[1]
        assert (report.repaired, report.damaged) == (3, 0)
        assert events(rt, "fixity.damaged") == []
        assert all_whole(rt, films)


def test_what_is_being_destroyed_is_not_brought_back_by_the_scrub(two, films, monkeypatch):
    gone, raced, _ = films
    with two.open() as rt:
        with rt.db.read() as session:
            rows = {row.object_id: row.id for row in session.scalars(select(Recording).limit(9))}
        with rt.db.write() as session:
            custody.record(session, "recording.destroying", object_id=rows[gone], actor="system")
        rt.vault.place("main").remove(gone)
        rt.vault.place("second").remove(raced)
        put = LocalPlace.put

        def put_and_destroy(place, *args, **kwargs):
            with rt.db.write() as session:
                custody.record(session, "recording.destroying", object_id=rows[raced], actor="system")
            rt.vault.place("main").remove(raced)
            put(place, *args, **kwargs)

        monkeypatch.setattr(LocalPlace, "put", put_and_destroy)
        scrubbed(rt)
        assert not two.path("main", gone).exists()
        assert not two.path("second", raced).exists(), "its destruction began while the scrub copied it"
        assert events(rt, "fixity.repaired") == []


def test_an_object_in_no_catalogue_is_marked_kept_and_unmarked_when_its_row_comes(two, films):
    object_id = next(iter(films))
    with two.open() as rt:
        with rt.db.write() as session:
            row = session.scalars(select(Recording).where(Recording.object_id == object_id)).one()
            row.object_id = "0" * 64
        survey_places(rt)
        with rt.db.read() as session:
            assert list(unlisted(session)) == [object_id]
        with rt.db.write() as session:
            session.get_one(Recording, row.id).object_id = object_id
        survey_places(rt)
        with rt.db.read() as session:
            assert list(unlisted(session)) == []
        rt.vault.sweep()
        assert all(two.path(place, object_id).exists() for place in BOTH)


def test_the_clock_reads_the_oldest_first_a_bounded_share_at_a_time_and_the_whole_within_the_days(two, bring):
    with two.open() as rt:
        for number in range(40):
            bring(rt, bytes([number]) * 1000, f"clip{number}.mp4")
        age(rt, 20)
        oldest = copy(rt, min(known_objects(rt.db)), "second")
        age(rt, 25, VaultCopy.object_id == oldest.object_id, VaultCopy.place == "second")
        assert scrub_share(rt) == 1, "80 copies in 24 days of 24 hours: one is more than an hour's share"
        assert copy(rt, oldest.object_id, "second").verified_at > clock.now() - timedelta(minutes=1)
        hours, start = 1, clock.now()
        while scrub_share(rt):
            hours += 1
            clock.set_now(lambda hours=hours: start + timedelta(hours=hours))
        assert hours <= 81
        with rt.db.read() as session:
            states = place_states(session, start - timedelta(days=7))
        assert [(state.place, state.copies, state.fresh, state.unread) for state in states] == [
            ("main", 40, 40, 0), ("second", 40, 40, 0),
        ]  # fmt: skip
        assert len(events(rt, "fixity.checked")) == hours


def test_the_clocks_share_repairs_too_goes_on_after_a_kill_and_leaves_out_what_is_away(two, films):
    object_id = next(iter(films))
    two.spoil("second", object_id)
    with two.open() as rt:
        age(rt, 9)
        for _ in range(6):
            scrub_share(rt)
        assert scrub_share(rt) == 0
        assert len(events(rt, "fixity.repaired")) == 1
        assert all_whole(rt, films)
        age(rt, 9)
        two.roots[1].rename(two.roots[1].with_name("unplugged"))
        assert [scrub_share(rt) for _ in range(4)] == [1, 1, 1, 0]


def test_a_round_that_was_stopped_goes_on_with_the_copies_that_are_left(two, films):
    with two.open() as rt:
        age(rt, 3)
        first = Scrub(rt, lambda: known_objects(rt.db))
        steps = first.steps()
        seen = [(step.checked.result.object_id, step.checked.place) for step in islice(steps, 2)]
        steps.close()
    with two.open() as rt:
        again, report = scrubbed(rt)
        rest = [(step.checked.result.object_id, step.checked.place) for step in again]
        assert sorted(seen + rest) == sorted((name, place) for name in films for place in BOTH)
        assert report.copies == 6

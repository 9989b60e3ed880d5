import errno
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id
from bodycam.fixity.models import FixityRound
from bodycam.fixity.queries import last_check
from bodycam.fixity.service import Scrub
from bodycam.jobs.models import Job
from bodycam.models import Base
from bodycam.recordings.models import Kind, Origin, Recording
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings


@pytest.fixture
def rt(tmp_path):
    with open_runtime(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        Base.metadata.create_all(opened.db.engine)
        yield opened


@pytest.fixture
def seal(rt):
    def seal_recording(data):
        attempt = new_id()
        with rt.spool.open(attempt) as writer:
            writer.write(data)
            sealed = rt.vault.seal(writer.finish(), {})
        rt.spool.discard(attempt)
        row = Recording(id=attempt, object_id=sealed.object_id, sha256=sealed.sha256, size=sealed.size, name="x.mp4")
        row.kind, row.origin, row.sealed_event_id = Kind.VIDEO, Origin.DOCK, new_id()
        row.sealed_at = row.shown_at = clock.now()
        with rt.db.write() as session:
            session.add(row)
        return row

    return seal_recording


def known(rt):
    def listed():
        with rt.db.read() as session:
            return session.scalars(select(Recording.object_id).limit(1000)).all()

    return listed


def run(rt):
    scrub = Scrub(rt, known(rt))
    steps = list(scrub.steps())
    return steps, scrub.finish()


def path_of(rt, row):
    return rt.vault.root / "objects" / row.object_id[:2] / row.object_id


def events(rt, kind):
    with rt.db.read() as session:
        return session.scalars(select(CustodyEvent).where(CustodyEvent.kind == kind).limit(100)).all()


def test_a_sound_vault_is_counted_and_logged_once(rt, seal):
    rows = [seal(bytes([n]) * 20_000) for n in range(3)]
    steps, report = run(rt)
    assert [step.done for step in steps] == [1, 2, 3]
    assert (report.copies, report.damaged, report.unlisted) == (3, 0, ())
    [event] = events(rt, "fixity.checked")
    assert json.loads(event.body)["details"]["objects"] == 3
    with rt.db.read() as session:
        assert all(last_check(session, row.object_id).problems == "" for row in rows)


def test_a_flipped_bit_is_damage_an_event_and_a_new_check_of_the_recording(rt, seal):
    seal(b"sound")
    bad = seal(b"film" * 9000)
    path = path_of(rt, bad)
    path.chmod(0o600)
    body = bytearray(path.read_bytes())
    body[7000] ^= 1
    path.write_bytes(body)
    _, report = run(rt)
    assert report.named == (("main", bad.object_id, ("object_damaged",)),)
    [event] = events(rt, "fixity.damaged")
    assert event.object_id == bad.id
    with rt.db.read() as session:
        [job] = session.scalars(select(Job).limit(10)).all()
    assert (job.name, json.loads(job.args)) == ("recording.recheck", {"recording_id": bad.id})
    assert path.read_bytes() == body


def test_an_object_put_back_as_it_was_has_its_recording_checked_anew(rt, seal):
    row = seal(b"put back from a copy")
    path = rt.vault.root / "objects" / row.object_id[:2] / row.object_id
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    run(rt)
    path.write_bytes(whole)
    assert run(rt)[1].damaged == 0
    run(rt)
    with rt.db.read() as session:
        jobs = session.scalars(select(Job).where(Job.name == "recording.recheck").limit(9)).all()
    assert [json.loads(job.args)["recording_id"] for job in jobs] == [row.id, row.id]  # damaged, then whole; not again


def test_an_object_that_vanished_is_damage(rt, seal):
    row = seal(b"film")
    path_of(rt, row).unlink()
    assert run(rt)[1].named == (("main", row.object_id, ("object_missing",)),)


def test_an_object_in_no_catalogue_is_reported_and_kept(rt, seal):
    row = seal(b"film")
    with rt.db.write() as session:
        session.delete(session.get_one(Recording, row.id))
    _, report = run(rt)
    assert (report.damaged, report.unlisted) == (0, (row.object_id,))
    assert path_of(rt, row).exists()


def test_a_scrub_that_was_stopped_goes_on_where_it_was(rt, seal):
    for n in range(4):
        seal(bytes([n]) * 1000)
    first = Scrub(rt, known(rt))
    steps = first.steps()
    seen = [next(steps).checked.result.object_id for _ in range(2)]
    steps.close()
    again = Scrub(rt, known(rt))
    rest = [step.checked.result.object_id for step in again.steps()]
    assert sorted(seen + rest) == sorted(set(seen + rest))
    assert again.finish().copies == 4
    with rt.db.read() as session:
        assert len(session.scalars(select(FixityRound).limit(10)).all()) == 1


def test_the_next_round_begins_with_what_was_checked_longest_ago(rt, seal):
    old = seal(b"old")
    run(rt)
    new = seal(b"new")
    order = [step.checked.result.object_id for step in run(rt)[0]]
    assert order == [new.object_id, old.object_id]


def test_a_sector_that_the_disk_refuses_is_named_and_never_stops_the_round(rt, seal, monkeypatch):
    rows = sorted((seal(f"film {number}".encode()) for number in range(3)), key=lambda row: row.object_id)
    bad = path_of(rt, rows[0])
    read = os.preadv

    def refusing(fd, buffers, offset):
        if Path(f"/proc/self/fd/{fd}").readlink() == bad:
            raise OSError(errno.EIO, "Input/output error")
        return read(fd, buffers, offset)

    monkeypatch.setattr("bodycam.vault.disk.os.preadv", refusing)
    steps, report = run(rt)
    assert len(steps) == 3
    assert report.named == (("main", rows[0].object_id, ("object_unreadable",)),)

"""One camera from docking to docking: its clock, what is gone from its card, whose files they are, what is still being written."""

import json
import os
import random
from datetime import timedelta

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock
from working_station import events

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import DockingVisit, VisitState
from bodycam.fleet.service import camera_for, issue_camera, register_camera
from bodycam.people.models import Force
from bodycam.people.scope import EVERYTHING
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import CameraFile, Recording
from bodycam.recordings.on_camera import Seen, note_gone, note_seen, waiting_on_cameras
from bodycam.settings import load_settings
from dock_service.clock_reference import ClockReference
from dock_service.offload import Offload, Watch
from dock_service.visit import Place

make = random.Random(9).randbytes
EPOCH = 1_790_000_000


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


class Watched:
    def __init__(self, reference):
        self._reference = reference

    def now(self):
        return self._reference


@pytest.fixture
def trusted(monkeypatch):
    monkeypatch.setattr("dock_service.visit.WATCH", Watched(ClockReference("chrony", 2, 0.0)))


def run(rt, dock, camera=None):
    camera = camera or dock.open()
    watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
    work = Offload(rt, camera, Place("usb:1-1"), watch)
    try:
        outcome = work.run()
    finally:
        camera.close()
        work.end(VisitState.DONE)
    return outcome


def codes(outcome):
    return [problem.error.code for problem in outcome.problems]


def put(camera, path, data, at=EPOCH):
    place = camera.card / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    os.utime(place, (at, at))


@pytest.mark.usefixtures("trusted")
def test_a_clock_is_measured_then_set_and_the_files_keep_the_offset_of_their_time(rt, dock):
    camera = dock.add({"a.bin": b"abc"}, clock_offset_s=600)
    first = run(rt, dock)
    assert abs(camera.clock_offset_s()) < 2
    with rt.db.read() as session:
        visit = session.get_one(DockingVisit, first.visit.id)
        [row] = session.scalars(select(Recording))
    assert visit.offset_s == pytest.approx(600, abs=1)
    assert visit.reference == "chrony"
    assert visit.clock_set_at is not None
    assert row.clock_offset_s == visit.offset_s
    [setting] = events(rt, "clock.set")
    assert setting["details"]["before_ms"] == pytest.approx(600_000, abs=1000)
    assert abs(setting["details"]["after_ms"]) < 2000
    kinds = [event["kind"] for event in events(rt)]
    assert kinds.index("clock.measured") < kinds.index("recording.sealed") < kinds.index("clock.set")
    run(rt, dock)
    assert len(events(rt, "clock.set")) == 1  # it is right: nothing to set


@pytest.mark.usefixtures("trusted")
def test_a_file_seen_before_the_clock_was_set_keeps_the_old_offset_when_it_is_copied_later(rt, dock, monkeypatch):
    camera = dock.add({"a.bin": b"abc", "b.bin": b"abcd"}, clock_offset_s=-3600)
    real, failed = Offload._seal, []

    def sealing(self, spooled, card):
        if spooled.file.path == "b.bin" and not failed:
            failed.append(spooled)
            spooled.writer.close()
            return
        real(self, spooled, card)

    monkeypatch.setattr(Offload, "_seal", sealing)
    run(rt, dock)
    assert abs(camera.clock_offset_s()) < 2
    put(camera, "c.bin", b"x", EPOCH + 60)
    run(rt, dock)
    with rt.db.read() as session:
        offsets = {row.name: row.clock_offset_s for row in session.scalars(select(Recording))}
    assert offsets["b.bin"] == pytest.approx(-3600, abs=2)
    assert offsets["c.bin"] == pytest.approx(0, abs=2)


def test_without_a_reference_no_clock_is_set_or_judged(rt, dock, monkeypatch):
    monkeypatch.setattr("dock_service.visit.WATCH", Watched(ClockReference("unknown")))
    camera = dock.add({"a.bin": b"abc"}, clock_offset_s=600)
    outcome = run(rt, dock)
    assert camera.clock_offset_s() == 600
    assert outcome.visit.clock.grade == "unknown"
    assert events(rt, "clock.set") == []
    assert events(rt, "clock.measured")[0]["details"]["reference"] == "unknown"


@pytest.mark.usefixtures("trusted")
def test_a_clock_off_by_more_than_its_crystal_explains_is_noted_innocently(rt, dock):
    camera = dock.add({"a.bin": b"abc"}, clock_offset_s=100)
    run(rt, dock)
    now = clock.now()
    clock.set_now(lambda: now + timedelta(hours=10))
    camera.set_clock_offset_s(90)  # 50 ppm over ten hours are 1.8 s
    outcome = run(rt, dock)
    assert codes(outcome) == ["clock_drift"]
    assert outcome.is_complete
    note = outcome.problems[0].error
    assert "chưa phải bằng chứng chỉnh giờ" in note.text("vi")
    [event] = events(rt, "clock.drift_noted")
    assert event["details"]["expected_ms"] == pytest.approx(1800, abs=10)
    with rt.db.read() as session:
        assert session.get_one(DockingVisit, outcome.visit.id).drift_s == pytest.approx(1.8, abs=0.01)
    clock.set_now(lambda: now + timedelta(hours=20))
    camera.set_clock_offset_s(-1.9)
    assert codes(run(rt, dock)) == []


@pytest.mark.usefixtures("trusted")
def test_a_camera_that_will_not_be_set_is_no_trouble(rt, dock):
    dock.add({"a.bin": b"abc"}, clock_offset_s=600, date_time_set=False)
    assert run(rt, dock).is_complete
    assert events(rt, "clock.set") == []


def test_a_pooled_camera_gives_each_recording_to_whom_it_was_issued_when_it_was_made(rt, dock):
    made = [EPOCH, EPOCH + 7200]
    camera = dock.add({}, clock_offset_s=3600)  # its clock is an hour ahead: really made an hour earlier
    for number, at in enumerate(made):
        put(camera, f"{number}.bin", make(100 + number), at)
    with rt.db.write() as session:
        unit = create_unit(session, code="D1", name="Đội 1", force=Force.TRAFFIC_POLICE)
        people = [
            create_officer(session, name=f"Cán bộ {n}", number=f"111-22{n}", unit_id=unit.id, force=unit.force)
            for n in range(2)
        ]
        known = register_camera(session, serial="S-1", unit_id=unit.id)
        start = clock.datetime.fromtimestamp(EPOCH, clock.UTC)
        issue_camera(session, known.id, people[0].id, starts_at=start - timedelta(hours=4))
        issue_camera(session, known.id, people[1].id, starts_at=start - timedelta(minutes=30))
    run(rt, dock)
    with rt.db.read() as session:
        officers = {row.name: row.officer_id for row in session.scalars(select(Recording))}
    assert officers == {"0.bin": people[0].id, "1.bin": people[1].id}


def test_files_gone_since_the_last_docking_are_told_innocently_and_once(rt, dock):
    camera = dock.add({f"{n}.bin": make(100 + n) for n in range(4)})
    run(rt, dock)
    (camera.card / "0.bin").unlink()
    (camera.card / "1.bin").unlink()
    outcome = run(rt, dock)
    assert codes(outcome) == ["files_gone"]
    assert outcome.is_complete
    text = outcome.problems[0].error.text("vi")
    assert "2 tệp" in text
    assert "chưa phải căn cứ" in text
    [event] = events(rt, "camera.files_missing")
    assert (event["details"]["files"], event["details"]["unsaved"]) == (2, 0)
    assert codes(run(rt, dock)) == []
    with rt.db.read() as session:
        states = {row.path: row.state for row in session.scalars(select(CameraFile))}
        assert all(row.recording_id for row in session.scalars(select(CameraFile)))
        problems = json.loads(session.get_one(DockingVisit, outcome.visit.id).problems)
    assert states == {"0.bin": "gone", "1.bin": "gone", "2.bin": "on_camera", "3.bin": "on_camera"}
    assert problems[0]["code"] == "files_gone"


def test_a_file_that_was_seen_but_never_saved_is_listed_until_it_comes_and_said_when_it_is_gone(rt, dock):
    with rt.db.write() as session:
        known = register_camera(session, serial="S-1")
        visit = DockingVisit(camera_id=known.id, serial="S-1", started_at=clock.now(), state="lost")
        session.add(visit)
        session.flush()
        note_seen(
            session,
            camera_id=known.id,
            visit_id=visit.id,
            files=[Seen("a.bin", 3, "20260921T200000"), Seen("b.bin", 5, "20260921T210000")],
            offset_s=12.0,
        )
    with rt.db.read() as session:
        [waiting] = waiting_on_cameras(session, EVERYTHING)
        assert (waiting.camera.serial, waiting.files, waiting.size) == ("S-1", 2, 8)
    dock.add({"c.bin": b"c"})
    outcome = run(rt, dock)
    [event] = events(rt, "camera.files_missing")
    assert event["details"]["unsaved"] == 2
    assert "2 chưa" in outcome.problems[0].error.text("vi") or "(2 tệp chưa" in outcome.problems[0].error.text("vi")
    with rt.db.read() as session:
        assert waiting_on_cameras(session, EVERYTHING) == []


def test_a_file_written_anew_under_its_old_name_is_no_loss(rt, dock):
    camera = dock.add({"a.bin": b"abc"})
    run(rt, dock)
    put(camera, "a.bin", b"abcdef", EPOCH + 100)
    assert codes(run(rt, dock)) == []
    with rt.db.write() as session:
        known = camera_for(session, "S-1")
        assert (
            note_gone(
                session,
                camera_id=known.id,
                visit_id=session.scalars(select(DockingVisit.id).order_by(DockingVisit.id.desc())).first(),
            )
            == []
        )


def test_a_file_still_being_written_is_saved_as_it_is_in_the_end_and_never_half(rt, dock, monkeypatch):
    camera = dock.add({"a.bin": make(500_000), "grows.bin": make(300_000)})
    real, grown = type(dock.open()).refresh, []

    def refresh(self, file):
        if file.path == "grows.bin" and len(grown) < 2:
            grown.append(1)
            with (camera.card / "grows.bin").open("ab") as growing:
                growing.write(make(50_000))
        return real(self, file)

    monkeypatch.setattr("dock_service.cameras.mtp.MtpCamera.refresh", refresh)
    outcome = run(rt, dock)
    assert outcome.is_complete
    with rt.db.read() as session:
        rows = {row.name: row.size for row in session.scalars(select(Recording))}
    assert rows == {"a.bin": 500_000, "grows.bin": 400_000}
    assert rt.spool.attempts() == []


def test_a_file_that_grows_on_and_on_is_never_green(rt, dock, monkeypatch):
    camera = dock.add({"a.bin": make(500_000), "grows.bin": make(300_000)})
    real = type(dock.open()).refresh

    def refresh(self, file):
        if file.path == "grows.bin":
            with (camera.card / "grows.bin").open("ab") as growing:
                growing.write(make(1000))
        return real(self, file)

    monkeypatch.setattr("dock_service.cameras.mtp.MtpCamera.refresh", refresh)
    outcome = run(rt, dock)
    assert codes(outcome) == ["file_changed"]
    assert not outcome.is_complete
    assert [copied.path for copied in outcome.recordings] == ["a.bin"]


def test_how_soon_a_card_is_full_is_told_from_the_pace_of_its_dockings(rt, dock):
    camera = dock.add({"a.bin": make(1_000_000)})
    run(rt, dock)
    now = clock.now()
    clock.set_now(lambda: now + timedelta(hours=8))
    put(camera, "b.bin", make(2_000_000), EPOCH + 50)
    outcome = run(rt, dock)
    with rt.db.read() as session:
        visit = session.get_one(DockingVisit, outcome.visit.id)
        free = camera_for(session, "S-1").storage_free_bytes
    assert visit.full_in_s == pytest.approx(free * 8 * 3600 / 2_000_000, rel=0.01)


def test_missing_numbers_and_names_of_another_camera_are_told_once_and_hold_nothing_up(rt, dock):
    def name(number, hour, camera="0000007", officer="184221"):
        return f"DCIM/DSJ_{camera}_{officer}_20260921_{hour:02d}0000_{number:04d}.mp4"

    with rt.db.write() as session:
        unit = create_unit(session, code="D1", name="Đội 1", force=Force.TRAFFIC_POLICE)
        officer = create_officer(session, name="An", number="555-666", unit_id=unit.id, force=Force.TRAFFIC_POLICE)
        known = register_camera(session, serial="BWC-0412", unit_id=unit.id)
        issue_camera(session, known.id, officer.id, starts_at=clock.datetime(2026, 1, 1, tzinfo=clock.UTC))
    ours = {name(n, 8 + n): make(100 + n) for n in (1, 2, 5)}
    camera = dock.add({**ours, name(1, 9, camera="0000008"): make(99)}, serial="BWC-0412")
    outcome = run(rt, dock)
    assert sorted(codes(outcome)) == [
        "files_missing",
        "other_camera_named",
        "other_officer_named",
        "silent_time",
    ]
    assert outcome.is_complete
    [event] = events(rt, "camera.sequence_gap")
    assert (event["details"]["first"], event["details"]["last"], event["details"]["count"]) == (3, 4, 2)
    assert "DSJ" not in json.dumps(event)
    assert codes(run(rt, dock)) == []
    (camera.card / name(1, 9)).unlink()  # the camera's loop took it: it was sealed, so no number is missing
    put(camera, name(6, 14), make(200))
    assert "files_missing" not in codes(run(rt, dock))

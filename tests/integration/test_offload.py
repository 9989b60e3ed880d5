"""From a camera into the vault: every byte once, whatever happens on the way."""

import hashlib
import json
import os
import random
import threading
import time
from contextlib import suppress

import pytest
from sqlalchemy import func, select
from virtual_dock import VirtualDock

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import CameraState, DockingVisit, VisitState
from bodycam.fleet.service import camera_for, issue_camera, register_camera
from bodycam.intake.models import IntakeAttempt
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from bodycam.vault.errors import VaultFullError
from bodycam.vault.spool import SpoolWriter
from dock_service.cameras.folder import FolderCamera
from dock_service.errors import CameraBusyError, CameraGoneError, OffloadStoppedError
from dock_service.offload import Offload, Watch
from dock_service.visit import Place, hold_camera

make = random.Random(3).randbytes
FILES = {
    "DCIM/a.bin": make(3_000_017),
    "DCIM/b.bin": make(70_000),
    "DCIM/DSJ_0000001_123456_20260921_142006_IMP.mp4": make(512 - 12),
}


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


def run(rt, camera, end=VisitState.DONE, **watching):
    progress = []
    watch = Watch(report=progress.append, settle=lambda _: Sequencer(rt.db, rt.log).run_once(), **watching)
    work = Offload(rt, camera, Place("usb:1-1"), watch)
    try:
        outcome = work.run()
    finally:
        camera.close()
        work.end(end)
    return outcome, progress


def sealed(rt):
    """Return path -> bytes of everything in the catalogue, read back out of the vault."""
    with rt.db.read() as session:
        rows = list(session.scalars(select(Recording)))
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: b"".join(rt.vault.open(row.object_id).chunks()) for row in rows}


def kinds(rt):
    with rt.db.read() as session:
        return list(session.scalars(select(CustodyEvent.kind).order_by(CustodyEvent.id)))


def test_everything_new_is_sealed_once_with_a_receipt_and_then_skipped(rt, dock):
    dock.add(FILES)
    outcome, progress = run(rt, dock.open())
    assert outcome.is_complete
    assert sealed(rt) == FILES
    assert {copied.path: copied.sha256 for copied in outcome.recordings} == {
        path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()
    }
    assert [at.stage for at in progress][-1] == "waiting_receipt"
    assert progress[-1].bytes_done == progress[-1].bytes_total == sum(map(len, FILES.values()))
    assert progress[-1].files_done == 3
    with rt.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) >= 3
    assert kinds(rt).count("camera.released") == 1
    again, _ = run(rt, dock.open())
    assert (again.recordings, again.skipped, again.is_complete, again.receipts) == ([], 3, True, 3)
    assert rt.spool.attempts() == []


def test_a_pulled_camera_goes_on_at_the_byte_where_it_stopped(rt, dock):
    virtual = dock.add({"a.bin": make(6 << 20)}, faults={"unplug_after_bytes": 4_500_000, "replug_after_s": 0.05})
    with pytest.raises(CameraGoneError):
        run(rt, dock.open(), VisitState.LOST)
    [attempt] = rt.spool.attempts()
    with rt.spool.open(attempt) as writer:
        stopped_at = writer.offset
    assert 4_500_000 - (1 << 20) - 512 <= stopped_at <= 4_500_000  # only the USB transfer that was pulled is lost
    time.sleep(0.06)
    outcome, _ = run(rt, dock.open())
    assert dock.requested(virtual)[0][1] == stopped_at
    assert outcome.is_complete
    assert sealed(rt) == {"a.bin": (virtual.card / "a.bin").read_bytes()}
    assert {"offload.failed", "camera.pulled", "offload.resumed"} <= set(kinds(rt))
    assert rt.spool.attempts() == []


def test_a_camera_pulled_many_times_at_random_ends_with_every_byte_once(rt, dock):
    files = {f"{n}.bin": make(size) for n, size in enumerate((900_000, 0, 1 << 20, 2_000_000, 511, 512))}
    dice = random.Random(5)
    for _ in range(6):
        virtual = dock.add(
            files, faults={"unplug_after_bytes": dice.randrange(50_000, 1_500_000), "replug_after_s": 0.0}
        )
        (virtual.folder / "faults-done").unlink(missing_ok=True)
        try:
            run(rt, dock.open(), VisitState.LOST)
        except CameraGoneError:
            continue
    dock.add(files)
    outcome, _ = run(rt, dock.open())
    assert outcome.is_complete
    assert sealed(rt) == files
    assert rt.spool.attempts() == []


def test_an_empty_file_is_kept_as_it_is_and_said_so(rt, dock):
    dock.add({"empty.mp4": b"", **FILES})
    outcome, _ = run(rt, dock.open())
    assert [(problem.path, problem.error.code, problem.kept) for problem in outcome.problems] == [
        ("empty.mp4", "empty_file", True)
    ]
    assert outcome.is_complete
    assert sealed(rt)["empty.mp4"] == b""


@pytest.mark.parametrize("claimed", [1000, 9_000_000])
def test_a_file_that_lies_about_its_size_is_kept_whole_and_needs_a_person(rt, dock, claimed):
    dock.add(FILES, faults={"lies": {"DCIM/a.bin": claimed}})
    outcome, _ = run(rt, dock.open())
    [problem] = outcome.problems
    assert (problem.path, problem.error.code, problem.kept) == ("DCIM/a.bin", "size_mismatch", True)
    assert not outcome.is_complete
    assert sealed(rt) == FILES
    assert "camera.released" not in kinds(rt)


def test_a_file_that_once_gave_too_little_is_read_again_and_never_turns_green_before(rt, dock):
    dock.add(FILES, faults={"lies": {"DCIM/a.bin": 9_000_000}})
    run(rt, dock.open(), VisitState.FAILED)
    again, _ = run(rt, dock.open(), VisitState.FAILED)
    assert [problem.error.code for problem in again.problems] == ["size_mismatch"]
    assert not again.is_complete
    assert "camera.released" not in kinds(rt)
    for _ in range(2):
        run(rt, dock.open(), VisitState.FAILED)
    with rt.db.read() as session:
        assert session.scalar(select(func.count()).select_from(IntakeAttempt)) == 4, "the keys don't grow without end"


def test_a_read_that_ends_early_is_made_good_at_the_next_visit(rt, tmp_path, monkeypatch):
    card = tmp_path / "card"
    card.mkdir()
    (card / "a.bin").write_bytes(make(100_000))
    read = FolderCamera.read
    monkeypatch.setattr(FolderCamera, "read", lambda *a: (piece[:60_000] for piece in read(*a)))
    outcome, _ = run(rt, FolderCamera(card), VisitState.FAILED)
    assert [problem.error.code for problem in outcome.problems] == ["size_mismatch"]
    monkeypatch.undo()
    outcome, _ = run(rt, FolderCamera(card))
    assert outcome.is_complete
    assert [copied.size for copied in outcome.recordings] == [100_000]
    outcome, _ = run(rt, FolderCamera(card))
    assert (outcome.recordings, outcome.skipped, outcome.is_complete) == ([], 1, True)


@pytest.mark.parametrize("harm", ["lost", "cut", "flipped"])
def test_what_the_vault_lost_is_taken_from_the_camera_once_more(rt, dock, harm):
    virtual = dock.add({"a.bin": make(70_000)})
    run(rt, dock.open())
    with rt.db.read() as session:
        [first] = session.scalars(select(Recording.object_id))
    path = rt.vault.root / "objects" / first[:2] / first
    path.chmod(0o600)
    if harm == "lost":
        path.unlink()
    elif harm == "cut":
        os.truncate(path, 500)
    else:  # only a full re-read sees it, so the camera's listing must bring it: its clock was set meanwhile
        path.write_bytes(path.read_bytes()[:500] + b"!!" + path.read_bytes()[502:])
        os.utime(virtual.card / "a.bin", (1_700_000_000, 1_700_000_000))
    outcome, _ = run(rt, dock.open())
    assert outcome.is_complete
    assert [copied.duplicate for copied in outcome.recordings] == [False]
    with rt.db.read() as session:
        rows = session.scalars(select(Recording.object_id).order_by(Recording.id)).all()
    assert [rt.vault.verify(row).ok for row in rows] == [False, True]
    outcome, _ = run(rt, dock.open())
    assert (outcome.recordings, outcome.skipped) == ([], 1)


def test_a_clock_without_power_never_hides_a_new_recording_behind_an_old_one(rt, dock):
    reset = 1_420_070_403  # 01/01/2015 00:00:03 each time the battery was empty; some cameras write files of one size
    recordings = [make(70_000), make(70_000)]
    for number, data in enumerate((recordings[0], recordings[0], recordings[1], recordings[1])):
        virtual = dock.add({"DCIM/0001.MP4": data})
        os.utime(virtual.card / "DCIM/0001.MP4", (reset, reset))
        outcome, _ = run(rt, dock.open())
        assert outcome.is_complete
        assert [copied.duplicate for copied in outcome.recordings] == [number % 2 == 1]
    with rt.db.read() as session:
        rows = session.scalars(select(Recording.object_id).order_by(Recording.id)).all()
    assert [b"".join(rt.vault.open(row).chunks()) for row in rows] == recordings


def test_a_half_copied_file_without_a_time_is_not_gone_on_with(rt, dock):
    first, second = make(6 << 20), make(6 << 20)
    for data, faults in ((first, {"unplug_after_bytes": 4_500_000, "replug_after_s": 0.0}), (second, {})):
        virtual = dock.add({"a.bin": data}, faults=faults)
        os.utime(virtual.card / "a.bin", (0, 0))
        with suppress(CameraGoneError):
            run(rt, dock.open(), VisitState.LOST)
    assert sealed(rt) == {"a.bin": second}


def test_a_camera_that_goes_on_recording_never_turns_green(rt, tmp_path, monkeypatch):
    card = tmp_path / "card"
    card.mkdir()
    listed = FolderCamera.list_files

    def recording_on(self):
        (card / f"{len(list(card.iterdir()))}.bin").write_bytes(make(1000))
        return listed(self)

    monkeypatch.setattr(FolderCamera, "list_files", recording_on)
    outcome, _ = run(rt, FolderCamera(card), VisitState.FAILED)
    assert [problem.error.code for problem in outcome.problems] == ["file_changed"]
    assert "camera.released" not in kinds(rt)
    monkeypatch.undo()
    outcome, _ = run(rt, FolderCamera(card))
    assert outcome.is_complete
    assert len(sealed(rt)) == len(list(card.iterdir()))


def test_a_file_that_changes_while_it_is_read_is_no_copy_and_the_others_go_on(rt, tmp_path, monkeypatch):
    card = tmp_path / "card"
    card.mkdir()
    for name in ("a.bin", "b.bin"):
        (card / name).write_bytes(make(2 << 20))
    read = FolderCamera.read

    def growing(self, file, offset=0):
        yield from read(self, file, offset)
        if file.path == "a.bin":
            with (card / "a.bin").open("ab") as more:
                more.write(b"!")

    monkeypatch.setattr(FolderCamera, "read", growing)
    outcome, _ = run(rt, FolderCamera(card))
    assert [(problem.path, problem.error.code) for problem in outcome.problems] == [("a.bin", "file_changed")]
    assert list(sealed(rt)) == ["b.bin"]
    assert rt.spool.attempts() == []
    monkeypatch.undo()
    outcome, _ = run(rt, FolderCamera(card))
    assert outcome.is_complete
    assert sealed(rt)["a.bin"] == (card / "a.bin").read_bytes()


def test_a_full_disk_is_named_loses_nothing_and_the_next_try_goes_on(rt, dock, monkeypatch):
    virtual = dock.add(FILES)
    write = SpoolWriter.write

    def full(self, data):
        if self.received >= 1 << 20:
            raise VaultFullError(path="/vault")
        write(self, data)

    monkeypatch.setattr(SpoolWriter, "write", full)
    outcome, _ = run(rt, dock.open(), VisitState.FAILED)
    assert [(problem.path, problem.error.code) for problem in outcome.problems] == [("DCIM/a.bin", "vault_full")]
    assert not outcome.is_complete
    assert set(sealed(rt)) == {"DCIM/b.bin", "DCIM/DSJ_0000001_123456_20260921_142006_IMP.mp4"}
    monkeypatch.undo()
    before = len(dock.requested(virtual))
    outcome, _ = run(rt, dock.open())
    assert min(offset for _, offset, _ in dock.requested(virtual)[before:]) >= 900_000
    assert outcome.is_complete
    assert sealed(rt) == FILES


def test_a_file_the_system_may_not_read_never_stops_the_others(rt, tmp_path, monkeypatch):
    card = tmp_path / "card"
    card.mkdir()
    (card / "a.bin").write_bytes(b"a")
    (card / "b.bin").write_bytes(b"b")
    opened = os.open

    def refusing(path, *rest, **more):
        if str(path).endswith("/a.bin"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest, **more)

    camera = FolderCamera(card)
    monkeypatch.setattr("dock_service.cameras.folder.os.open", refusing)
    outcome, _ = run(rt, camera)
    assert [(problem.path, problem.error.code) for problem in outcome.problems] == [("a.bin", "file_unreadable")]
    assert [copied.path for copied in outcome.recordings] == ["b.bin"]
    assert rt.spool.attempts() == []


def test_an_unknown_camera_is_let_into_quarantine_and_its_clock_is_measured(rt, dock):
    dock.add(FILES, clock_offset_s=7 * 3600, battery=42)
    outcome, _ = run(rt, dock.open())
    with rt.db.read() as session:
        camera = camera_for(session, "S-1")
        visit = session.get_one(DockingVisit, outcome.visit.id)
        recordings = list(session.scalars(select(Recording)))
    assert (camera.state, camera.battery_percent) == (CameraState.QUARANTINED, 42)
    assert visit.offset_s == pytest.approx(7 * 3600, abs=1)
    assert camera.last_offset_s == visit.offset_s
    assert (visit.state, visit.files, visit.bytes) == ("done", 3, sum(map(len, FILES.values())))
    assert all(row.quarantine and row.clock_offset_s == visit.offset_s for row in recordings)
    assert {row.name for row in recordings if row.event_flag} == {"DCIM/DSJ_0000001_123456_20260921_142006_IMP.mp4"}
    assert visit.camera_time_raw


def test_a_recording_belongs_to_who_held_the_camera_when_it_was_made(rt, dock):
    now = clock.now()
    with rt.db.write() as session:
        unit = create_unit(session, name="Đội 1", force=Force.TRAFFIC_POLICE)
        officer = create_officer(
            session, unit_id=unit.id, number="184-221", name="Trần Văn Nam", force=Force.TRAFFIC_POLICE
        )
        camera = register_camera(session, serial="S-1", label="BWC-0412", unit_id=unit.id)
        issue_camera(session, camera.id, officer.id, starts_at=now)
    virtual = dock.add(FILES, clock_offset_s=7200)
    later = now.timestamp() + 7200
    for name in ("DCIM/a.bin", "DCIM/b.bin"):  # written two hours later by the camera's clock: just now by ours
        os.utime(virtual.card / name, (later + 1, later + 1))
    os.utime(virtual.card / "DCIM/b.bin", (later - 90, later - 90))  # a minute and a half before the camera was issued
    time.sleep(1.1)
    outcome, _ = run(rt, dock.open())
    assert (outcome.visit.name, outcome.visit.officer, outcome.visit.number) == ("BWC-0412", "Trần Văn Nam", "184-221")
    with rt.db.read() as session:
        officers = {row.name: row.officer_id for row in session.scalars(select(Recording))}
    assert (officers["DCIM/a.bin"], officers["DCIM/b.bin"]) == (officer.id, None)


def test_the_same_bytes_under_another_time_are_known_again(rt, dock):
    virtual = dock.add({"a.bin": b"same"})
    run(rt, dock.open())
    os.utime(virtual.card / "a.bin", (1_700_000_000, 1_700_000_000))
    outcome, _ = run(rt, dock.open())
    assert [copied.duplicate for copied in outcome.recordings] == [True]
    assert list(sealed(rt)) == ["a.bin"]


def test_only_one_reads_a_camera_at_a_time(rt):
    with (
        hold_camera(rt.settings.data_dir, "S-1"),
        pytest.raises(CameraBusyError, match="s-1"),
        hold_camera(rt.settings.data_dir, "s-1"),
    ):
        pass


def test_a_stop_leaves_a_resumable_state(rt, dock):
    virtual = dock.add({"a.bin": make(5 << 20)})
    stop = threading.Event()
    stop.set()
    with pytest.raises(OffloadStoppedError):
        run(rt, dock.open(), VisitState.FAILED, stop=stop)
    outcome, _ = run(rt, dock.open())
    assert outcome.is_complete
    assert sealed(rt)["a.bin"] == (virtual.card / "a.bin").read_bytes()
    with rt.db.read() as session:
        assert session.scalar(select(func.count()).select_from(IntakeAttempt)) == 1
        assert json.loads(session.scalars(select(DockingVisit.problems)).first()) == []


def test_what_a_camera_writes_while_it_is_read_is_taken_too(rt, tmp_path, monkeypatch):
    card = tmp_path / "card"
    card.mkdir()
    (card / "a.bin").write_bytes(b"first")
    read = FolderCamera.read

    def recording(self, file, offset=0):
        if file.path == "a.bin":
            (card / "b.bin").write_bytes(b"second")
        return read(self, file, offset)

    monkeypatch.setattr(FolderCamera, "read", recording)
    outcome, progress = run(rt, FolderCamera(card))
    assert outcome.is_complete
    assert sealed(rt) == {"a.bin": b"first", "b.bin": b"second"}
    assert (progress[-1].files_done, progress[-1].files_total, outcome.skipped) == (2, 2, 0)

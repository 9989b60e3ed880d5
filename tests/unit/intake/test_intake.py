"""The one door: attempts found again, one commit point, the same bytes twice, and nothing lost on the way."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bodycam.cli.standalone import settle, standalone
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.fleet.service import register_camera
from bodycam.intake import service as intake
from bodycam.intake.models import AttemptState, IntakeAttempt
from bodycam.jobs.models import Job
from bodycam.recordings.models import Origin, Recording, State, Verdict
from bodycam.runtime import Runtime
from bodycam.settings import load_settings

BYTES = b"not a film, but nothing is lost" * 5000


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})) as runtime:
        yield runtime


def _bring(rt: Runtime, key: str, data: bytes = BYTES, **facts: object) -> intake.SealedRecording:
    attempt = intake.begin(rt.db, key)
    with rt.spool.open(attempt.id) as writer:
        writer.write(data)
        spooled = writer.finish()
    told = {"origin": Origin.DOCK, "name": "DCIM/A.MP4", "actor": "system"} | facts
    return intake.finish(rt, attempt, spooled, intake.Facts(**told))  # type: ignore[arg-type]


def _count(rt: Runtime, table: type) -> int:
    with rt.db.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_came_in_can_be_read_back_byte_for_byte(rt: Runtime) -> None:
    sealed = _bring(rt, "a")
    with rt.db.read() as session:
        row = session.get_one(Recording, sealed.recording_id)
    with rt.vault.open(row.object_id) as reader:
        assert b"".join(reader.chunks()) == BYTES
    assert row.sha256 == sealed.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert rt.spool.attempts() == []


def test_a_recording_its_event_and_its_job_are_committed_together(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise OSError("the database's disk")

    with monkeypatch.context() as patch:
        patch.setattr(intake.jobs, "enqueue", broken)
        with pytest.raises(OSError, match="database"):
            _bring(rt, "a")
    assert [_count(rt, table) for table in (Recording, CustodyEvent, Job)] == [0, 0, 0]
    sealed = _bring_again(rt, "a")
    assert [_count(rt, table) for table in (Recording, CustodyEvent, Job)] == [1, 1, 1]
    assert list(rt.vault.iter_objects()) == [_object(rt, sealed.recording_id)], "the retry found the same object"


def _bring_again(rt: Runtime, key: str) -> intake.SealedRecording:
    """Go on as a restarted dock does: everything was already spooled."""
    attempt = intake.begin(rt.db, key)
    with rt.spool.open(attempt.id) as writer:
        assert writer.offset == len(BYTES)
        spooled = writer.finish()
    return intake.finish(rt, attempt, spooled, intake.Facts(Origin.DOCK, "DCIM/A.MP4", "system"))


def _object(rt: Runtime, recording_id: str) -> str:
    with rt.db.read() as session:
        return session.get_one(Recording, recording_id).object_id


def test_an_attempt_is_found_again_and_a_sealed_source_is_known(rt: Runtime) -> None:
    assert intake.begin(rt.db, "a").id == intake.begin(rt.db, "a").id
    with rt.db.read() as session:
        assert intake.already_sealed(session, "a") is None
    sealed = _bring(rt, "a")
    with rt.db.read() as session:
        known = intake.already_sealed(session, "a")
    assert known is not None
    assert known.id == sealed.recording_id


def test_the_same_bytes_under_the_same_name_of_one_camera_are_one_recording(rt: Runtime) -> None:
    with rt.db.write() as session:
        camera = register_camera(session, serial="S1", label="BWC-1").id
        other = register_camera(session, serial="S2", label="BWC-2").id
    first = _bring(rt, "before the clock was set", camera_id=camera)
    again = _bring(rt, "after the clock was set", camera_id=camera, name="DCIM2/A.MP4")
    assert again.duplicate
    assert again.recording_id == first.recording_id
    assert not _bring(rt, "another camera", camera_id=other).duplicate
    assert not _bring(rt, "another name", camera_id=camera, name="DCIM/B.MP4").duplicate
    with rt.db.read() as session:
        states = session.scalars(select(IntakeAttempt.state).order_by(IntakeAttempt.id)).all()
    assert states == [AttemptState.SEALED, AttemptState.DUPLICATE, AttemptState.SEALED, AttemptState.SEALED]


def test_a_receipt_comes_only_when_a_checkpoint_covers_the_event(rt: Runtime) -> None:
    sealed = _bring(rt, "a")
    assert _count(rt, Receipt) == 0
    settle(rt, [sealed.event_id])
    with rt.db.read() as session:
        assert session.get(Receipt, sealed.event_id) is not None


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\x00\x00\x00\x18ftypisom" + bytes(500)], ids=["empty", "one byte", "cut"]
)
def test_what_nobody_can_play_is_kept_and_said_to_be_unreadable(rt: Runtime, data: bytes) -> None:
    sealed = _bring(rt, "a", data)
    settle(rt, [sealed.event_id])
    with rt.db.read() as session:
        row = session.get_one(Recording, sealed.recording_id)
        failed = session.scalars(select(Job.error).where(Job.error.is_not(None))).all()
    assert failed == []
    assert row.state == State.UNREADABLE
    assert row.verdict != Verdict.MATCH, "what was not checked is never green"
    with rt.vault.open(row.object_id) as reader:
        assert b"".join(reader.chunks()) == data

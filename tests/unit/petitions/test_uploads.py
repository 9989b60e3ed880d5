import hashlib
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import event

from bodycam import clock, custody
from bodycam.jobs import service as jobs
from bodycam.petitions import sealing, service, uploads
from bodycam.petitions.errors import (
    NoSuchUploadError,
    TooManyFilesError,
    UploadBusyError,
    UploadFragmentedError,
    UploadGoneError,
    UploadTooLargeError,
    WrongOffsetError,
)
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.runtime import Runtime

DATA = secrets.token_bytes(3_000_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


def begun(rt: Runtime, *, size: int = len(DATA), sha256: str | None = SHA256) -> tuple[str, str]:
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
        service.tell(session, rt.keyring, submission.id, text="Điều đã chứng kiến")
        file = uploads.create(
            session, rt.keyring, rt.settings, submission.id, size=size, metadata="filename YQ==", sha256=sha256
        )
    return submission.id, file.id


def send(rt: Runtime, submission_id: str, file_id: str, data: bytes, offset: int = 0) -> int:
    with uploads.writing(rt.db, rt.spool, rt.settings, submission_id, file_id, offset) as writer:
        for start in range(0, len(data), 65_536):
            writer.write(data[start : start + 65_536])
    return writer.durable


def row(rt: Runtime, file_id: str) -> SubmissionFile:
    with rt.db.read() as session:
        return session.get_one(SubmissionFile, file_id)


def receive(rt: Runtime, submission_id: str) -> None:
    with rt.db.write() as session:
        service.receive(session, rt.keyring, submission_id)


def test_a_file_sent_in_three_pieces_is_sealed_byte_for_byte(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    assert send(rt, submission_id, file_id, DATA[:1_234_567]) == 1_234_567
    assert row(rt, file_id).offset == 1_234_567
    assert send(rt, submission_id, file_id, DATA[1_234_567:1_234_600], 1_234_567) == 1_234_600
    assert send(rt, submission_id, file_id, DATA[1_234_600:], 1_234_600) == len(DATA)
    assert row(rt, file_id).state == FileState.COMPLETE
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    sealed = row(rt, file_id)
    assert (sealed.state, sealed.sha256, sealed.reserved_bytes) == (FileState.SEALED, SHA256, 0)
    assert sealed.object_id is not None
    assert b"".join(rt.vault.open(sealed.object_id).chunks()) == DATA
    assert rt.spool.attempts() == []
    with rt.db.read() as session:
        kinds = [e.kind for e in custody.history(session, submission_id)]
    assert kinds == ["submission.received", "submission.file_sealed"]


def test_sealing_twice_is_sealing_once(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA)
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    sealing.seal_file(rt, file_id)
    with rt.db.read() as session:
        assert len(custody.history(session, submission_id)) == 2


def test_a_complete_file_waits_for_the_text_before_it_is_sealed(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA)
    with rt.db.read() as session:
        assert jobs.due(session) == []
    receive(rt, submission_id)
    with rt.db.read() as session:
        assert len(jobs.due(session)) == 2  # this, and the hold that a report causes


def test_the_senders_hash_decides_and_a_mismatch_is_kept_but_not_accepted(rt: Runtime) -> None:
    submission_id, file_id = begun(rt, sha256="0" * 64)
    send(rt, submission_id, file_id, DATA)
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    refused = row(rt, file_id)
    assert (refused.state, refused.object_id, refused.sha256) == (FileState.MISMATCH, None, SHA256)
    assert rt.spool.attempts() == [uploads.attempt(file_id)]
    with rt.db.read() as session:
        assert [e.kind for e in custody.history(session, submission_id)][-1] == "intake.refused"


def test_without_a_hash_of_the_sender_the_servers_own_one_stands(rt: Runtime) -> None:
    submission_id, file_id = begun(rt, sha256=None)
    send(rt, submission_id, file_id, DATA)
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    assert row(rt, file_id).sha256 == SHA256


def test_an_empty_file_is_complete_at_once(rt: Runtime) -> None:
    submission_id, file_id = begun(rt, size=0, sha256=hashlib.sha256(b"").hexdigest())
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    assert row(rt, file_id).state == FileState.SEALED


def test_what_came_before_an_error_is_kept(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    with (
        pytest.raises(RuntimeError),
        uploads.writing(rt.db, rt.spool, rt.settings, submission_id, file_id, 0) as writer,
    ):
        writer.write(DATA[:100_001])
        raise RuntimeError("the connection broke")
    assert row(rt, file_id).offset == 100_001
    assert send(rt, submission_id, file_id, DATA[100_001:], 100_001) == len(DATA)


def test_a_process_that_died_before_telling_the_database_is_put_right(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    with rt.spool.open(uploads.attempt(file_id)) as spooled:  # synced, then killed: the database still says 0
        spooled.write(DATA[:200_000])
    with pytest.raises(WrongOffsetError) as caught:
        send(rt, submission_id, file_id, DATA)
    assert caught.value.values["offset"] == 200_000
    assert row(rt, file_id).offset == 200_000
    assert send(rt, submission_id, file_id, DATA[200_000:], 200_000) == len(DATA)


def test_two_writers_never_write_at_once(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    with uploads.writing(rt.db, rt.spool, rt.settings, submission_id, file_id, 0) as writer:
        writer.write(DATA[:10])
        with pytest.raises(UploadBusyError):
            send(rt, submission_id, file_id, DATA)
    assert row(rt, file_id).offset == 10


@pytest.mark.parametrize("offset", [1, 11, 3_000_000])
def test_a_wrong_offset_changes_nothing_and_names_the_right_one(rt: Runtime, offset: int) -> None:
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA[:10])
    with pytest.raises(WrongOffsetError) as caught:
        send(rt, submission_id, file_id, DATA, offset)
    assert caught.value.values["offset"] == 10


def test_more_bytes_than_declared_are_refused(rt: Runtime) -> None:
    submission_id, file_id = begun(rt, size=100)
    with pytest.raises(UploadTooLargeError):
        send(rt, submission_id, file_id, DATA[:101])
    assert row(rt, file_id).offset == 0


def test_a_file_over_the_limit_is_refused_before_a_byte_is_sent(rt: Runtime) -> None:
    with pytest.raises(UploadTooLargeError):
        begun(rt, size=4_000_001)


def test_a_report_takes_only_so_many_files(rt: Runtime) -> None:
    submission_id, _ = begun(rt)
    with rt.db.write() as session, pytest.raises(TooManyFilesError):
        for _ in range(uploads.MOST_FILES):
            uploads.create(session, rt.keyring, rt.settings, submission_id, size=1, metadata="", sha256=None)


def test_nobody_reaches_the_upload_of_another_report(rt: Runtime) -> None:
    _, file_id = begun(rt)
    other, _ = begun(rt)
    with pytest.raises(NoSuchUploadError):
        send(rt, other, file_id, DATA)


def test_an_upload_without_progress_expires_and_gives_its_space_back(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA[:100_000])
    assert row(rt, file_id).reserved_bytes == 500_000
    moment = clock.now() + timedelta(hours=73)
    clock.set_now(lambda: moment)
    try:
        with pytest.raises(UploadGoneError):
            send(rt, submission_id, file_id, DATA[100_000:], 100_000)
        sealing.tidy(rt)
    finally:
        clock.set_now(None)
    assert rt.spool.attempts() == []


def test_an_upload_broken_into_too_many_pieces_is_refused(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PIECES", 3)
    submission_id, file_id = begun(rt)
    for offset in range(3):
        send(rt, submission_id, file_id, DATA[offset : offset + 1], offset)
    with pytest.raises(UploadFragmentedError):
        send(rt, submission_id, file_id, DATA[3:], 3)


def test_giving_up_a_file_of_a_received_report_leaves_an_event(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    receive(rt, submission_id)
    moment = clock.now() + timedelta(hours=73)
    clock.set_now(lambda: moment)
    sealing.tidy(rt)
    with rt.db.read() as session:
        assert [e.kind for e in custody.history(session, submission_id)] == ["submission.received", "upload.expired"]
        assert row(rt, file_id).state == FileState.EXPIRED


def test_progress_puts_the_expiry_off(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    before = row(rt, file_id).expires_at
    send(rt, submission_id, file_id, DATA[:100_000])
    assert row(rt, file_id).expires_at > before


def test_a_file_can_be_taken_back_until_the_report_is_sent(rt: Runtime) -> None:
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA)
    with rt.db.write() as session:
        uploads.remove(session, submission_id, file_id)
    sealing.tidy(rt)
    assert rt.spool.attempts() == []
    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA)
    receive(rt, submission_id)
    with rt.db.write() as session, pytest.raises(UploadGoneError):
        uploads.remove(session, submission_id, file_id)


def test_the_public_side_writes_only_its_own_tables_events_and_jobs(rt: Runtime) -> None:
    """So that it can run alone, on another network, with another database."""
    written: set[str] = set()

    @event.listens_for(rt.db.engine, "before_cursor_execute")
    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        words = statement.split()
        if words[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            written.add(words[{"INSERT": 2, "UPDATE": 1, "DELETE": 2}[words[0].upper()]])

    submission_id, file_id = begun(rt)
    send(rt, submission_id, file_id, DATA)
    receive(rt, submission_id)
    sealing.seal_file(rt, file_id)
    sealing.tidy(rt)
    assert written == {"submission", "submission_file", "custody_event", "job"}

"""From the spool into the vault: the hash decides, the vault seals, the final receipt follows.

A job calls `seal_file` once a file is complete and its report was received; calling it again does nothing more. Only the
report's own tables, a custody event and the next job are written here, so the public side can run apart from the core. The
core's job (`submission.adopt_file`) then catalogues the sealed object as a recording of origin "citizen".
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from bodycam import clock, custody
from bodycam.jobs.service import enqueue
from bodycam.petitions import service, uploads
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.runtime import Runtime
from bodycam.vault.errors import SpoolBusyError

_UNKNOWN_KEPT = timedelta(days=30)  # bytes that no row knows: a lost database may yet be put back
_log = structlog.get_logger(__name__)


def seal_file(rt: Runtime, file_id: str) -> None:
    """Compare a complete file with its sender's hash and seal it; call with no session open, since bytes are re-read.

    A mismatch is a state, not an error to retry: the bytes stay in the spool for diagnosis until they expire.
    Raises the vault's errors (full, damaged); the spool then stays as it is for the next try.
    """
    with rt.db.read() as session:
        file = session.get(SubmissionFile, file_id)
    if file is None or file.state != FileState.COMPLETE:
        return
    with rt.spool.open(uploads.attempt(file_id)) as spooled_writer:
        spooled = spooled_writer.finish()
    if spooled.size != file.size or file.declared_sha256 not in {None, spooled.sha256}:
        _refuse(rt, file_id, spooled.sha256, spooled.size)
        return
    sealed = rt.vault.seal(
        spooled, {"submission": file.submission_id, "file": file.id, "sha256": spooled.sha256, "size": spooled.size}
    )
    with rt.db.write() as session:
        row = session.get_one(SubmissionFile, file_id)
        if row.state != FileState.COMPLETE:
            return
        event = custody.record(
            session,
            "submission.file_sealed",
            object_id=row.submission_id,
            sha256=sealed.sha256,
            size=sealed.size,
            details={
                "file": row.id,
                "object": sealed.object_id,
                "declared": row.declared_sha256 is not None,
                "copies": list(sealed.copies),
            },
        )
        row.state, row.reserved_bytes = FileState.SEALED, 0
        row.sha256, row.object_id = sealed.sha256, sealed.object_id
        row.sealed_at, row.sealed_event_id = clock.now(), event.id
        enqueue(session, "submission.adopt_file", {"file_id": row.id}, key=f"submission.adopt_file:{row.id}")
    rt.spool.discard(uploads.attempt(file_id))


def tidy(rt: Runtime) -> None:
    """Give up uploads and drafts that rest too long, and drop spooled bytes that nobody needs any more."""
    rest = timedelta(hours=rt.settings.public.expire_hours)
    with rt.db.write() as session:
        gone = uploads.expire(session) + service.expire_drafts(session, rest)
    with rt.db.read() as session:
        done, unknown = uploads.leftovers(session, rt.spool.attempts())
    given_up = (clock.now() - _UNKNOWN_KEPT).timestamp()
    forgotten = [file_id for file_id in unknown if rt.spool.rested_since(uploads.attempt(file_id)) < given_up]
    drop(rt, [*gone, *done, *forgotten])


def drop(rt: Runtime, file_ids: Sequence[str]) -> None:
    """Discard what came of files that are given up; one that is still being written waits for the next time."""
    for file_id in file_ids:
        try:
            rt.spool.discard(uploads.attempt(file_id))
        except SpoolBusyError:
            _log.info("submission.spool_busy", file=file_id)


def _refuse(rt: Runtime, file_id: str, sha256: str, size: int) -> None:
    _log.warning("submission.hash_mismatch", file=file_id)
    with rt.db.write() as session:
        row = session.get_one(SubmissionFile, file_id)
        row.state, row.sha256 = FileState.MISMATCH, sha256
        custody.record(
            session,
            "intake.refused",
            object_id=row.submission_id,
            sha256=sha256,
            size=size,
            reason_code="hash_mismatch",
            details={"file": row.id},
        )

"""Files on their way in: begun, written piece by piece, finished, taken back, expired.

The offset told to a sender is a promise: it advances only over bytes that are synced to disk. Bytes lie encrypted in the spool
under the file's id; no database session is open while they are copied. One writer at a time. An upload without progress
expires and gives its space back. What the sender hashed himself decides later, at sealing (`bodycam.petitions.sealing`).
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import Database, new_id, nfc
from bodycam.errors import InvalidInputError
from bodycam.petitions import allowance, service
from bodycam.petitions import content as contents
from bodycam.petitions.errors import (
    NoSuchUploadError,
    TooManyFilesError,
    UploadBusyError,
    UploadFragmentedError,
    UploadGoneError,
    UploadTooLargeError,
    WrongOffsetError,
)
from bodycam.petitions.models import FileState, Submission, SubmissionFile, SubmissionState
from bodycam.sections import Settings
from bodycam.vault.errors import SpoolBusyError
from bodycam.vault.keyring import Keyring
from bodycam.vault.spool import Spool, SpoolWriter

MOST_FILES = 20
MOST_METADATA = 2_000
MOST_NAME = 200
MOST_PIECES = 10_000  # each opening is a file of its own in the spool, however little it holds
SYNC_EVERY = (
    768 << 10
)  # bytes: with the tail of a chunk and what is on the way, a mebibyte at most is sent again after a break
BATCH = 200
_ATTEMPT = "citizen-"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def create(
    session: Session,
    keyring: Keyring,
    settings: Settings,
    submission_id: str,
    *,
    size: int,
    metadata: str,
    sha256: str | None,
) -> SubmissionFile:
    """Begin an upload of `size` bytes for a report, with the hash its sender computed (hex), if any.

    Asking again for the same bytes while they still come gives the upload that is there: on a weak network the first answer
    gets lost. `metadata` is the client's own text about the file and is kept encrypted. No space is taken before bytes come.
    Raises UploadTooLargeError, TooManyFilesError, InvalidInputError, NoSuchUploadError (no such report).
    """
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NoSuchUploadError(what="submission")
    if size > settings.public.max_upload_bytes:
        raise UploadTooLargeError(limit=settings.public.max_upload_bytes)
    if len(metadata) > MOST_METADATA:
        raise InvalidInputError(field="Upload-Metadata", reason=f"at most {MOST_METADATA} characters")
    if sha256 is not None and _SHA256.fullmatch(sha256) is None:
        raise InvalidInputError(field="sha256", reason="64 lower-case hex digits")
    known = _begun(session, submission_id, size, sha256)
    if known is not None:
        return known
    begun = session.scalar(select(func.count()).where(SubmissionFile.submission_id == submission_id))
    if begun is not None and begun >= MOST_FILES:
        raise TooManyFilesError(limit=MOST_FILES)
    now = clock.now()
    file = SubmissionFile(
        id=new_id(),
        submission_id=submission_id,
        metadata_sealed=contents.lock(keyring, submission.wrapped_key, submission_id, "metadata", metadata),
        size=size,
        declared_sha256=sha256,
        created_at=now,
        expires_at=now + timedelta(hours=settings.public.expire_hours),
        offset=0,
        state=FileState.RECEIVING,
        reserved_bytes=0,
    )
    session.add(file)
    session.flush()
    if size == 0:
        _complete(session, file)
    submission.changed_at = now
    return file


def _begun(session: Session, submission_id: str, size: int, sha256: str | None) -> SubmissionFile | None:
    """Return the report's unfinished upload of these very bytes, or None; without a hash nobody can tell."""
    if sha256 is None:
        return None
    query = select(SubmissionFile).where(
        SubmissionFile.submission_id == submission_id,
        SubmissionFile.declared_sha256 == sha256,
        SubmissionFile.size == size,
        SubmissionFile.state == FileState.RECEIVING,
        SubmissionFile.expires_at > clock.now(),
    )
    return session.scalar(query.order_by(SubmissionFile.id).limit(1))


def find(session: Session, submission_id: str, file_id: str) -> SubmissionFile:
    """Return an upload of this very report; raises NoSuchUploadError, or UploadGoneError when expired or taken back."""
    file = session.get(SubmissionFile, file_id)
    if file is None or file.submission_id != submission_id:
        raise NoSuchUploadError(what="upload")
    overdue = file.state == FileState.RECEIVING and file.expires_at < clock.now()
    if overdue or file.state in {FileState.EXPIRED, FileState.REMOVED}:
        raise UploadGoneError(what="upload")
    return file


def metadata_of(session: Session, keyring: Keyring, file: SubmissionFile) -> str:
    """Return the metadata as the client gave it."""
    submission = session.get_one(Submission, file.submission_id)
    return contents.unlock(keyring, submission.wrapped_key, submission.id, "metadata", file.metadata_sealed)


def name_of(session: Session, keyring: Keyring, file: SubmissionFile) -> str:
    """Return the sender's name of the file without any folder, or one made of its id where he gave none."""
    pairs = (pair.strip().partition(" ") for pair in metadata_of(session, keyring, file).split(","))
    given = {key: value for key, _, value in pairs}.get("filename", "")
    try:
        name = nfc(base64.b64decode(given).decode())
    except (binascii.Error, UnicodeDecodeError):
        name = ""
    plain = "".join(c for c in re.split(r"[/\\]", name)[-1] if c.isprintable()).strip()
    return plain[:MOST_NAME] or f"{file.id}.bin"


class UploadWriter:
    """Writes an upload's bytes in order; `durable` counts what a break can't lose. Use it through `writing`."""

    def __init__(self, db: Database, settings: Settings, file: SubmissionFile, spooled: SpoolWriter) -> None:
        """Go on where the spool stands."""
        self._db, self._settings, self._spooled = db, settings, spooled
        self._file_id, self._size, self._reserved = file.id, file.size, file.reserved_bytes
        self._synced_at = spooled.offset
        self.durable = file.offset
        self.expires_at = file.expires_at

    def write(self, block: bytes) -> None:
        """Take the next bytes; raises UploadTooLargeError past the declared size, NoRoomError when space must wait."""
        end = self._spooled.received + len(block)
        if end > self._size:
            raise UploadTooLargeError(limit=self._size)
        if end > self._reserved:
            disks = allowance.rooms(self._settings)
            with self._db.write() as session:
                self._reserved = allowance.grow(session, self._file_id, end, self._settings.public, disks)
        self._spooled.write(block)
        if end - self._synced_at >= SYNC_EVERY:
            self._synced_at = end
            self._advance(self._spooled.sync())

    def close(self) -> None:
        """Make all that was taken durable and let the offset advance; the last byte makes the file complete."""
        durable = self._spooled.close()
        if durable != self.durable:
            self._advance(durable)

    def _advance(self, durable: int) -> None:
        with self._db.write() as session:
            file = session.get(SubmissionFile, self._file_id)
            if file is None:  # its draft was thrown away meanwhile
                raise UploadGoneError(what="upload")
            if file.state == FileState.RECEIVING:
                file.offset = durable
                file.expires_at = clock.now() + timedelta(hours=self._settings.public.expire_hours)
                if durable == file.size:
                    _complete(session, file)
            self.expires_at = file.expires_at
        self.durable = durable


@contextmanager
def writing(
    db: Database, spool: Spool, settings: Settings, submission_id: str, file_id: str, offset: int
) -> Iterator[UploadWriter]:
    """Open an upload to go on at `offset`; what came is synced and kept however the block ends.

    Raises NoSuchUploadError, UploadGoneError, WrongOffsetError (naming the right one), UploadBusyError.
    """
    with db.read() as session:
        file = find(session, submission_id, file_id)
    if file.state != FileState.RECEIVING:
        raise WrongOffsetError(what="upload", offset=file.size)
    pieces = spool.root / attempt(file_id)
    if pieces.is_dir() and sum(1 for _ in pieces.iterdir()) >= MOST_PIECES:
        raise UploadFragmentedError(limit=MOST_PIECES)
    try:
        spooled = spool.open(attempt(file_id))
    except SpoolBusyError:
        raise UploadBusyError(what="upload") from None
    writer = UploadWriter(db, settings, file, spooled)
    try:
        if offset != spooled.offset:
            raise WrongOffsetError(what="upload", offset=spooled.offset)
        yield writer
    finally:
        writer.close()  # also tells the database what was synced before a process died


def remove(session: Session, submission_id: str, file_id: str) -> None:
    """Take an upload back before it is sealed; the caller discards the spooled bytes after the commit."""
    file = find(session, submission_id, file_id)
    submission = session.get_one(Submission, submission_id)
    kept = file.state == FileState.SEALED or (
        file.state == FileState.COMPLETE and submission.state != SubmissionState.DRAFT
    )
    if kept:
        raise UploadGoneError(what="upload")
    file.state, file.reserved_bytes = FileState.REMOVED, 0
    if submission.state != SubmissionState.DRAFT:
        custody.record(session, "upload.terminated", object_id=submission_id, details={"file": file_id})


def expire(session: Session) -> list[str]:
    """Give up uploads without progress; return their ids, whose spooled bytes the caller discards after the commit."""
    query = select(SubmissionFile).where(
        SubmissionFile.state.in_((FileState.RECEIVING, FileState.MISMATCH)), SubmissionFile.expires_at < clock.now()
    )
    stale = list(session.scalars(query.order_by(SubmissionFile.expires_at, SubmissionFile.id).limit(BATCH)))
    for file in stale:
        file.state, file.reserved_bytes = FileState.EXPIRED, 0
        if session.get_one(Submission, file.submission_id).state != SubmissionState.DRAFT:
            custody.record(session, "upload.expired", object_id=file.submission_id, details={"file": file.id})
    return [file.id for file in stale]


def end_here(session: Session, submission_id: str, file_id: str) -> None:
    """Make an upload of unknown size complete with what has come (a form without JavaScript)."""
    file = find(session, submission_id, file_id)
    file.size = file.reserved_bytes = file.offset
    _complete(session, file)


def attempt(file_id: str) -> str:
    """Return the spool's name for a file; the docks' attempts lie in the same spool."""
    return f"{_ATTEMPT}{file_id}"


def leftovers(session: Session, attempts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the ids of files whose spooled bytes nobody needs (sealed, given up), and of those that no row knows.

    No row may mean that its draft was deleted, or that the database was lost: the second are not to be dropped at once.
    """
    ids = [name.removeprefix(_ATTEMPT) for name in attempts if name.startswith(_ATTEMPT)][:BATCH]
    needed = (FileState.RECEIVING, FileState.COMPLETE, FileState.MISMATCH)
    query = select(SubmissionFile.id, SubmissionFile.state).where(SubmissionFile.id.in_(ids))
    found = session.execute(query.order_by(SubmissionFile.id).limit(BATCH))
    states: dict[str, str] = {row.id: row.state for row in found}
    done = [file_id for file_id in ids if file_id in states and states[file_id] not in needed]
    return done, [file_id for file_id in ids if file_id not in states]


def _complete(session: Session, file: SubmissionFile) -> None:
    file.state = FileState.COMPLETE
    if session.get_one(Submission, file.submission_id).state != SubmissionState.DRAFT:
        service.ask_to_seal(session, file.id)

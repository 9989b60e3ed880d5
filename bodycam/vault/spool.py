"""Where what is still arriving rests: encrypted, resumable, never two plaintexts under one key.

Every opening of an attempt starts a new segment under a fresh key (see `segment`). Only synced bytes that can be opened again
count as durable: the offset to go on from. A stream that was never interrupted is one complete message, which the vault links
into place; an interrupted one is first written anew, as a whole, under one fresh key. Until `discard` a finished attempt gives
the same sealed bytes, hence the same object, however often sealing is repeated.
"""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from bodycam.vault import chunked, disk
from bodycam.vault.errors import DamagedObjectError, SpoolBusyError
from bodycam.vault.fingerprint import Fingerprint
from bodycam.vault.keyring import Keyring
from bodycam.vault.reread import Reading, TrailingReread, reread
from bodycam.vault.segment import Segment, SegmentWriter, list_segments, open_segment, settle

_ATTEMPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Spooled:
    """A finished attempt: the source's SHA-256 and size in bytes, and the one file that holds it."""

    attempt_id: str
    sha256: str
    size: int
    segment: Segment
    fingerprint: Fingerprint | None = field(default=None, compare=False, repr=False)
    trailing: TrailingReread | None = field(default=None, compare=False, repr=False)

    def read_back(self, key: bytes, copy: Path | None = None) -> Reading:
        """Return what the disk gives back, of a copy or of the segment itself, which a thread may have been reading already.

        Raises `DamagedObjectError` when it isn't what the source gave.
        """
        if copy is None and self.trailing is not None:
            reading = self.trailing.result()
        else:
            digest = self.fingerprint.twin() if self.fingerprint else hashlib.sha256()
            reading = reread(copy or self.segment.path, key, digest)
        given = self.fingerprint.digest() if self.fingerprint else bytes.fromhex(self.sha256)
        if (reading.digest, reading.size) != (given, self.size):
            raise DamagedObjectError(object_id=self.attempt_id, reason="read back, it is not what the source gave")
        return reading


class Spool:
    """A folder of attempts; ids are the caller's (letters, digits, `._-`)."""

    def __init__(self, root: Path, keyring: Keyring) -> None:
        """Use the folder (0700), creating it when missing; on the vault's file system sealing costs no second copy."""
        disk.make_folder(root)
        self.root = root
        self.keyring = keyring

    def open(self, attempt_id: str, expected: int | None = None) -> "SpoolWriter":
        """Open an attempt to go on at `.offset`; `expected` plaintext bytes in all are reserved on the disk.

        Raises `SpoolBusyError` when another writer has it, `VaultFullError` when `expected` doesn't fit.
        """
        return SpoolWriter(self._folder(attempt_id), self.keyring, expected)

    def read(self, attempt_id: str) -> Iterator[bytes]:
        """Yield the settled plaintext of an attempt that nobody is writing; raises `DamagedObjectError`."""
        return _read(_settled(self._folder(attempt_id)), self.keyring)

    def attempts(self) -> list[str]:
        """Return the ids of all attempts, sorted."""
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def rested_since(self, attempt_id: str) -> float:
        """Return when a segment was last begun, ended or renamed, in seconds since 1970; now when the attempt is gone."""
        try:
            return self._folder(attempt_id).stat().st_mtime
        except FileNotFoundError:
            return time.time()

    def discard(self, attempt_id: str) -> None:
        """Forget an attempt with its keys; also after sealing. Raises `SpoolBusyError` when it's being written."""
        folder = self._folder(attempt_id)
        try:
            lock = _lock(folder)
        except FileNotFoundError:  # never begun, or another process was quicker
            return
        try:
            if not folder.is_dir():
                return
            for segment in reversed(list_segments(folder)):  # backwards: what is left is always a beginning
                disk.remove(segment.path)
            folder.rmdir()
            disk.sync_folder(self.root)
        finally:
            os.close(lock)

    def rewrap(self, attempt_id: str, settled_before: float) -> bool:
        """Have an attempt's keys wrapped by the current vault key; False while that must wait.

        Only what has rested since `settled_before` (seconds since 1970) is renamed: whoever has just finished an attempt is about
        to seal it by the names it knows.
        """
        folder = self._folder(attempt_id)
        try:
            waiting = [segment for segment in list_segments(folder) if not segment.is_current(self.keyring)]
            if not waiting:
                return True
            if folder.stat().st_mtime > settled_before:
                return False
            lock = _lock(folder)
        except FileNotFoundError:  # discarded meanwhile
            return True
        except SpoolBusyError:
            return False
        try:
            for segment in list_segments(folder):
                segment.rewrap(self.keyring)
        finally:
            os.close(lock)
        return True

    def _folder(self, attempt_id: str) -> Path:
        if not _ATTEMPT.fullmatch(attempt_id):
            raise ValueError("an attempt id has 1 to 100 letters, digits, dots, dashes or underscores")
        return self.root / attempt_id


class SpoolWriter:
    """The one writer of an attempt. As a context manager it closes itself; what was written then stays for a resume."""

    def __init__(self, folder: Path, keyring: Keyring, expected: int | None) -> None:
        """Take the lock and settle what an earlier writer left; use `Spool.open`."""
        disk.make_folder(folder)
        self._lock = _lock(folder)
        self._folder = folder
        self._keyring = keyring
        self._writer: SegmentWriter | None = None
        try:
            self._earlier = _recover(folder, keyring)
        except BaseException:
            os.close(self._lock)
            raise
        self._base = _total(self._earlier)
        self._reserve = max(0, (expected or 0) - self._base)
        self.offset = self._base

    @property
    def received(self) -> int:
        """Return the plaintext bytes taken so far, durable or not."""
        return self._base + (self._writer.size if self._writer else 0)

    def write(self, data: bytes | memoryview) -> None:
        """Take the bytes at `received`. After an error (`VaultFullError`, `VaultIoError`) close and open again."""
        if self._lock < 0:
            raise ValueError("the writer is closed; open the attempt again")
        if not data:
            return
        if self._writer is None:
            if self._earlier and self._earlier[-1].state == "whole":
                raise ValueError("a finished attempt takes no more bytes; discard it to start anew")
            self._writer = self._begin("part", self._reserve)
        try:
            self._writer.write(data)
        except BaseException:
            self._abandon()
            raise

    def sync(self) -> int:
        """Make what was written durable; return the durable offset (a beginning of up to 16 KiB may still be missing)."""
        if self._writer is not None:
            try:
                self.offset = self._base + self._writer.sync()
            except BaseException:
                self._abandon()  # what a failed write left must never be continued
                raise
        return self.offset

    def rest(self) -> None:
        """Hold little memory while the bytes that came wait to be finished."""
        if self._writer is not None:
            try:
                self._writer.rest()
            except BaseException:
                self._abandon()
                raise

    def close(self) -> int:
        """End this opening with every byte durable and return the offset; the next opening goes on there."""
        try:
            if self._writer is not None:
                self._end_segment(self._writer)
                self._base = self.offset = _total(self._earlier)
        except BaseException:
            self._abandon()
            raise
        finally:
            self._unlock()
        return self.offset

    def finish(self) -> Spooled:
        """End the attempt: one whole message, durable, with the source's hash. Repeatable until discarded.

        An attempt that came in pieces is written anew under one fresh key, which needs its size again on the disk.
        """
        if self._lock < 0:
            raise ValueError("the writer is closed; open the attempt again")
        try:
            spooled = self._finish_one() if not self._earlier else self._finish_many()
        except BaseException:
            self._abandon()
            raise
        finally:
            self._unlock()
        self.offset = spooled.size
        return spooled

    def _finish_one(self) -> Spooled:
        writer = self._writer or self._begin("part", 0)
        done = writer.complete("whole")
        self._writer = None
        return Spooled(self._folder.name, done.sha256, done.segment.size, done.segment, done.fingerprint, done.trailing)

    def _finish_many(self) -> Spooled:
        if self._writer is not None:
            self._end_segment(self._writer)
        first = self._earlier[0]
        if len(self._earlier) == 1 and first.state in {"seg", "whole"}:
            whole = first if first.state == "whole" else first.become("whole", first.size)
            reading = reread(whole.path, whole.key(self._keyring), hashlib.sha256())
            return Spooled(self._folder.name, reading.digest.hex(), reading.size, whole)
        self._writer = self._begin("merge", _total(self._earlier))
        for block in _read(self._earlier, self._keyring):
            self._writer.write(block)
        spooled = self._finish_one()
        _drop_replaced(self._folder)
        return spooled

    def _end_segment(self, writer: SegmentWriter) -> None:
        done = writer.complete("seg")
        if done.trailing is not None:
            done.trailing.stop()
        self._writer = None
        self._earlier.append(done.segment)

    def _begin(self, state: str, reserve: int) -> SegmentWriter:
        key = chunked.new_key()
        number = self._earlier[-1].number + 1 if self._earlier else 1
        blank = Segment(self._folder, number, b"", state)
        return SegmentWriter(Segment(self._folder, number, self._keyring.wrap(key, blank.place), state), key, reserve)

    def _abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock >= 0:
            self.close()


def _recover(folder: Path, keyring: Keyring) -> list[Segment]:
    """Settle what a dead writer left and return the attempt's settled segments in order."""
    for segment in list_segments(folder):
        if segment.state == "merge":
            disk.remove(segment.path)
        elif segment.state == "part":
            settle(segment, segment.key(keyring))
    _drop_replaced(folder)
    return _settled(folder)


def _drop_replaced(folder: Path) -> None:
    segments = list_segments(folder)
    if segments and segments[-1].state == "whole":
        for segment in reversed(segments[:-1]):
            disk.remove(segment.path)
        disk.sync_folder(folder)


def _settled(folder: Path) -> list[Segment]:
    if not folder.is_dir():
        return []
    segments = [segment for segment in list_segments(folder) if segment.state in {"torn", "seg", "whole"}]
    if segments and segments[-1].state == "whole":
        return segments[-1:]
    if [segment.number for segment in segments] != list(range(1, len(segments) + 1)):
        raise DamagedObjectError(object_id=folder.name, reason="a spool segment is missing")
    return segments


def _total(segments: list[Segment]) -> int:
    return sum(segment.size for segment in segments)


def _read(segments: list[Segment], keyring: Keyring) -> Iterator[bytes]:
    for segment in segments:
        yield from open_segment(segment, segment.key(keyring))


def _lock(folder: Path) -> int:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise SpoolBusyError(what=folder.name) from error
    return fd

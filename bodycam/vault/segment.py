"""One spool segment: one message under one fresh key, written once from its beginning, and never appended to after re-opening.

Its wrapped key is part of the file's name, so creating the file commits both at once:
`NNNNN.<key>.part` is being written, or was when the process died; `NNNNN.<key>.<bytes>.torn` is what could be opened of such a
one; `NNNNN.<key>.<bytes>.seg` was ended in order; `NNNNN.<key>.merge` becomes `NNNNN.<key>.<bytes>.whole`, which holds the whole
stream and replaces all others.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.cobblestone import Cobblestone256Encryptor

from bodycam.vault import chunked, disk
from bodycam.vault.appender import BLOCK, Appender
from bodycam.vault.errors import DamagedObjectError
from bodycam.vault.fingerprint import Fingerprint
from bodycam.vault.keyring import Keyring
from bodycam.vault.reread import WORTH_A_THREAD, TrailingReread

WINDOW = 32 << 20  # sealed bytes between two hand-overs to the re-reading thread
_RUN = 64  # chunks read at once
_NAME = re.compile(r"(\d{5})\.([\w-]{80})(?:\.(\d{1,15}))?\.(part|torn|seg|merge|whole)")


@dataclass(frozen=True)
class Segment:
    """A segment's name, taken apart; `size` is its durable plaintext bytes (0 while unknown)."""

    folder: Path
    number: int
    wrapped: bytes
    state: str
    size: int = 0

    @property
    def path(self) -> Path:
        """Return where the segment lies."""
        size = "" if self.state in {"part", "merge"} else f".{self.size}"
        return self.folder / f"{self.number:05}.{base64.urlsafe_b64encode(self.wrapped).decode()}{size}.{self.state}"

    @property
    def place(self) -> bytes:
        """Return what the wrapped key is bound to: this attempt and this segment."""
        return b"bodycam/segment@1\x00" + f"{self.folder.name}\x00{self.number}".encode()

    def key(self, keyring: Keyring) -> bytes:
        """Return the data key; raises `DamagedObjectError`."""
        try:
            return keyring.unwrap(self.wrapped, self.place)
        except chunked.BrokenMessageError as error:
            raise DamagedObjectError(object_id=self.path.name[:5], reason=f"{self.folder.name}: {error}") from error

    def is_current(self, keyring: Keyring) -> bool:
        """Tell whether no older vault key could help: the current one opens it, or none does."""
        try:
            return keyring.rewrap(self.wrapped, self.place) is None
        except chunked.BrokenMessageError:
            return True

    def rewrap(self, keyring: Keyring) -> None:
        """Have the key wrapped by the current vault key, by renaming."""
        if not self.is_current(keyring):
            wrapped = keyring.rewrap(self.wrapped, self.place) or self.wrapped
            disk.replace(self.path, replace(self, wrapped=wrapped).path)
            disk.sync_folder(self.folder)

    def become(self, state: str, size: int) -> "Segment":
        """Rename to a settled state, durably."""
        settled = Segment(self.folder, self.number, self.wrapped, state, size)
        disk.replace(self.path, settled.path)
        disk.sync_folder(self.folder)
        return settled


def list_segments(folder: Path) -> list[Segment]:
    """Return the segments in a folder by number; foreign names are left alone and not listed."""
    found = []
    for path in folder.iterdir():
        if match := _NAME.fullmatch(path.name):
            number, key, size, state = match.groups()
            found.append(Segment(folder, int(number), base64.urlsafe_b64decode(key), state, int(size or 0)))
    return sorted(found, key=lambda segment: segment.number)


def open_segment(segment: Segment, key: bytes) -> Iterator[bytes]:
    """Yield a settled segment's plaintext, `segment.size` bytes; raises `DamagedObjectError`."""
    fd = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        left = segment.size
        for run in _open_runs(fd, segment.path, key):
            yield run[:left]
            left -= min(left, len(run))
            if not left:
                return
        if left:
            raise DamagedObjectError(object_id=segment.folder.name, reason=f"segment {segment.number} is cut")
    except chunked.BrokenMessageError as error:
        reason = f"segment {segment.number}: {error}"
        raise DamagedObjectError(object_id=segment.folder.name, reason=reason) from error
    finally:
        os.close(fd)


def settle(segment: Segment, key: bytes) -> Segment | None:
    """Keep of a segment whose writer died what can be opened, in whole chunks; None (and no file) when that is nothing."""
    fd = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        disk.sync(fd, segment.path)  # what another process left in RAM must be on the disk before it counts
        disk.drop_cache(fd, 0, 0)
        chunks = _count_good(fd, segment.path, key)
        if chunks:
            disk.truncate(fd, chunked.chunk_start(chunks), segment.path)
            disk.sync(fd, segment.path)
    finally:
        os.close(fd)
    if chunks:
        return segment.become("torn", chunks * chunked.CHUNK)
    disk.remove(segment.path)
    disk.sync_folder(segment.folder)
    return None


def _open_runs(fd: int, path: Path, key: bytes) -> Iterator[bytes]:
    chunks = chunked.Chunks(disk.read_at(fd, chunked.HEADER, 0, path), key, chunked.OBJECT)
    number = 0
    while run := disk.read_at(fd, _RUN * chunked.SEALED_CHUNK, chunked.chunk_start(number), path):
        yield chunks.open_run(number, run)
        number += _RUN


def _count_good(fd: int, path: Path, key: bytes) -> int:
    good = 0
    try:
        chunks = chunked.Chunks(disk.read_at(fd, chunked.HEADER, 0, path), key, chunked.OBJECT)
        while True:
            sealed = disk.read_at(fd, chunked.SEALED_CHUNK, chunked.chunk_start(good), path)
            if len(sealed) < chunked.SEALED_CHUNK:
                return good
            chunks.open(good, sealed)
            good += 1
    except chunked.BrokenMessageError:
        return good  # the torn tail begins here


class SegmentWriter:
    """Hashes, encrypts and writes one segment, and has long ones re-read behind the writer's back."""

    def __init__(self, segment: Segment, key: bytes, reserve: int = 0) -> None:
        """Create the file; `reserve` plaintext bytes are allocated on the disk at once (`VaultFullError`)."""
        self.segment = segment
        self.size = 0
        self._key = key
        self._file = Appender(segment.path, chunked.sealed_size(reserve) if reserve else 0)
        self._encryptor = Cobblestone256Encryptor(key, chunked.OBJECT)
        self._hash = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, "vault-hash")
        self._fingerprint = Fingerprint()
        self._handed = 0
        self._named = False
        self._trailing: TrailingReread | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Take more plaintext; after an error the writer can only be abandoned."""
        view = memoryview(data).cast("B")
        for at in range(0, len(view), BLOCK):
            piece = view[at : at + BLOCK]
            self._fingerprint.update(piece)  # first, so that it also vouches for what is hashed and encrypted next
            if len(piece) < WORTH_A_THREAD:
                self._hash.update(piece)
                self._file.add(self._encryptor.update_into(piece, self._file.room))
            else:
                hashed = self._hasher.submit(self._hash.update, piece)  # on another core: it takes as long as the rest
                try:
                    self._file.add(self._encryptor.update_into(piece, self._file.room))
                finally:
                    hashed.result()
            self.size += len(piece)
        if self._file.written - self._handed >= WINDOW:
            self._handed = self._file.written
            self._trailing = self._trailing or TrailingReread(self.segment.path, self._key, self._fingerprint.twin())
            self._trailing.advance(self._handed)

    def sync(self) -> int:
        """Make what is written durable and return how much plaintext that is: whole chunks in whole pages only."""
        self._file.sync()
        if not self._named:
            disk.sync_folder(self.segment.folder)
            self._named = True
        return max(0, self._file.written - chunked.HEADER) // chunked.SEALED_CHUNK * chunked.CHUNK

    def rest(self) -> None:
        """Hold no more memory than needs be until more comes, or the end."""
        self._file.rest()

    def complete(self, state: str) -> "Completed":
        """End the message, make it durable and give it its settled name."""
        last = self._encryptor.finalize()
        self._file.room[: len(last)] = last
        self._file.add(len(last))
        sealed = self._file.end()
        self._hasher.shutdown()
        settled = self.segment.become(state, self.size)
        if self._trailing is not None:
            self._trailing.complete(sealed)
        return Completed(settled, self._hash.hexdigest(), self._fingerprint, self._trailing)

    def abandon(self) -> None:
        """Let go of the file as it is; what lies in it is settled by the next who opens the attempt."""
        self._file.close()
        self._hasher.shutdown()
        if self._trailing is not None:
            self._trailing.stop()
            self._trailing = None


@dataclass(frozen=True)
class Completed:
    """A segment that was ended: the plaintext's SHA-256 and fingerprint, and who is re-reading it, if somebody is."""

    segment: Segment
    sha256: str
    fingerprint: Fingerprint
    trailing: TrailingReread | None

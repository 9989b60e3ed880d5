"""Sealed bytes as files: opened, copied past the page cache, and read back from the disk behind the writer's back."""

import hashlib
import os
import weakref
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from bodycam.vault import disk
from bodycam.vault.appender import Appender
from bodycam.vault.from_disk import FromDisk

_BEHIND = 32 << 20  # bytes between two hand-overs to the thread that reads back


class SealedBytes(Protocol):
    """One place's copy of an object, opened: its size in bytes, and any range of it. Safe in several threads."""

    size: int

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` sealed bytes from `start`, fewer only at the end; raises `VaultIoError`, `PlaceAwayError`."""

    def blocks(self) -> Iterator[memoryview]:
        """Yield all sealed bytes in order, `appender.BLOCK` at most at once; a block holds until the next. Raises like `read`."""

    def close(self) -> None:
        """Let go of it."""


class OpenFile:
    """A sealed file, held open; see `SealedBytes`."""

    def __init__(self, path: Path) -> None:
        """Open the file for reading."""
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._fd).st_size
        self._close = weakref.finalize(self, os.close, self._fd)

    def read(self, start: int, length: int) -> bytes:
        """Read a range."""
        return disk.read_at(self._fd, length, start, self._path)

    def blocks(self) -> Iterator[memoryview]:
        """Read all of it past the page cache."""
        file = FromDisk(self._path)
        try:
            yield from file.blocks(0, self.size)
        finally:
            file.close()

    def close(self) -> None:
        """Close the file; it also closes when it's forgotten."""
        self._close()


class HashBehind:
    """Reads a file back from its disk and hashes it while its later ranges are still being written."""

    def __init__(self, path: Path) -> None:
        """Prepare; the file is opened when there is something to read."""
        self._path = path
        self._digest = hashlib.sha256()
        self._asked = self._at = 0
        self._thread = ThreadPoolExecutor(1, "vault-hash-behind")
        self._taken: list[Future[None]] = []
        self._file: FromDisk | None = None

    def advance(self, written: int) -> None:
        """Tell how many bytes the disk has taken, whole pages."""
        if written - self._asked >= _BEHIND:
            self._asked = written
            self._taken.append(self._thread.submit(self._take, written))

    def end(self) -> str:
        """Read the rest and return the SHA-256 (hex) of all; raises `VaultIoError`."""
        self._taken.append(self._thread.submit(self._take, None))
        for taken in self._taken:
            taken.result()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let go of the file, whatever was read of it."""
        self._thread.shutdown(cancel_futures=True)
        if self._file is not None:
            self._file.close()

    def _take(self, upto: int | None) -> None:
        self._file = self._file or FromDisk(self._path)
        disk.sync(self._file.fd, self._path)
        for block in self._file.blocks(self._at, self._file.size if upto is None else upto):
            self._digest.update(block)
            self._at += len(block)


def write(target: Path, source: SealedBytes, behind: HashBehind | None = None) -> None:
    """Write a synced copy under a new name, its whole size reserved first (`VaultFullError`), with `behind` reading it back."""
    appender = Appender(target, reserve=source.size)
    try:
        for block in source.blocks():
            appender.room[: len(block)] = block
            appender.add(len(block))
            if behind is not None:
                behind.advance(appender.written)
        appender.end()
    finally:
        appender.close()


def copy_file(source: Path, target: Path) -> None:
    """Write a synced copy of a file under a new name."""
    opened = OpenFile(source)
    try:
        write(target, opened)
    finally:
        opened.close()


def hash_from_disk(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a file as the disk has it, not the page cache."""
    digest, size = hashlib.sha256(), 0
    file = FromDisk(path)
    try:
        for block in file.blocks(0, file.size):
            digest.update(block)
            size += len(block)
    finally:
        file.close()
    return size, digest.hexdigest()

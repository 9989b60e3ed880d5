"""Reading what is sealed, from any byte to any byte, without ever opening the whole."""

import os
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from bodycam.vault import chunked, disk
from bodycam.vault.errors import DamagedObjectError


class SealedReader:
    """The original's bytes. `size` in bytes is authentic; each range is authenticated as it's read. Safe in several threads."""

    def __init__(self, object_id: str, path: Path, key: bytes, sha256: str) -> None:
        """Open the file and check key and length; use `Vault.open`."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.object_id = object_id
        self.sha256 = sha256
        self._close = weakref.finalize(self, os.close, fd)
        try:
            read_at = partial(_read_at, fd, path)
            self._range = chunked.RangeReader(read_at, os.fstat(fd).st_size, key, chunked.OBJECT)
        except chunked.BrokenMessageError as error:
            self._close()
            raise DamagedObjectError(object_id=object_id, reason=str(error)) from error
        self.size = self._range.size

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`, fewer only at the end; raises `DamagedObjectError`."""
        try:
            return self._range.read(start, length)
        except chunked.BrokenMessageError as error:
            raise DamagedObjectError(object_id=self.object_id, reason=str(error)) from error

    def chunks(self, start: int = 0, end: int | None = None, block: int = 1 << 20) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end` (exclusive; None is the end) in pieces of at most `block`."""
        stop = self.size if end is None else min(end, self.size)
        while start < stop:
            piece = min(block - start % chunked.CHUNK if block > chunked.CHUNK else block, stop - start)
            yield self.read(start, piece)
            start += piece

    def close(self) -> None:
        """Close the file; it also closes when the reader is forgotten."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read_at(fd: int, path: Path, start: int, length: int) -> bytes:
    return disk.read_at(fd, length, start, path)

"""Where bytes are read from: a path, an open file, or an object in the vault, all as one seekable binary file."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

_BUFFER = 256 * 1024


class Ranges(Protocol):
    """Anything of known size that gives byte ranges, such as the vault's sealed reader."""

    @property
    def size(self) -> int:
        """The whole length in bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`."""


class RangeFile(io.RawIOBase):
    """A read-only seekable file over byte ranges."""

    def __init__(self, ranges: Ranges) -> None:
        """Start at byte 0."""
        self._ranges = ranges
        self._position = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can seek."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset from the start, the position or the end."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ranges.size}[whence]
        if start + offset < 0:
            raise ValueError("negative seek position")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's WriteableBuffer has no len()
        """Read up to the buffer's length; 0 at the end."""
        length = min(len(buffer), self._ranges.size - self._position)
        if length <= 0:
            return 0
        data = self._ranges.read(self._position, length)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def as_file(ranges: Ranges) -> BinaryIO:
    """Return a buffered seekable file over byte ranges."""
    return cast("BinaryIO", io.BufferedReader(RangeFile(ranges), _BUFFER))


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Give the source as an open file at byte 0; a path is closed at the end, a file is left to its owner."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


def size_of(file: BinaryIO) -> int:
    """Return a file's length in bytes, and go back to its start."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size

"""Walk the boxes of an ISO base media file (ISO/IEC 14496-12, 4.2) without believing their lengths.

Only headers are read. A box that reaches past its parent is reported with the length that is really there; counts and depth
are capped, so that a hostile file ends the walk and not the process.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_BOXES = 20_000
_HEADER = struct.Struct(">I4s")
_FULL_BOXES = {b"meta"}  # in MP4 a full box: 4 bytes of version and flags come before its children (QuickTime: none)


@dataclass(frozen=True)
class Box:
    """One box: its type, where its payload starts and ends (cut at its parent's end), and how many bytes are missing."""

    type: bytes
    start: int
    end: int
    missing: int

    @property
    def size(self) -> int:
        """Bytes of payload that are there."""
        return self.end - self.start


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, at most `MAX_BOXES`; stops at the first header that makes no sense."""
    for _ in range(MAX_BOXES):
        if end - start < _HEADER.size:
            return
        file.seek(start)
        header = file.read(16)
        if len(header) < _HEADER.size:
            return
        length, kind = _HEADER.unpack_from(header)
        payload = start + _HEADER.size
        if length == 1 and len(header) == 16:  # noqa: PLR2004  a 64-bit length follows the type
            length = int.from_bytes(header[8:], "big")
            payload += 8
        elif length == 0:
            length = end - start
        if start + length < payload:
            return
        stop = min(start + length, end)
        yield Box(kind, min(payload, stop), stop, start + length - stop)
        start = stop


def find(file: BinaryIO, path: tuple[bytes, ...], start: int, end: int) -> Iterator[Box]:
    """Yield every box at a path of types, such as (b"moov", b"mvhd")."""
    for box in boxes(file, start, end):
        if box.type != path[0]:
            continue
        if len(path) == 1:
            yield box
            continue
        skip = 4 if box.type in _FULL_BOXES and _is_full(file, box) else 0
        yield from find(file, path[1:], box.start + skip, box.end)


def payload(file: BinaryIO, box: Box, limit: int) -> bytes:
    """Return a box's payload, at most `limit` bytes of it."""
    file.seek(box.start)
    return file.read(min(box.size, limit))


def _is_full(file: BinaryIO, box: Box) -> bool:
    file.seek(box.start)
    head = file.read(8)
    return not head[4:8].isalpha()  # QuickTime's meta starts with a child box at once

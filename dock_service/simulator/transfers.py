"""What a simulated camera has queued for the host: transfers that end with a short or an empty packet, as on the wire."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class Transfer(Protocol):
    """Bytes queued for one bulk transfer."""

    length: int

    def read_into(self, at: int, view: memoryview) -> None:
        """Fill `view` with the bytes from `at`."""
        ...


@dataclass
class Packed:
    """A transfer of bytes in memory."""

    data: bytes
    length: int = field(init=False)

    def __post_init__(self) -> None:
        self.length = len(self.data)

    def read_into(self, at: int, view: memoryview) -> None:
        """Copy from memory."""
        view[:] = self.data[at : at + len(view)]


@dataclass
class FromFile:
    """A header and a file's range, read straight into the host's buffer."""

    header: bytes
    path: Path
    start: int
    count: int
    length: int = field(init=False)

    def __post_init__(self) -> None:
        self.length = len(self.header) + self.count

    def read_into(self, at: int, view: memoryview) -> None:
        """Copy the header's part, then read the file's."""
        head = self.header[at : at + len(view)]
        view[: len(head)] = head
        rest = view[len(head) :]
        if not rest:
            return
        position = self.start + max(at - len(self.header), 0)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while rest:
                count = os.preadv(descriptor, [rest], position)
                if count == 0:
                    rest[:] = bytes(len(rest))
                    return
                rest, position = rest[count:], position + count
        finally:
            os.close(descriptor)

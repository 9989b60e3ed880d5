"""Writes a new file from its beginning, in whole pages and past the page cache.

A page cache that is written, synced, dropped and read again costs more than encryption does; a direct write leaves nothing in
RAM that a later read could be answered from. The last, short page is padded to be written and the file cut to its length.
"""

import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from bodycam.vault import disk

BLOCK = 2 << 20
SLACK = 128 << 10


class Appender:
    """The one writer of a new file. Callers fill `room` and say by how much with `add`."""

    def __init__(self, path: Path, reserve: int = 0) -> None:
        """Create the file, with its first `reserve` bytes allocated on the disk (`VaultFullError`)."""
        self.path = path
        self.written = 0  # bytes the disk has taken, whole pages
        self._fd = disk.create(path, direct=True)
        self._maps = [mmap.mmap(-1, 2 * BLOCK + SLACK) for _ in range(2)]  # page-aligned, as direct writes want it
        self._view, self._other = (memoryview(area) for area in self._maps)
        self._filled = 0
        self._long = reserve > 0
        self._disk = ThreadPoolExecutor(1, "vault-write")
        self._pending: Future[None] | None = None
        self._pending_size = 0
        try:
            disk.reserve(self._fd, reserve, path)
        except BaseException:
            self.close()
            disk.remove(path)
            raise

    @property
    def room(self) -> memoryview:
        """Return where the next bytes go: at least `BLOCK + SLACK` of room."""
        return self._view[self._filled :]

    def add(self, count: int) -> None:
        """Take the first `count` bytes of `room` as appended; a full block goes to the disk while the next is filled.

        Raises what writing the block before raised (`VaultFullError`, `VaultIoError`).
        """
        self._filled += count
        if self._filled >= BLOCK:
            self._hand_over()

    def flush(self) -> None:
        """Have all whole pages written; what is left is less than one page."""
        self._wait()
        whole = self._swap()
        disk.write_at(self._fd, self._other[:whole], self.written, self.path)
        self.written += whole

    def rest(self) -> None:
        """Have all whole pages written and give the buffers' memory back until more comes: many files wait at a full dock."""
        self.flush()
        kept = bytes(self._view[: self._filled])
        for area in self._maps:
            area.madvise(mmap.MADV_DONTNEED)
        self._view[: len(kept)] = kept

    def sync(self) -> None:
        """Make what was handed over durable."""
        self.flush()
        disk.sync(self._fd, self.path)

    def end(self) -> int:
        """Write the rest, cut reserve and padding, make all durable, close; return the file's size in bytes."""
        self.flush()
        size = self.written + self._filled
        if self._filled:
            self._view[self._filled : disk.PAGE] = bytes(disk.PAGE - self._filled)
            disk.write_at(self._fd, self._view[: disk.PAGE], self.written, self.path)
        if self._filled or self._long:
            disk.truncate(self._fd, size, self.path)
        disk.sync(self._fd, self.path)
        self.close()
        return size

    def close(self) -> None:
        """Let go of the file as it is."""
        if self._fd >= 0:
            self._disk.shutdown()
            os.close(self._fd)
            self._fd = -1
            self._maps = []
            self._view = self._other = memoryview(b"")  # the maps go when nobody looks at them any more

    def _hand_over(self) -> None:
        self._wait()
        whole = self._swap()
        self._pending = self._disk.submit(disk.write_at, self._fd, self._other[:whole], self.written, self.path)
        self._pending_size = whole

    def _wait(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()
            self.written += self._pending_size

    def _swap(self) -> int:
        """Make the other buffer current, with what fills no page; return how many bytes of whole pages the old one holds."""
        whole = self._filled - self._filled % disk.PAGE
        self._other[: self._filled - whole] = self._view[whole : self._filled]
        self._view, self._other = self._other, self._view
        self._filled -= whole
        return whole

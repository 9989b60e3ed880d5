"""A file's bytes as its disk has them, in order: read past the page cache where that can be, the next block while one is used.

A direct read costs a fifth of the processor time of a read through the page cache and can't be answered from RAM. Where there is
none (a tmpfs, some network file systems) the cache is dropped first, and the reads go through it.
"""

import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bodycam.vault import disk
from bodycam.vault.appender import BLOCK


class FromDisk:
    """One open file, read from a page's start to anywhere; used by one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file; what others still hold of it in RAM must be synced before it's read."""
        self._path = path
        self.fd = _open(path)
        self._maps = [mmap.mmap(-1, BLOCK) for _ in range(2)]  # page-aligned, as direct reads want it
        self._ahead: ThreadPoolExecutor | None = None

    @property
    def size(self) -> int:
        """Return the file's length in bytes."""
        return os.fstat(self.fd).st_size

    def blocks(self, start: int, end: int) -> Iterator[memoryview]:
        """Yield the bytes from `start` (a whole page) to `end`, fewer when the file is shorter; a block holds until the next.

        Raises `VaultIoError`.
        """
        disk.drop_cache(self.fd, start, 0)
        block = self._read(0, start, end)
        turn = 0
        while block:
            start += len(block)
            following = self._later().submit(self._read, 1 - turn, start, end) if start < end else None
            yield block
            if following is None:
                return
            block, turn = following.result(), 1 - turn

    def close(self) -> None:
        """Let go of the file."""
        if self._ahead is not None:
            self._ahead.shutdown()
        os.close(self.fd)

    def _later(self) -> ThreadPoolExecutor:
        self._ahead = self._ahead or ThreadPoolExecutor(1, "vault-read")
        return self._ahead

    def _read(self, turn: int, start: int, end: int) -> memoryview:
        count = max(0, min(BLOCK, end - start))
        pages = memoryview(self._maps[turn])[: count + -count % disk.PAGE]
        filled = 0
        with disk.named_errors(self._path):
            while filled < count:
                came = self._read_some(pages[filled:], start + filled)
                filled += came
                if not came or came % disk.PAGE:  # only the end of a file fills no page
                    break
        return pages[: min(filled, count)]

    def _read_some(self, into: memoryview, at: int) -> int:
        try:
            return os.preadv(self.fd, [into], at)
        except OSError as error:
            flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)
            if error.errno != errno.EINVAL or not flags & os.O_DIRECT:
                raise
            fcntl.fcntl(self.fd, fcntl.F_SETFL, flags & ~os.O_DIRECT)  # this disk wants larger steps than a page
            return os.preadv(self.fd, [into], at)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

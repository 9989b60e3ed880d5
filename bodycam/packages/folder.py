"""A package's folder as it lies on the disk: listed without following links, read only as far as the limits go, hashed by all cores.

Nothing of what is read ever becomes a path: only files that the listing found are opened.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bodycam.packages.layout import IGNORED, MAX_FILES, TAG_FILES, fold, is_path
from bodycam.packages.reasons import Reasons

Progress = Callable[[int, int], None]  # bytes done, bytes in all
_BLOCK = 1 << 20
_SLACK = 10  # the tag files, and a few of those that desktops leave


class Folder:
    """The files of a package: `sizes` by path as listed; links and special files are in none of it."""

    def __init__(self, root: Path, reasons: Reasons) -> None:
        """List the folder; what may not be there becomes a reason."""
        self.root = root
        self.sizes: dict[str, int] = {}
        self.ignored: list[str] = []
        self.overflowed = False
        self._reasons = reasons
        self._list()

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a listed file's bytes, or None with its reason: longer than the limit, or the disk refuses."""
        if path not in self.sizes:
            return None
        try:
            descriptor = self._open(path)
            with os.fdopen(descriptor, "rb") as file:
                if os.fstat(descriptor).st_size > limit:
                    self._reasons.add("limit_exceeded", path)
                    return None
                data = file.read(limit + 1)
        except OSError:
            self._reasons.add("file_unreadable", path)
            return None
        if len(data) > limit:
            self._reasons.add("limit_exceeded", path)
            return None
        return data

    def hashes(self, paths: Iterable[str], progress: Progress | None = None) -> Iterator[tuple[str, str | None]]:
        """Begin to hash listed files, the largest first; then yield (path, SHA-256 in hex, or None with its reason when the disk refuses).

        Each file is one core's work, as many at once as there are cores. Whoever stops taking them stops the work.
        """
        ordered = sorted(paths, key=lambda path: -self.sizes[path])
        meter = _Meter(sum(self.sizes[path] for path in ordered), progress)
        pool = ThreadPoolExecutor(os.cpu_count() or 1)
        found = pool.map(lambda path: self._hash(path, meter), ordered)
        return _taken(zip(ordered, found, strict=True), pool, meter)

    def _hash(self, path: str, meter: "_Meter") -> str | None:
        digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
        try:
            descriptor = self._open(path)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
                while not meter.stopped and (count := os.readv(descriptor, [block])):
                    digest.update(block[:count])
                    meter.add(count)
            finally:
                os.close(descriptor)
        except OSError:
            self._reasons.add("file_unreadable", path)
            return None
        return digest.hexdigest()

    def _open(self, path: str) -> int:
        descriptor = os.open(self.root / path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("no plain file any more")
        return descriptor

    def _list(self) -> None:
        folders = [""]
        while folders and not self.overflowed:
            here = folders.pop()
            try:
                with os.scandir(self.root / here) as entries:
                    for entry in entries:
                        self._take(here + entry.name, entry, folders)
            except OSError:
                self._reasons.add("file_unreadable", shown(here) or ".")
        self._find_twins()

    def _take(self, path: str, entry: os.DirEntry[str], folders: list[str]) -> None:
        if entry.is_symlink() or not (entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)):
            self._reasons.add("file_special", shown(path))
        elif entry.name in IGNORED and entry.is_file(follow_symlinks=False):
            self.ignored.append(shown(path))
        elif not is_path(path):
            self._reasons.add("path_forbidden", shown(path))
        elif entry.is_dir(follow_symlinks=False):
            folders.append(f"{path}/")
        elif len(self.sizes) >= MAX_FILES + _SLACK:
            self.overflowed = True
            self._reasons.add("limit_exceeded", "data")
        else:
            self.sizes[path] = entry.stat(follow_symlinks=False).st_size

    def _find_twins(self) -> None:
        seen: set[str] = set()
        for path in sorted(self.sizes):
            if fold(path) in seen:
                self._reasons.add("path_twin", path)
            seen.add(fold(path))


def shown(path: str) -> str:
    """Return any file name as text that can be printed."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in path)[:400]


def missing_tags(folder: Folder) -> list[str]:
    """Return the tag files that are not there."""
    return [path for path in TAG_FILES if path not in folder.sizes]


def _taken(
    found: Iterator[tuple[str, str | None]], pool: ThreadPoolExecutor, meter: "_Meter"
) -> Iterator[tuple[str, str | None]]:
    try:
        yield from found
    finally:
        meter.stopped = True
        pool.shutdown(wait=True, cancel_futures=True)


class _Meter:
    """Adds up what the threads did, and tells it."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._progress, self._done = total, progress, 0
        self._lock = threading.Lock()
        self.stopped = False

    def add(self, count: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._done += count
            self._progress(self._done, self._total)

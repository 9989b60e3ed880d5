"""Every call of the vault that changes a disk, in one place, so that tests can cut the power between any two of them.

A full disk becomes `VaultFullError` and a failing one `VaultIoError` here and nowhere else. Files are made with mode 0600 and
folders with 0700. A name is durable only after `sync_folder`.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodycam.vault.errors import VaultFullError, VaultIoError

PAGE = 4096
KEPT_FREE = 32 << 20  # bytes that sealing leaves: the database and the log must still be able to say what happened
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn ENOSPC, EDQUOT and EIO into the vault's own errors; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise VaultFullError(path=path.parent) from error
        if error.errno == errno.EIO:
            raise VaultIoError(path=path, reason=error.strerror) from error
        raise


def create(path: Path, direct: bool = False) -> int:
    """Create a file that must not exist yet and return its descriptor; `direct` writes past the page cache if it can."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with named_errors(path):
        if direct:
            try:
                return os.open(path, flags | os.O_DIRECT, 0o600)
            except OSError as error:  # EINVAL: this file system has no direct writes; some leave the new file behind
                if error.errno != errno.EINVAL:
                    raise
                path.unlink(missing_ok=True)
        return os.open(path, flags, 0o600)


def write_at(fd: int, data: bytes | memoryview, at: int, path: Path) -> None:
    """Write all of `data` at byte `at`; a short write goes on from the last whole page."""
    rest = memoryview(data)
    with named_errors(path):
        while rest:
            done = os.pwrite(fd, rest, at)
            if done < len(rest):
                done -= done % PAGE
            if not done:
                raise VaultIoError(path=path, reason="short write")
            rest, at = rest[done:], at + done


def sync(fd: int, path: Path) -> None:
    """Make the file's bytes durable (fsync)."""
    with named_errors(path):
        os.fsync(fd)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with named_errors(path):
            os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Create a folder (0700) and the parents it lacks, each made durable in its own parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with named_errors(path):
        path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def truncate(fd: int, size: int, path: Path) -> None:
    """Cut the file to `size` bytes."""
    with named_errors(path):
        os.ftruncate(fd, size)


def link(source: Path, target: Path) -> None:
    """Give the file a second name; raises FileExistsError rather than overwrite."""
    with named_errors(target):
        os.link(source, target)


def replace(source: Path, target: Path) -> None:
    """Rename over whatever has the target's name. Only for spool segments and envelopes, never for an object."""
    with named_errors(target):
        source.replace(target)


def remove(path: Path) -> None:
    """Remove a name if it is there."""
    path.unlink(missing_ok=True)


def protect(path: Path) -> None:
    """Make the file read-only for its owner, and nothing for others."""
    path.chmod(0o400)


def drop_cache(fd: int, start: int, length: int) -> None:
    """Forget the cached clean pages of a range, so that the next read comes from the disk. Length 0 means to the end."""
    os.posix_fadvise(fd, start, length, os.POSIX_FADV_DONTNEED)


def read_into(fd: int, buffer: memoryview, at: int, path: Path) -> int:
    """Fill the buffer from byte `at` and return how much came; less only at the end of the file.

    Bulk reads use this with one buffer again and again: a fresh 1 MiB of bytes for each read costs more than the reading.
    """
    filled = 0
    with named_errors(path):
        while filled < len(buffer) and (came := os.preadv(fd, [buffer[filled:]], at + filled)):
            filled += came
    return filled


def read_at(fd: int, length: int, at: int, path: Path) -> bytes:
    """Return up to `length` bytes at `at`; fewer only at the end of the file."""
    buffer = bytearray(length)
    return bytes(memoryview(buffer)[: read_into(fd, memoryview(buffer), at, path)])


def reserve(fd: int, size: int, path: Path) -> None:
    """Allocate the file's first `size` bytes now, so a full disk shows before copying; its length grows with it.

    The last `KEPT_FREE` bytes of the disk count as taken.
    """
    if not size:
        return
    free = os.fstatvfs(fd)
    # asked first: a failing allocation fills the disk for everybody meanwhile
    if free.f_bavail * free.f_frsize < size + KEPT_FREE:
        raise VaultFullError(path=path.parent)
    with named_errors(path):
        os.posix_fallocate(fd, 0, size)


def write_file(path: Path, data: bytes) -> None:
    """Create a small file that must not exist, with synced content; its name is durable after `sync_folder`."""
    fd = create(path)
    try:
        write_at(fd, data, 0, path)
        sync(fd, path)
    finally:
        os.close(fd)

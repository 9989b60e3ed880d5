"""Files that are whole or absent, also after a power cut.

A file is written aside, synced, moved into place, and its folder (with each parent just made) is synced. 0600 in 0700: the
entries, the keys and the receipts are private.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bodycam.errors import DiskFullError


def write_durably(path: Path, data: bytes) -> None:
    """Put a file in place, over an older one if there is one; when this returns, it lasts.

    Raises:
        DiskFullError, OSError: the disk is full or fails; the older file, if any, is unharmed.
    """
    write_lines(path, (data,))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """As `write_durably`, piece by piece: nothing but one piece is in memory; on any error the older file stays."""
    with _full_by_name(path):
        make_folder(path.parent)
        aside = path.with_name(f".{path.name}.new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(descriptor)
        aside.replace(path)
        sync_folder(path.parent)


@contextmanager
def _full_by_name(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise DiskFullError(path=path) from error


def make_folder(path: Path) -> None:
    """Make a folder and its missing parents, 0700, and sync the entry of each one made."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

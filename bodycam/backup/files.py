"""Files that are copied with their hash and read back from the disk, and the list of them: `files.sha256`, as `sha256sum -c` reads it."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bodycam.backup.errors import BackupDamagedError
from bodycam.custody.durable import make_folder

LIST = "files.sha256"
Progress = Callable[[str, int], None]  # what is being done, and how many bytes more of it are done
_BLOCK = 1 << 20
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True)
class Listed:
    """A file of a backup: its path in it, and the SHA-256 (hex) of what was written."""

    path: str
    sha256: str


def copy(source: Path, target: Path, progress: Progress, what: str) -> str:
    """Copy a file durably (0600, a new one) and return the SHA-256 of what the source gave; names last after `sync_tree`."""
    digest = hashlib.sha256()
    make_folder(target.parent)
    with source.open("rb") as reader, os.fdopen(_create(target), "wb") as writer:
        while block := reader.read(_BLOCK):
            digest.update(block)
            writer.write(block)
            progress(what, len(block))
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def write(target: Path, data: bytes) -> str:
    """Write a new small file durably and return its SHA-256."""
    make_folder(target.parent)
    with os.fdopen(_create(target), "wb") as writer:
        writer.write(data)
        writer.flush()
        os.fsync(writer.fileno())
    return hashlib.sha256(data).hexdigest()


def hash_from_disk(path: Path, progress: Progress, what: str) -> str:
    """Return a file's SHA-256 as the disk has it, not the page cache."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(_BLOCK):
            digest.update(block)
            progress(what, len(block))
    return digest.hexdigest()


def sync_tree(root: Path) -> None:
    """Make all names in a folder durable, and the folder's own in its parent."""
    for folder in (*(Path(place) for place, _, _ in os.walk(root)), root.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_list(root: Path, listed: list[Listed]) -> str:
    """Write the list of files and return its own SHA-256."""
    return write(root / LIST, "".join(f"{file.sha256}  {file.path}\n" for file in listed).encode())


def read_list(root: Path, sha256: str) -> Iterator[Listed]:
    """Yield what a backup lists, after the list itself agreed with its hash; raises `BackupDamagedError`."""
    path = root / LIST
    try:
        text = path.read_bytes()
    except OSError as error:
        raise damaged(root, f"{LIST}: {error.strerror}") from None
    if hashlib.sha256(text).hexdigest() != sha256:
        raise damaged(root, f"{LIST} was changed", f"{LIST} đã bị thay đổi")
    for line in text.decode("utf-8", errors="replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is None or not _stays_inside(match[2]):
            raise damaged(root, f"{LIST} names something else than a file in it", f"{LIST} có dòng không hợp lệ")
        yield Listed(match[2], match[1])


def check(root: Path, file: Listed, progress: Progress, what: str) -> None:
    """Hold a file against its line in the list; raises `BackupDamagedError`."""
    path = root / file.path
    if any(part.is_symlink() for part in (path, *path.parents) if part != root and part.is_relative_to(root)):
        raise damaged(root, f"{file.path} is a link", f"{file.path} là liên kết")
    try:
        found = hash_from_disk(path, progress, what)
    except OSError as error:
        raise damaged(root, f"{file.path}: {error.strerror}") from None
    if found != file.sha256:
        raise damaged(root, f"{file.path} was changed or cut", f"{file.path} đã bị thay đổi hoặc bị cắt")


def clear(path: Path) -> None:
    """Remove what an interrupted restore of ours left aside."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def damaged(root: Path, reason: str, reason_vi: str | None = None) -> BackupDamagedError:
    """Return the error that names a backup and what is wrong with it."""
    return BackupDamagedError(path=root, reason=reason, reason_vi=reason_vi or reason)


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _stays_inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and "\\" not in path and "\x00" not in path

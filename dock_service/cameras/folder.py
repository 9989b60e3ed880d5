"""A folder as a camera: an SD card's copy, a mounted card, or the folder a vendor's own dock writes to.

Identity: the profile's identity file in the root (`ID.txt` by default), else the folder's name and resolved path. Links are not followed and only plain files
count, so nothing outside the folder is ever read, and no device or pipe is opened. A folder that vanished raises; it is never
taken for empty. A folder inside that can't be looked into, lies too deep or leads back into itself (a broken FAT does) is
listed by its own name, so that it ends as a problem of that name and never stops the others.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Generator
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from dock_service.cameras.camera import (
    CameraFile,
    CameraIdentity,
    CameraStorage,
    ClockReading,
    safe_path,
    unique_paths,
)
from dock_service.cameras.identity_file import identity_on, is_identity_file
from dock_service.cameras.medium import Medium
from dock_service.errors import CameraGoneError, CameraReadOnlyError, FileReplacedError, FileUnreadableError
from dock_service.profiles.profile import Identity

BLOCK = 2 << 20
MAX_DEPTH = 32
MAX_ENTRIES = 200_000
_Found = tuple[str, Path, os.stat_result]
_Look = tuple[tuple[str, int, int, int], ...]  # a folder as it looks: name, kind, size and time of each entry


class FolderCamera:
    """Reads a folder; see `Camera` for what each method promises."""

    def __init__(self, root: Path, medium: Medium | None = None, identity: Identity | None = None) -> None:
        """Take an existing folder, what it lies on when that is more than a folder, and where its camera says who it is."""
        self._rule = identity or Identity()
        self._medium = medium or Medium()
        self._root = root.resolve()
        self._device = self._stat_root().st_dev
        self._keys: dict[Path, int] = {}  # a file keeps its key however often the folder is listed
        self._places: dict[int, Path] = {}
        self._closed: dict[Path, str] = {}  # folders inside that can't be looked into, and why
        self._identity = self._who()

    @property
    def identity(self) -> CameraIdentity:
        """Return who it is."""
        return self._identity

    def _who(self) -> CameraIdentity:
        record = identity_on(self._root, self._rule)
        if record is not None:
            return CameraIdentity(safe_path((record.serial,)), "", "folder", record.officer)
        digest = hashlib.sha256(os.fsencode(self._root)).hexdigest()[:12]
        return CameraIdentity(f"{self._root.name}-{digest}", "", "folder")

    def _stat_root(self) -> os.stat_result:
        try:
            return self._root.stat()
        except OSError as error:
            raise CameraGoneError(camera=str(self._root)) from error

    def list_files(self) -> list[CameraFile]:
        """List the plain files below the folder, ordered by path; the identity file is no recording."""
        found: list[_Found] = []
        self._closed = {}
        self._walk(self._root, (), (), found)
        try:
            self._medium.check()
        except OSError as error:
            raise CameraGoneError(camera=self._identity.serial) from error
        if self._stat_root().st_dev != self._device:
            raise CameraGoneError(camera=self._identity.serial)
        found.sort(key=lambda item: (item[0], str(item[1])))
        names = unique_paths([name for name, _, _ in found])
        keys = [self._keys.setdefault(place, len(self._keys)) for _, place, _ in found]
        self._places |= {key: place for key, (_, place, _) in zip(keys, found, strict=True)}
        return [_file(name, info, key) for key, name, (_, _, info) in zip(keys, names, found, strict=True)]

    def _walk(self, folder: Path, parts: tuple[str, ...], above: tuple[_Look, ...], found: list[_Found]) -> None:
        """Add what lies in a folder and below; `above` is how the folders around it look."""
        try:
            looked = [(entry, entry.stat(follow_symlinks=False)) for entry in self._medium.entries(folder)]
            look = tuple((entry.name, info.st_mode, info.st_size, info.st_mtime_ns) for entry, info in looked)
            _refuse_endless(len(parts), len(found) + len(looked), look in above and _holds_files(look))
        except OSError as error:
            if self._medium.is_gone(error) or not self._root.is_dir():
                raise CameraGoneError(camera=self._identity.serial) from error
            if not parts:
                raise FileUnreadableError(path=str(folder), detail=error.strerror) from error
            self._closed[folder] = error.strerror or ""
            found.append((safe_path(parts), folder, self._stat_root()))
            return
        for entry, info in looked:
            inner = (*parts, entry.name)
            if stat.S_ISDIR(info.st_mode):
                self._walk(Path(entry.path), inner, (*above, look), found)
            elif stat.S_ISREG(info.st_mode) and (parts or not is_identity_file(entry.name, self._rule)):
                found.append((safe_path(inner), Path(entry.path), info))

    def read(self, file: CameraFile, offset: int = 0) -> Generator[bytes]:
        """Yield the file's bytes from `offset` to its end, 2 MiB at a time."""
        place = self._places[file.key]
        if place in self._closed:
            raise FileUnreadableError(path=file.path, detail=self._closed[place])
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._trouble(file, error) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was one when it was listed
                raise FileUnreadableError(path=file.path, detail="not a plain file")
            self._medium.begin(descriptor, offset)
            while data := self._medium.read(descriptor, BLOCK, offset):
                offset += len(data)
                yield data
        except OSError as error:
            raise self._trouble(file, error) from error
        finally:
            os.close(descriptor)

    def _trouble(self, file: CameraFile, error: OSError) -> CameraGoneError | FileUnreadableError:
        if self._medium.is_gone(error) or not self._root.is_dir():
            return CameraGoneError(camera=self._identity.serial)
        return FileUnreadableError(path=file.path, detail=os.strerror(error.errno or 0))

    def refresh(self, file: CameraFile) -> CameraFile | None:
        """Stat the file again; None when it is gone while the folder is still there."""
        self._stat_root()
        try:
            info = self._places[file.key].lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._trouble(file, error) from error
        return _file(file.path, info, file.key) if stat.S_ISREG(info.st_mode) else None

    def clock(self) -> ClockReading | None:
        """Return None: a folder has no clock."""
        return None

    def read_times_in(self, zone: tzinfo) -> bool:  # noqa: ARG002  the shape of every camera
        """Return False: its card's times were made UTC when it was mounted."""
        return False

    def set_clock(self, to: datetime) -> bool:  # noqa: ARG002  the shape of every camera
        """Return False: a folder has no clock."""
        return False

    def delete(self, file: CameraFile) -> None:
        """Refuse: a folder is only ever read."""
        raise CameraReadOnlyError(camera=self._identity.serial, path=file.path)

    def remove(self, file: CameraFile) -> None:
        """Delete a listed file for good. Not a camera's `delete`: a card that was made writable for it calls this."""
        place = self._places[file.key]
        try:
            if not place.parent.resolve(strict=True).is_relative_to(self._root):  # a link came in its way
                raise FileReplacedError(path=file.path)
            place.unlink()
            folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._trouble(file, error) from error

    def changed(self) -> bool:
        """Return False: a folder says nothing by itself."""
        return False

    def battery(self) -> int | None:
        """Return None: a folder has no battery."""
        return None

    def storage(self) -> CameraStorage | None:
        """Return the space of the file system it lies on."""
        try:
            space = os.statvfs(self._root)
        except OSError as error:
            raise CameraGoneError(camera=self._identity.serial) from error
        return CameraStorage(space.f_blocks * space.f_frsize, space.f_bavail * space.f_frsize)

    def close(self) -> None:
        """Do nothing: every file is closed after its read."""


def _holds_files(look: _Look) -> bool:
    return any(stat.S_ISREG(mode) for _, mode, _, _ in look)


def _refuse_endless(depth: int, count: int, is_loop: bool) -> None:
    """Raise OSError for a folder that is not to be looked into: a loop looks the same again as a folder around it."""
    if is_loop:
        raise OSError(errno.ELOOP, "the folder leads back into itself")
    if depth >= MAX_DEPTH:
        raise OSError(errno.ELOOP, f"more than {MAX_DEPTH} folders deep")
    if count > MAX_ENTRIES:
        raise OSError(errno.EFBIG, f"more than {MAX_ENTRIES} entries")


def _file(path: str, info: os.stat_result, key: int) -> CameraFile:
    modified = datetime.fromtimestamp(info.st_mtime, UTC) if abs(info.st_mtime) < 1e11 else None  # noqa: PLR2004  year 5138
    return CameraFile(path, info.st_size, str(info.st_mtime_ns), modified, key)

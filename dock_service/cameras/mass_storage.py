"""A mass-storage camera: its volumes, mounted read-only, each read as a folder.

Files of the first unit's first volume are listed as they lie; those of others (an SD card beside the built-in memory) under
"lun1/", "lun0-2/"…. A volume without a file system we read, and a card that fails while it is listed, are listed by a name of
their own, so that the camera never turns green while something on it may not have been seen. A pulled camera's folders look
empty: after every listing the device itself is asked.
"""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

from bodycam.errors import BodycamError
from dock_service.cameras.camera import CameraFile, CameraIdentity, CameraStorage, ClockReading, unique_paths
from dock_service.cameras.folder import FolderCamera
from dock_service.cameras.medium import Medium
from dock_service.cameras.switching import Before
from dock_service.errors import CameraGoneError, CardDamagedError, FileReplacedError, SizeImpossibleError
from dock_service.profiles.profile import Identity

_LOOKS = 3  # times a card is listed that fails while it is listed


@dataclass(frozen=True)
class Card:
    """One volume: the folder its files are listed under ("" for the first), and where it is mounted, or why it is not."""

    name: str
    prefix: str
    root: Path | None = None
    medium: Medium | None = None
    error: BodycamError | None = None


class Storage(Protocol):
    """The volumes of one camera while it is plugged in."""

    def cards(self) -> Sequence[Card]:
        """Return its volumes, mounting those that are new; raises CameraGoneError, StorageNotReadyError, MountFailedError."""
        ...

    def settle(self) -> None:
        """Wait until no more volumes are to be expected."""
        ...

    def check(self) -> None:
        """Raise CameraGoneError unless the device is there and answers."""
        ...

    def read_errors(self) -> int:
        """Return how many reads have failed on the device so far."""
        ...

    def writable(self, card: Card) -> AbstractContextManager[None]:
        """Let files of a card be deleted while the block runs."""
        ...

    def close(self) -> None:
        """Take the mounts away; never raises."""
        ...


class MassStorageCamera:
    """Reads mounted volumes; see `Camera` for what each method promises."""

    def __init__(
        self,
        storage: Storage,
        identity: CameraIdentity,
        before: Before | None = None,
        rule: Identity | None = None,
    ) -> None:
        """Take a storage whose cards are mounted.

        `before` is what the camera said before it changed over to drives; `rule` says which file names it, which is no recording.
        """
        self._rule = rule
        self._storage = storage
        self._identity = identity
        self._before = before
        self._folders: dict[str, FolderCamera] = {}
        self._cards: list[Card] = []
        self._keys: dict[tuple[str, int], int] = {}  # a file keeps its key however often the cards are listed
        self._files: dict[int, tuple[Card, CameraFile]] = {}
        self._broken: dict[int, BodycamError] = {}

    @property
    def identity(self) -> CameraIdentity:
        """Return who it is."""
        return self._identity

    def list_files(self) -> list[CameraFile]:
        """List the files of all its volumes, ordered by path; a later listing misses no card that was slow to come."""
        if self._cards:
            self._storage.settle()
        for _ in range(_LOOKS):
            before = self._storage.read_errors()
            files = self._list()
            self._storage.check()
            if self._storage.read_errors() == before:
                return files
        return [*files, self._as_broken("card", CardDamagedError(camera=self._identity.serial))]

    def _list(self) -> list[CameraFile]:
        found: list[tuple[str, Card, CameraFile]] = []
        self._broken, self._cards = {}, list(self._storage.cards())
        broken = [(card, card.error) for card in self._cards if card.error is not None]
        for card in self._cards:
            if card.error is None:
                under = f"{card.prefix}/" if card.prefix else ""
                found += [(under + file.path, card, file) for file in self._listed(card)]
        found.sort(key=lambda item: item[0])
        names = unique_paths([path for path, _, _ in found])
        files = [self._known(card, file, name) for name, (_, card, file) in zip(names, found, strict=True)]
        return files + [self._as_broken(card.prefix or "lun0", error) for card, error in broken]

    def _known(self, card: Card, file: CameraFile, path: str) -> CameraFile:
        key = self._keys.setdefault((card.name, file.key), len(self._keys))
        self._files[key] = (card, file)
        return replace(file, path=path, key=key)

    def _listed(self, card: Card) -> list[CameraFile]:
        try:
            return self._folder(card).list_files()
        except CameraGoneError as error:
            raise CameraGoneError(camera=self._identity.serial) from error

    def _folder(self, card: Card) -> FolderCamera:
        if card.name not in self._folders:
            assert card.root is not None
            self._folders[card.name] = FolderCamera(card.root, card.medium, self._rule)
        return self._folders[card.name]

    def _as_broken(self, path: str, error: BodycamError) -> CameraFile:
        key = -1 - len(self._broken)
        self._broken[key] = error
        return CameraFile(path, 0, "", None, key)

    def read(self, file: CameraFile, offset: int = 0) -> Generator[bytes]:
        """Yield the file's bytes from `offset` to its end; one that claims more than its card holds is refused."""
        if file.key in self._broken:
            raise self._broken[file.key]
        card, inner = self._files[file.key]
        folder = self._folder(card)
        space = folder.storage()
        if space is not None and file.size > space.capacity:
            raise SizeImpossibleError(path=file.path, size=file.size, capacity=space.capacity)
        try:
            yield from folder.read(replace(inner, path=file.path), offset)
        except CameraGoneError as error:
            raise CameraGoneError(camera=self._identity.serial) from error

    def refresh(self, file: CameraFile) -> CameraFile | None:
        """Look at the file again; None when it is gone while the camera is still there."""
        if file.key in self._broken:
            return file
        card, inner = self._files[file.key]
        again = self._folder(card).refresh(replace(inner, path=file.path))
        if again is None:
            self._storage.check()
            return None
        return replace(again, key=file.key)

    def clock(self) -> ClockReading | None:
        """Return None: a drive has no clock to be read."""
        return None

    def read_times_in(self, zone: tzinfo) -> bool:  # noqa: ARG002  the shape of every camera
        """Return False: its card's times were made UTC when it was mounted."""
        return False

    def set_clock(self, to: datetime) -> bool:  # noqa: ARG002  the shape of every camera
        """Tell whether its clock was set a moment ago, before it changed over to drives; as a drive it can't be."""
        return self._before is not None and self._before.clock_set

    def delete(self, file: CameraFile) -> None:
        """Delete one listed file: its card is writable just for that, and read-only again afterwards."""
        if file.key in self._broken:
            raise self._broken[file.key]
        card, inner = self._files[file.key]
        folder = self._folder(card)
        with self._storage.writable(card):
            again = folder.refresh(inner)
            if again is None or (again.size, again.modified_raw) != (inner.size, inner.modified_raw):
                raise FileReplacedError(path=file.path)
            folder.remove(replace(inner, path=file.path))
        self._storage.check()

    def changed(self) -> bool:
        """Return False: a drive says nothing by itself."""
        return False

    def battery(self) -> int | None:
        """Return what it said before it changed over to drives."""
        return None if self._before is None else self._before.battery

    def storage(self) -> CameraStorage | None:
        """Sum its volumes."""
        spaces = [self._folder(card).storage() for card in self._cards or self._storage.cards() if card.error is None]
        known = [space for space in spaces if space is not None]
        if not known:
            return None
        return CameraStorage(sum(space.capacity for space in known), sum(space.free for space in known))

    def close(self) -> None:
        """Unmount it."""
        self._storage.close()

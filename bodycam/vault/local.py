"""The vault: sealed objects in a main folder, and copies of them in further places.

The order is the promise: the bytes are written, synced and **read back from the disk** and agree with the hash of what the
source gave; then envelope and manifest are durable; only then does the object get its name, by `link()`, which never
overwrites; then the folder is synced. Further copies follow in the same order, each read back from its own disk. The catalogue's
transaction comes after that and is the caller's. Only `destroy` deletes an object; the sweep touches what was left aside alone.
"""

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from bodycam.errors import BodycamError
from bodycam.vault import disk
from bodycam.vault.envelope import open_envelope, read_key, write_envelope
from bodycam.vault.errors import (
    CopiesMissingError,
    DamagedObjectError,
    KeyMissingError,
    ObjectMissingError,
    PlaceAwayError,
    PlaceUnknownError,
    VaultFullError,
    VaultIoError,
)
from bodycam.vault.keyring import Keyring
from bodycam.vault.label import MAIN
from bodycam.vault.manifest import open_manifest, seal_manifest
from bodycam.vault.places import Destroyed, LocalPlace, Place, VerifyResult
from bodycam.vault.reader import SealedReader
from bodycam.vault.sealed_file import copy_file
from bodycam.vault.spool import Spooled

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)
_ELSEWHERE = (ObjectMissingError, DamagedObjectError, VaultIoError, PlaceAwayError)


@dataclass(frozen=True)
class SealedObject:
    """What was sealed: its id (SHA-256 of the sealed bytes), the original's SHA-256 and size, the sealed size (bytes).

    `copies` names the places that hold it, verified; a configured place that isn't named could not take it.
    """

    object_id: str
    sha256: str
    size: int
    cipher_size: int
    copies: tuple[str, ...] = ()


class Vault:
    """One main folder of sealed objects, and the places that hold copies of them."""

    def __init__(self, root: Path, keyring: Keyring, copies: Sequence[Place] = (), required: int = 1) -> None:
        """Use the folder (0700), creating it the first time; `required` copies, the main one counted, make a sealing complete.

        Raises `KeyMissingError` when another key sealed this vault, `VaultMissingError` when it was here and is not any more.
        A further place that is away is no error before it's needed.
        """
        self.root = root
        self.keyring = keyring
        self.required = required
        self._main = LocalPlace(MAIN, root, keyring)
        self._main.attach()
        self.places: tuple[Place, ...] = (self._main, *copies)

    def seal(self, spooled: Spooled, manifest: Mapping[str, object]) -> SealedObject:
        """Give a finished attempt its place and its copies, verified and durable. Repeating it gives the same object.

        May run in another thread or process than the writing. The caller then commits the catalogue row and the custody
        event, and discards the attempt. Raises `DamagedObjectError` (the attempt is kept: discard it and copy again),
        `VaultFullError`, `VaultIoError`, `CopiesMissingError`.
        """
        key = spooled.segment.key(self.keyring)
        aside, linked = self._put_aside(spooled)
        try:
            reading = spooled.read_back(key, None if linked else aside)
            object_id = reading.object_id
            envelope = write_envelope(object_id, key, self.keyring)
            self._main.settle(aside, object_id, envelope, seal_manifest(key, manifest, spooled.sha256, spooled.size))
        finally:
            disk.remove(aside)
        return SealedObject(object_id, spooled.sha256, spooled.size, reading.sealed, self._spread(object_id))

    def open(self, object_id: str) -> SealedReader:
        """Open an object to read any range, from the first place that has it whole as far as a look at its two ends tells.

        Raises, when none has, what the main place says: `ObjectMissingError`, `DamagedObjectError`, `KeyMissingError`,
        `VaultIoError`.
        """

        def opened(place: Place) -> SealedReader:
            told, rest = self._manifest(place, object_id), self.places[self.places.index(place) + 1 :]
            following = partial(self._from_any, object_id, opened, rest) if rest else None
            key = self._key(place, object_id)
            return SealedReader(object_id, place.open(object_id), key, str(told["sha256"]), following)

        return self._from_any(object_id, opened)

    def holds(self, object_id: str) -> bool:
        """Tell whether an object can be opened and has its length: a quick look at its two ends, no scrub."""
        try:
            with self.open(object_id):
                return True
        except _ELSEWHERE:
            return False

    def manifest(self, object_id: str) -> dict[str, object]:
        """Return the decrypted manifest; raises like `open`."""
        return self._from_any(object_id, lambda place: self._manifest(place, object_id))

    def verify(self, object_id: str) -> VerifyResult:
        """Re-read the main copy from the disk and compare it with its name; open its envelope and manifest."""
        return self.verify_copy(object_id, MAIN)

    def verify_copy(self, object_id: str, place_name: str) -> VerifyResult:
        """Re-read one place's copy as its disk has it and compare it with its name; open its envelope and manifest.

        The problem codes are those of `VerifyResult`; raises `PlaceUnknownError`.
        """
        place = self.place(place_name)
        try:
            return self._verify(place, object_id)
        except PlaceAwayError:
            return VerifyResult(object_id, 0, ("place_away",))
        except VaultIoError:
            return VerifyResult(object_id, 0, ("object_unreadable",))

    def copy_to(self, object_id: str, place_name: str) -> None:
        """Bring an object from the first place that has it whole to another; what is there whole already stays.

        Raises `PlaceUnknownError`, `DamagedObjectError`, `ObjectMissingError`, and what writing there raises.
        """
        target = self.place(place_name)

        def copied(place: Place) -> None:
            self._transfer(object_id, place, target, instead=False)

        self._from_any(object_id, copied, [place for place in self.places if place is not target])

    def repair(self, object_id: str, from_place: str, to_place: str) -> None:
        """Replace a missing or damaged copy by a good one, which is verified first; a copy that is whole is left alone.

        The bad one stays until the new bytes were read back. Raises `DamagedObjectError` when the source isn't whole,
        `PlaceAwayError`, `PlaceUnknownError`, and what writing raises.
        """
        source, target = self.place(from_place), self.place(to_place)
        found = self.verify_copy(object_id, from_place)
        if not found.ok:
            raise DamagedObjectError(object_id=object_id, reason=f"{from_place}: {', '.join(found.problems)}")
        if not self.verify_copy(object_id, to_place).ok:
            self._transfer(object_id, source, target, instead=True)

    def destroy(self, object_id: str) -> list[Destroyed]:
        """Remove every place's copy with its envelope and manifest, and tell place by place; repeat it for what is not ok."""
        told = []
        for place in self.places:
            try:
                place.remove(object_id)
                told.append(Destroyed(place.name, ok=True))
            except BodycamError as error:
                _log.warning("vault.not_destroyed", place=place.name, object=object_id, error=error.code)
                told.append(Destroyed(place.name, ok=False, reason=error.code))
        return told

    def place(self, name: str) -> Place:
        """Return a place by name; raises `PlaceUnknownError`."""
        for place in self.places:
            if place.name == name:
                return place
        raise PlaceUnknownError(place=name, known=", ".join(place.name for place in self.places))

    def iter_objects(self, after: str = "") -> Iterator[str]:
        """Yield the ids of all objects of the main place greater than `after`, in order."""
        return self._main.ids(after)

    def sweep(self) -> int:
        """Remove what sealings that died left aside over a day ago; return how many files. A place that is away waits."""
        count = 0
        for place in self.places:
            try:
                count += place.sweep()
            except (PlaceAwayError, VaultIoError) as error:
                _log.warning("vault.not_swept", place=place.name, error=error.code)
        return count

    def _spread(self, object_id: str) -> tuple[str, ...]:
        """Bring a sealed object to all further places; too few copies stop the sealing, a place beyond that is only named."""
        made, failed = [MAIN], list[tuple[str, BodycamError]]()
        for place in self.places[1:]:
            try:
                self._transfer(object_id, self._main, place, instead=False)
                made.append(place.name)
            except BodycamError as error:
                _log.warning("vault.copy_failed", place=place.name, object=object_id, error=error.code)
                failed.append((place.name, error))
        if len(made) < self.required:
            for _, problem in failed:
                if isinstance(problem, VaultFullError):
                    raise problem
            reasons = "; ".join(f"{name} ({problem})" for name, problem in failed)
            raise CopiesMissingError(made=len(made), required=self.required, reasons=reasons)
        return tuple(made)

    def _transfer(self, object_id: str, source: Place, target: Place, *, instead: bool) -> None:
        envelope, manifest = source.beside(object_id, ".env"), source.beside(object_id, ".manifest")
        sealed = source.open(object_id)
        try:
            target.put(object_id, sealed, envelope, manifest, instead=instead)
        finally:
            sealed.close()

    def _from_any(self, object_id: str, action: Callable[[Place], _T], places: Sequence[Place] | None = None) -> _T:
        first: BodycamError | None = None
        for place in self.places if places is None else places:
            try:
                return action(place)
            except _ELSEWHERE as error:
                first = first or error
                _log.warning("vault.copy_unusable", place=place.name, object=object_id, error=error.code)
        raise first or ObjectMissingError(object_id=object_id)

    def _verify(self, place: Place, object_id: str) -> VerifyResult:
        found = place.verify(object_id)
        if set(found.problems) - {"object_damaged"}:
            return found
        size, problems = found.cipher_size, found.problems
        try:
            key = open_envelope(object_id, place.beside(object_id, ".env"), self.keyring)
        except KeyMissingError:
            return VerifyResult(object_id, size, (*problems, "key_missing"))
        except DamagedObjectError:
            return VerifyResult(object_id, size, (*problems, "envelope_damaged"))
        try:
            told = self._manifest(place, object_id)["size"]
            if not problems:
                with SealedReader(object_id, place.open(object_id), key, "") as reader:
                    problems = problems if reader.size == told else ("size_mismatch",)
        except DamagedObjectError:
            problems = (*problems, "manifest_damaged")
        return VerifyResult(object_id, size, problems)

    def _put_aside(self, spooled: Spooled) -> tuple[Path, bool]:
        """Bring the sealed bytes into `tmp/`: by link, or by copy from another file system."""
        aside = self._main.new_aside()
        try:
            disk.link(spooled.segment.path, aside)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP}:
                raise
            copy_file(spooled.segment.path, aside)
            return aside, False
        return aside, True

    def _key(self, place: Place, object_id: str) -> bytes:
        return read_key(object_id, place.beside(object_id, ".env"), self.keyring)

    def _manifest(self, place: Place, object_id: str) -> dict[str, object]:
        return open_manifest(object_id, self._key(place, object_id), place.beside(object_id, ".manifest"))

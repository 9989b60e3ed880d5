"""Where copies of sealed objects lie. Every place keeps the same three things per object and the same order of writing them.

A place knows no keys: it stores sealed bytes under their SHA-256, with the key envelope (`.env`) and the encrypted manifest
(`.manifest`) beside, and can check the bytes against their name alone. What a place has acknowledged was synced, read back from
its disk and agreed with the object's id. The first place is the main one; the others are copies of it.
"""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bodycam.errors import BodycamError
from bodycam.vault import disk, label
from bodycam.vault.errors import (
    DamagedObjectError,
    KeyDamagedError,
    KeyMissingError,
    ObjectMissingError,
    PlaceAwayError,
    VaultFullError,
    VaultIoError,
    VaultMissingError,
)
from bodycam.vault.keyring import Keyring
from bodycam.vault.sealed_file import HashBehind, OpenFile, SealedBytes, hash_from_disk, write

_ID = re.compile(r"[0-9a-f]{64}")
_SWEEP_AFTER_S = 24 * 3600

Suffix = Literal[".env", ".manifest"]


@dataclass(frozen=True)
class VerifyResult:
    """What a check of one copy found: no problem codes means the object, its envelope and its manifest are as they were sealed.

    Codes: place_away (nothing can be said: its disk isn't mounted, its server doesn't answer), object_missing,
    object_unreadable (the disk refuses), object_damaged, size_mismatch, envelope_damaged, key_missing, manifest_damaged.
    """

    object_id: str
    cipher_size: int
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems


class Place(Protocol):
    """One place for copies. Every method raises `PlaceAwayError` when the place can't be reached, `VaultIoError` when it fails."""

    @property
    def name(self) -> str:
        """Return "main", "second" or "s3"."""

    def probe(self) -> None:
        """Do nothing but reach the place, and bind it to the vault's key the first time; a wrong key counts as away."""

    def bind(self, retired: str = "") -> None:
        """Write into the place's label which keys open it now; nothing is wrapped any more by the key `retired`."""

    def put(
        self, object_id: str, source: SealedBytes, envelope: bytes, manifest: bytes, *, instead: bool = False
    ) -> None:
        """Store a copy by the whole commit protocol; one that is already here is read back instead.

        With `instead` what lies here is damaged and gets replaced, once the new bytes were read back. Raises
        `DamagedObjectError` when the copy doesn't read back as `object_id`, `VaultFullError`.
        """

    def open(self, object_id: str) -> SealedBytes:
        """Open the sealed bytes; raises `ObjectMissingError`."""

    def size(self, object_id: str) -> int:
        """Return the sealed bytes' number; raises `ObjectMissingError`."""

    def read(self, object_id: str, offset: int, length: int) -> bytes:
        """Return up to `length` sealed bytes from `offset`; raises `ObjectMissingError`."""

    def beside(self, object_id: str, suffix: Suffix) -> bytes:
        """Return the envelope or the manifest; raises `ObjectMissingError`, or `DamagedObjectError` when only it is missing."""

    def replace_envelope(self, object_id: str, data: bytes) -> None:
        """Replace the key envelope, durably and at once; raises `ObjectMissingError`."""

    def verify(self, object_id: str) -> VerifyResult:
        """Compare the sealed bytes, as the place's disk has them, with their name. Never raises for what it finds."""

    def remove(self, object_id: str) -> None:
        """Remove envelope, manifest and object, durably; what isn't there is no error, so that it can be repeated."""

    def ids(self, after: str = "") -> Iterator[str]:
        """Yield the ids of all objects greater than `after`, in order."""

    def sweep(self) -> int:
        """Remove what writings that died left aside over a day ago; return how many."""


PROBLEMS: dict[type[BodycamError], str] = {
    PlaceAwayError: "place_away",
    ObjectMissingError: "object_missing",
    VaultIoError: "object_unreadable",
}


@dataclass(frozen=True)
class Destroyed:
    """What became of one place's copy on destruction; `reason` is an error's code when it isn't gone for sure."""

    place: str
    ok: bool
    reason: str = ""


def check_id(object_id: str) -> str:
    """Return the id if it is one, so that it can be part of a path; raises `ObjectMissingError`."""
    if not is_id(object_id):
        raise ObjectMissingError(object_id=object_id[:80])
    return object_id


def is_id(name: str) -> bool:
    """Tell whether a file's name is an object's id."""
    return _ID.fullmatch(name) is not None


class LocalPlace:
    """A folder of sealed objects: `objects/ab/<id>` with `.env` and `.manifest` beside, and `tmp/`."""

    def __init__(self, name: str, root: Path, keyring: Keyring) -> None:
        """Name the folder; nothing is touched before `attach` or the first use."""
        self.name = name
        self.root = root
        self._keyring = keyring
        self._attached = False

    def attach(self) -> None:
        """Make folder and label the first time, else check them; raises like `label.attach`."""
        self._attached = False
        label.attach(self.name, self.root, self._keyring)
        self._attached = True

    def probe(self) -> None:
        """Look at the label; see `Place.probe`."""
        with self._named_errors():
            pass

    def bind(self, retired: str = "") -> None:
        """Rewrite the label if need be; see `Place.bind`."""
        with self._named_errors():
            label.attach(self.name, self.root, self._keyring, retired)

    def put(
        self, object_id: str, source: SealedBytes, envelope: bytes, manifest: bytes, *, instead: bool = False
    ) -> None:
        """Store a copy; see `Place.put`."""
        with self._named_errors():
            if self._path(object_id).exists() and not instead:
                self._confirm(object_id)
                return
            aside = self.new_aside()
            behind = HashBehind(aside)
            try:
                write(aside, source, behind)
                if behind.end() != object_id:
                    reason = f"read back from {self.root}, the copy is not the object"
                    raise DamagedObjectError(object_id=object_id, reason=reason)
                if instead:
                    self._put_instead(aside, object_id, envelope, manifest)
                else:
                    self.settle(aside, object_id, envelope, manifest)
            finally:
                behind.close()
                disk.remove(aside)

    def settle(self, aside: Path, object_id: str, envelope: bytes, manifest: bytes) -> None:
        """Give verified, synced bytes in `tmp/` their name, with what belongs beside; an object in the place stays."""
        path = self._path(object_id)
        disk.make_folder(path.parent)
        if not path.exists():
            self._write_beside(object_id, envelope, manifest)
            disk.protect(aside)
        try:
            disk.link(aside, path)
        except FileExistsError:
            if not path.samefile(aside):
                self._confirm(object_id)
        disk.sync_folder(path.parent)

    def new_aside(self) -> Path:
        """Return a fresh name in `tmp/`."""
        return self.root / "tmp" / secrets.token_hex(16)

    def open(self, object_id: str) -> SealedBytes:
        """Open the file; see `Place.open`."""
        with self._named_errors():
            return OpenFile(self._existing(object_id))

    def size(self, object_id: str) -> int:
        """Return the file's length; see `Place.size`."""
        with self._named_errors():
            return self._existing(object_id).stat().st_size

    def read(self, object_id: str, offset: int, length: int) -> bytes:
        """Read a range; see `Place.read`."""
        opened = self.open(object_id)
        try:
            return opened.read(offset, length)
        finally:
            opened.close()

    def beside(self, object_id: str, suffix: Suffix) -> bytes:
        """Read what lies beside; see `Place.beside`."""
        with self._named_errors():
            path = self._existing(object_id)
            try:
                with disk.named_errors(path):
                    return path.with_name(object_id + suffix).read_bytes()
            except FileNotFoundError as error:
                what = "its manifest is missing" if suffix == ".manifest" else "its key envelope is missing"
                raise DamagedObjectError(object_id=object_id, reason=what) from error

    def replace_envelope(self, object_id: str, data: bytes) -> None:
        """Rename a synced draft over the envelope; see `Place.replace_envelope`."""
        with self._named_errors():
            path = self._existing(object_id)
            self._replace(path.with_name(object_id + ".env"), data)
            disk.sync_folder(path.parent)

    def verify(self, object_id: str) -> VerifyResult:
        """Re-read the file from the disk; see `Place.verify`."""
        try:
            with self._named_errors():
                size, digest = hash_from_disk(self._existing(object_id))
        except (ObjectMissingError, PlaceAwayError, VaultIoError) as error:
            return VerifyResult(object_id, 0, (PROBLEMS[type(error)],))
        return VerifyResult(object_id, size, () if digest == object_id else ("object_damaged",))

    def remove(self, object_id: str) -> None:
        """Unlink envelope, manifest and object in this order, so that what is half removed is still listed; see `Place.remove`."""
        with self._named_errors():
            path = self._path(object_id)
            for suffix in (".env", ".manifest", ""):
                disk.remove(path.with_name(object_id + suffix))
            if path.parent.is_dir():
                disk.sync_folder(path.parent)

    def ids(self, after: str = "") -> Iterator[str]:
        """Walk the folders; see `Place.ids`."""
        with self._named_errors():
            folders = sorted((self.root / "objects").iterdir())
        for folder in folders:
            if folder.name >= after[:2]:
                names = (path.name for path in folder.iterdir())
                yield from sorted(name for name in names if is_id(name) and name > after)

    def sweep(self) -> int:
        """Remove old files in `tmp/`; see `Place.sweep`."""
        with self._named_errors():
            old = [p for p in (self.root / "tmp").iterdir() if time.time() - p.stat().st_ctime > _SWEEP_AFTER_S]
            for path in old:
                disk.remove(path)
            return len(old)

    def _put_instead(self, aside: Path, object_id: str, envelope: bytes, manifest: bytes) -> None:
        path = self._path(object_id)
        disk.make_folder(path.parent)
        self._write_beside(object_id, envelope, manifest)
        disk.protect(aside)
        disk.replace(aside, path)
        disk.sync_folder(path.parent)

    def _confirm(self, object_id: str) -> None:
        if hash_from_disk(self._path(object_id))[1] != object_id:
            raise DamagedObjectError(object_id=object_id, reason="the copy already in the vault was changed")

    def _write_beside(self, object_id: str, envelope: bytes, manifest: bytes) -> None:
        path = self._path(object_id)
        self._replace(path.with_name(object_id + ".env"), envelope)
        self._replace(path.with_name(object_id + ".manifest"), manifest)
        disk.sync_folder(path.parent)

    def _replace(self, path: Path, data: bytes) -> None:
        draft = self.new_aside()
        disk.write_file(draft, data)
        disk.replace(draft, path)

    def _path(self, object_id: str) -> Path:
        check_id(object_id)
        return self.root / "objects" / object_id[:2] / object_id

    def _existing(self, object_id: str) -> Path:
        path = self._path(object_id)
        if not path.exists():
            raise ObjectMissingError(object_id=object_id)
        return path

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Have the label looked at first, and give the disk's refusals a name; a place that isn't there isn't an empty one."""
        try:
            if not self._attached or not label.is_bound(self.root):
                self._reattach()
            yield
        except OSError as error:
            raise VaultIoError(path=error.filename or self.root, reason=error.strerror or str(error)) from error

    def _reattach(self) -> None:
        try:
            self.attach()
        except (VaultMissingError, KeyMissingError, KeyDamagedError, VaultFullError) as error:
            raise PlaceAwayError(place=self.name, reason=str(error)) from error

"""The vault in a local folder: `objects/ab/<sha256 of the sealed bytes>`, with `.env` and `.manifest` beside, and `tmp/`.

The order is the promise: the bytes are written, synced and **read back from the disk** and agree with the hash of what the
source gave; then envelope and manifest are durable; only then does the object get its name, by `link()`, which never
overwrites; then the folder is synced. The catalogue's transaction comes after that and is the caller's. Nothing here deletes an
object; the sweep touches `tmp/` alone.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bodycam.vault import disk
from bodycam.vault.appender import BLOCK, Appender
from bodycam.vault.envelope import open_envelope, write_envelope
from bodycam.vault.errors import (
    DamagedObjectError,
    KeyDamagedError,
    KeyMissingError,
    ObjectMissingError,
    VaultIoError,
    VaultMissingError,
)
from bodycam.vault.keyring import PLACE, Keyring
from bodycam.vault.manifest import open_manifest, seal_manifest
from bodycam.vault.reader import SealedReader
from bodycam.vault.spool import Spooled

_ID = re.compile(r"[0-9a-f]{64}")
_SWEEP_AFTER_S = 24 * 3600
_FORMAT = "bodycam-vault@1"
_LABEL = "vault.json"


@dataclass(frozen=True)
class SealedObject:
    """What was sealed: its id (SHA-256 of the sealed bytes), the original's SHA-256 and size, the sealed size (bytes)."""

    object_id: str
    sha256: str
    size: int
    cipher_size: int


@dataclass(frozen=True)
class VerifyResult:
    """What a check found: no problem codes means the object, its envelope and its manifest are as they were sealed."""

    object_id: str
    cipher_size: int
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems


class Vault:
    """One folder of sealed objects."""

    def __init__(self, root: Path, keyring: Keyring) -> None:
        """Use the folder (0700), creating it the first time.

        Raises `KeyMissingError` when another key sealed this vault, `VaultMissingError` when it was here and is not any more.
        """
        self.root = root
        self.keyring = keyring
        if keyring.place == str(root) and not (root / _LABEL).exists():
            raise VaultMissingError(path=root, mark=keyring.path.with_name(PLACE))
        disk.make_folder(root / "objects")
        disk.make_folder(root / "tmp")
        _check_label(root, keyring)

    def seal(self, spooled: Spooled, manifest: Mapping[str, object]) -> SealedObject:
        """Give a finished attempt its place, verified and durable. Repeating it gives the same object.

        May run in another thread or process than the writing. The caller then commits the catalogue row and the custody
        event, and discards the attempt. Raises `DamagedObjectError` (the attempt is kept: discard it and copy again),
        `VaultFullError`, `VaultIoError`.
        """
        key = spooled.segment.key(self.keyring)
        aside, linked = self._put_aside(spooled)
        try:
            reading = spooled.read_back(key, None if linked else aside)
            self._place(aside, reading.object_id, key, seal_manifest(key, manifest, spooled.sha256, spooled.size))
        finally:
            disk.remove(aside)
        return SealedObject(reading.object_id, spooled.sha256, spooled.size, reading.sealed)

    def open(self, object_id: str) -> SealedReader:
        """Open an object to read any range; raises `ObjectMissingError`, `DamagedObjectError`, `KeyMissingError`."""
        path = self._existing(object_id)
        sha256 = self.manifest(object_id)["sha256"]
        return SealedReader(object_id, path, self._key(object_id), str(sha256))

    def holds(self, object_id: str) -> bool:
        """Tell whether an object can be opened and has its length: a quick look at its two ends, no scrub."""
        try:
            with self.open(object_id):
                return True
        except (ObjectMissingError, DamagedObjectError, VaultIoError):
            return False

    def manifest(self, object_id: str) -> dict[str, object]:
        """Return the decrypted manifest; raises like `open`."""
        key = self._key(object_id)
        return open_manifest(object_id, key, self._beside(object_id, ".manifest"))

    def verify(self, object_id: str) -> VerifyResult:
        """Re-read a whole object from the disk and compare it with its name; open its envelope and manifest.

        Problem codes: object_missing, object_unreadable (the disk refuses), object_damaged, size_mismatch, envelope_damaged,
        key_missing, manifest_damaged.
        """
        try:
            return self._verify(object_id)
        except VaultIoError:
            return VerifyResult(object_id, 0, ("object_unreadable",))

    def _verify(self, object_id: str) -> VerifyResult:
        path = self._path(object_id)
        if not path.exists():
            return VerifyResult(object_id, 0, ("object_missing",))
        size, digest = _hash_from_disk(path)
        problems = [] if digest == object_id else ["object_damaged"]
        try:
            key = self._key(object_id)
        except KeyMissingError:
            return VerifyResult(object_id, size, (*problems, "key_missing"))
        except DamagedObjectError:
            return VerifyResult(object_id, size, (*problems, "envelope_damaged"))
        try:
            told = open_manifest(object_id, key, self._beside(object_id, ".manifest"))["size"]
            if not problems and SealedReader(object_id, path, key, "").size != told:
                problems.append("size_mismatch")
        except DamagedObjectError:
            problems.append("manifest_damaged")
        return VerifyResult(object_id, size, tuple(problems))

    def iter_objects(self, after: str = "") -> Iterator[str]:
        """Yield the ids of all objects greater than `after`, in order."""
        for folder in sorted((self.root / "objects").iterdir()):
            if folder.name >= after[:2]:
                names = (path.name for path in folder.iterdir())
                yield from sorted(name for name in names if _ID.fullmatch(name) and name > after)

    def sweep(self) -> int:
        """Remove what sealings that died left in `tmp/` over a day ago; return how many files."""
        old = [p for p in (self.root / "tmp").iterdir() if time.time() - p.stat().st_ctime > _SWEEP_AFTER_S]
        for path in old:
            disk.remove(path)
        return len(old)

    def _put_aside(self, spooled: Spooled) -> tuple[Path, bool]:
        """Bring the sealed bytes into `tmp/`: by link, or by copy from another file system."""
        aside = self.root / "tmp" / secrets.token_hex(16)
        try:
            disk.link(spooled.segment.path, aside)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP}:
                raise
            _copy(spooled.segment.path, aside)
            return aside, False
        return aside, True

    def _place(self, aside: Path, object_id: str, key: bytes, manifest: bytes) -> None:
        path = self._path(object_id)
        disk.make_folder(path.parent)
        if not path.exists():
            self._write_beside(object_id, ".env", write_envelope(object_id, key, self.keyring))
            self._write_beside(object_id, ".manifest", manifest)
            disk.sync_folder(path.parent)
            disk.protect(aside)
        try:
            disk.link(aside, path)
        except FileExistsError:
            if not path.samefile(aside) and _hash_from_disk(path)[1] != object_id:
                raise DamagedObjectError(
                    object_id=object_id, reason="the copy already in the vault was changed"
                ) from None
        disk.sync_folder(path.parent)

    def _write_beside(self, object_id: str, suffix: str, data: bytes) -> None:
        draft = self.root / "tmp" / secrets.token_hex(16)
        disk.write_file(draft, data)
        disk.replace(draft, self._path(object_id).with_name(object_id + suffix))

    def _path(self, object_id: str) -> Path:
        if not _ID.fullmatch(object_id):
            raise ObjectMissingError(object_id=object_id[:80])
        return self.root / "objects" / object_id[:2] / object_id

    def _existing(self, object_id: str) -> Path:
        path = self._path(object_id)
        if not path.exists():
            raise ObjectMissingError(object_id=object_id)
        return path

    def _key(self, object_id: str) -> bytes:
        return open_envelope(object_id, self._beside(object_id, ".env"), self.keyring)

    def _beside(self, object_id: str, suffix: str) -> bytes:
        path = self._existing(object_id)
        try:
            with disk.named_errors(path):
                return path.with_name(object_id + suffix).read_bytes()
        except FileNotFoundError as error:
            what = "its manifest is missing" if suffix == ".manifest" else "its key envelope is missing"
            raise DamagedObjectError(object_id=object_id, reason=what) from error


def _check_label(root: Path, keyring: Keyring) -> None:
    """Bind the vault to the key that seals it, so that a new key beside an old vault is noticed at start."""
    label = root / _LABEL
    if not label.exists():
        draft = root / "tmp" / secrets.token_hex(16)
        disk.write_file(draft, json.dumps({"format": _FORMAT, "key": keyring.key_id}).encode() + b"\n")
        disk.replace(draft, label)
        disk.sync_folder(root)
    try:
        sealed_with = json.loads(label.read_bytes())["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyDamagedError(path=label) from error
    if sealed_with != keyring.key_id:
        raise KeyMissingError(key_id=sealed_with, path=keyring.path.parent)
    keyring.remember_place(root)


def _copy(source: Path, target: Path) -> None:
    size = source.stat().st_size
    appender = Appender(target, reserve=size)
    fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for at in range(0, size, BLOCK):
            appender.add(disk.read_into(fd, appender.room[:BLOCK], at, source))
        appender.end()
    finally:
        os.close(fd)
        appender.close()


def _hash_from_disk(path: Path) -> tuple[int, str]:
    """Return size and SHA-256 of a file as the disk has it, not the page cache."""
    digest, size, block = hashlib.sha256(), 0, memoryview(bytearray(BLOCK))
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.drop_cache(fd, 0, 0)
        while count := disk.read_into(fd, block, size, path):
            digest.update(block[:count])
            size += count
    finally:
        os.close(fd)
    return size, digest.hexdigest()

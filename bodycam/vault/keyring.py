"""The vault's own key (key-encrypting key), kept apart from what it opens, and the keys it replaced.

`vault.key` in the keys folder (file 0600, folder 0700) is one line of JSON with the key and its id, a hash of the key, so a
damaged file is noticed before it is used. Data keys leave only wrapped: AES-256-GCM with a random nonce, and the place they
belong to as associated data, so a wrapped key moved elsewhere doesn't open. A key that was replaced stays as `vault.key.<id>`
while anything may still be wrapped by it, then as `vault.key.<id>.retired`, itself wrapped by the current key: an older backup
can still be opened. A process that was started before the replacement notices it and wraps with the new key. Beside them
`vault.place` says where the vault is (see `label`). Signing keys are custody's, not here.
"""

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bodycam.vault import disk
from bodycam.vault.chunked import KEY, NONCE, BrokenMessageError
from bodycam.vault.errors import KeyDamagedError, KeyExposedError, KeyMissingError
from bodycam.vault.escrow import EscrowRecipient

FILE = "vault.key"
_FORMAT = "bodycam-vault-key@1"
_NEXT = "vault.key.next"
_OLDER = re.compile(r"vault\.key\.([0-9a-f]{16})(\.retired)?")


@dataclass(frozen=True)
class VaultKey:
    """One key that wraps data keys; `replaced_at` (UTC) is None for the current one."""

    key_id: str
    key: bytes = field(repr=False)
    replaced_at: datetime | None = None
    retired: bool = False

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Return the data key wrapped for `place` (60 bytes: nonce, key, tag)."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Return the data key; raises `BrokenMessageError`."""
        try:
            return AESGCM(self.key).decrypt(wrapped[:NONCE], wrapped[NONCE:], place)
        except (InvalidTag, ValueError) as error:
            raise BrokenMessageError("the wrapped key was changed or belongs elsewhere") from error


class Keyring:
    """Wraps data keys with the vault's key, and unwraps with it or with one that it replaced."""

    def __init__(self, path: Path, escrow: Sequence[EscrowRecipient] = ()) -> None:
        """Read the keys; use `Keyring.open`."""
        self.path = path
        self.escrow = tuple(escrow)
        self._read = _read_all(path)

    @classmethod
    def open(cls, keys_dir: Path, create: bool = True, escrow: Sequence[EscrowRecipient] = ()) -> "Keyring":
        """Read the vault's keys; make the first one when `create`. `escrow` are further recipients of every data key.

        Raises `KeyMissingError`, `KeyDamagedError`, or `KeyExposedError` when others can read folder or file.
        """
        path = keys_dir / FILE
        if create and not path.exists():
            _make(path)
        return cls(path, escrow)

    @property
    def key_id(self) -> str:
        """Return the id of the key that wraps."""
        return self.current.key_id

    @property
    def current(self) -> VaultKey:
        """Return the key that wraps; raises `KeyMissingError` when it's gone."""
        return self.keys[0]

    @property
    def older(self) -> tuple[VaultKey, ...]:
        """Return the keys that were replaced and not yet retired, newest first."""
        return tuple(key for key in self.keys[1:] if not key.retired)

    @property
    def keys(self) -> tuple[VaultKey, ...]:
        """Return all keys: the current one, those replaced, those retired; read anew when another process changed them."""
        if _stamp(self.path) != self._read[0]:
            self._read = _read_all(self.path)
        return self._read[1]

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Return the data key wrapped for `place` by the current key."""
        return self.current.wrap(key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Return the data key; raises `BrokenMessageError` when changed, or wrapped for another place or by an unknown key."""
        for key in self.keys:
            try:
                return key.unwrap(wrapped, place)
            except BrokenMessageError:
                continue
        raise BrokenMessageError("the wrapped key was changed or belongs elsewhere")

    def rewrap(self, wrapped: bytes, place: bytes) -> bytes | None:
        """Return the data key wrapped by the current key, or None when it is so already; raises `BrokenMessageError`."""
        try:
            self.current.unwrap(wrapped, place)
        except BrokenMessageError:
            return self.wrap(self.unwrap(wrapped, place), place)
        return None

    def replace(self, now: datetime, announce: Callable[[str], None]) -> None:
        """Make a new current key; the one it replaces stays for what it wrapped.

        `announce` hears the new key's id when it is durable and before anything is wrapped by it. After a crash at any step
        calling it again ends the same replacement.
        """
        draft = self.path.with_name(_NEXT)
        if not draft.exists():
            _put(draft, _text(secrets.token_bytes(KEY)))
        coming = _read_one(draft)
        announce(coming.key_id)
        old = self.current
        if coming.key_id != old.key_id:
            _put(self.path.with_name(f"{FILE}.{old.key_id}"), _text(old.key, replaced_at=now.isoformat()))
        for key in self.keys:
            if key.retired:
                _put(self.path.with_name(f"{FILE}.{key.key_id}.retired"), _sealed_text(key, coming))
        disk.replace(draft, self.path)
        disk.sync_folder(self.path.parent)

    def retire(self, key_id: str) -> None:
        """Keep an older key only wrapped by the current one. The caller has made sure that nothing needs it any more."""
        key = next(key for key in self.older if key.key_id == key_id)
        _put(self.path.with_name(f"{FILE}.{key_id}.retired"), _sealed_text(key, self.current))
        disk.remove(self.path.with_name(f"{FILE}.{key_id}"))
        disk.sync_folder(self.path.parent)
        self._read = _read_all(self.path)


def restore(keys_dir: Path, keys: Sequence[bytes], now: datetime) -> None:
    """Put keys that came back from escrow where they were lost, the current one first; a key made meanwhile becomes an older one."""
    path = keys_dir / FILE
    disk.make_folder(keys_dir)
    meanwhile = [_read_one(path).key] if path.exists() else []
    for key in [*keys[1:], *meanwhile]:
        if key != keys[0]:
            _put(keys_dir / f"{FILE}.{key_id_of(key)}", _text(key, replaced_at=now.isoformat()))
    _put(path, _text(keys[0]))


def _read_all(path: Path) -> tuple[tuple[int, int], tuple[VaultKey, ...]]:
    _refuse_exposed(path.parent)
    stamp = _stamp(path)
    current = _read_one(path)
    found = [(other, match) for other in path.parent.iterdir() if (match := _OLDER.fullmatch(other.name))]
    older = [_read_one(other) for other, match in found if not match[2] and match[1] != current.key_id]
    known = {current.key_id, *(key.key_id for key in older)}
    coming = path.with_name(_NEXT)  # after a crash the retired ones may be wrapped by it already
    outer = (current, *older, *([_read_one(coming)] if coming.exists() else []))
    retired = [_read_retired(other, match[1], outer) for other, match in found if match[2]]
    older.sort(key=lambda key: str(key.replaced_at), reverse=True)
    return stamp, (current, *older, *(key for key in retired if key.key_id not in known))


def _read_one(path: Path) -> VaultKey:
    """Read a key file; the key of an older one says when it was replaced."""
    try:
        _refuse_exposed(path)
        body = json.loads(path.read_bytes())
        key = base64.b64decode(body["key"], validate=True)
        fits = body["format"] == _FORMAT and len(key) == KEY and body["id"] == key_id_of(key)
        replaced = datetime.fromisoformat(body["replaced_at"]) if "replaced_at" in body else None
    except FileNotFoundError as error:
        raise KeyMissingError(key_id=path.name, path=path.parent) from error
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise KeyDamagedError(path=path) from error
    if not fits:
        raise KeyDamagedError(path=path)
    return VaultKey(body["id"], key, replaced)


def _read_retired(path: Path, key_id: str, keys: Sequence[VaultKey]) -> VaultKey:
    _refuse_exposed(path)
    for outer in keys:
        try:
            key = outer.unwrap(base64.b64decode(json.loads(path.read_bytes())["wrapped"]), _retired_place(key_id))
        except BrokenMessageError:
            continue
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise KeyDamagedError(path=path) from error
        return VaultKey(key_id, key, retired=True)
    raise KeyDamagedError(path=path)


def _sealed_text(key: VaultKey, outer: VaultKey) -> bytes:
    wrapped = base64.b64encode(outer.wrap(key.key, _retired_place(key.key_id))).decode()
    body = {"format": "bodycam-retired-key@1", "id": key.key_id, "by": outer.key_id, "wrapped": wrapped}
    return json.dumps(body).encode() + b"\n"


def _retired_place(key_id: str) -> bytes:
    return b"bodycam/retired-key@1\x00" + key_id.encode()


def _text(key: bytes, **more: str) -> bytes:
    body = {"format": _FORMAT, "id": key_id_of(key), "key": base64.b64encode(key).decode(), **more}
    return json.dumps(body).encode() + b"\n"


def _make(path: Path) -> None:
    disk.make_folder(path.parent)
    draft = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    disk.write_file(draft, _text(secrets.token_bytes(KEY)))
    try:
        disk.link(draft, path)  # two first starts at once: one key wins, both use it
    except FileExistsError:
        pass
    finally:
        disk.remove(draft)
    disk.sync_folder(path.parent)


def _put(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    disk.write_file(draft, data)
    disk.replace(draft, path)
    disk.sync_folder(path.parent)


def _stamp(path: Path) -> tuple[int, int]:
    """Return what tells one version of the key file from the next."""
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise KeyMissingError(key_id=path.name, path=path.parent) from error
    return stat.st_ino, stat.st_mtime_ns


def key_id_of(key: bytes) -> str:
    """Return the id of a key: a hash of it."""
    return hashlib.sha256(b"bodycam vault key id\x00" + key).hexdigest()[:16]


def _refuse_exposed(path: Path) -> None:
    if path.exists() and os.stat(path).st_mode & 0o077:  # noqa: PTH116  one call says it all
        raise KeyExposedError(path=path)

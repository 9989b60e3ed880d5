"""The vault's own key (key-encrypting key), kept apart from what it opens.

It lies in `vault.key` in the keys folder (file 0600, folder 0700) as one line of JSON with its id, a hash of the key, so a
damaged file is noticed before it is used. Data keys leave only wrapped: AES-256-GCM with a random nonce, and the place they
belong to as associated data, so a wrapped key moved elsewhere doesn't open.
Beside it `vault.place` says where the vault is (see `label`). Signing keys are custody's, not here.
"""

import base64
import binascii
import hashlib
import json
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bodycam.vault import disk
from bodycam.vault.chunked import KEY, NONCE, BrokenMessageError
from bodycam.vault.errors import KeyDamagedError, KeyExposedError, KeyMissingError

FILE = "vault.key"
_FORMAT = "bodycam-vault-key@1"


class Keyring:
    """Wraps and unwraps data keys with the vault's key."""

    def __init__(self, key: bytes, path: Path) -> None:
        """Hold a 32-byte key; use `Keyring.open`."""
        self.key_id = _key_id(key)
        self.path = path
        self._aead = AESGCM(key)

    @classmethod
    def open(cls, keys_dir: Path, create: bool = True) -> "Keyring":
        """Read the vault's key; make one on first use when `create`.

        Raises `KeyMissingError`, `KeyDamagedError`, or `KeyExposedError` when others can read folder or file.
        """
        path = keys_dir / FILE
        if create and not path.exists():
            _make(path)
        _refuse_exposed(keys_dir)
        _refuse_exposed(path)
        try:
            body = json.loads(path.read_bytes())
            key = base64.b64decode(body["key"], validate=True)
            fits = body["format"] == _FORMAT and len(key) == KEY and body["id"] == _key_id(key)
        except FileNotFoundError as error:
            raise KeyMissingError(key_id=FILE, path=keys_dir) from error
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise KeyDamagedError(path=path) from error
        if not fits:
            raise KeyDamagedError(path=path)
        return cls(key, path)

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Return the data key wrapped for `place` (60 bytes: nonce, key, tag)."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._aead.encrypt(nonce, key, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Return the data key; raises `BrokenMessageError` when changed, or wrapped for another place or by another key."""
        try:
            return self._aead.decrypt(wrapped[:NONCE], wrapped[NONCE:], place)
        except (InvalidTag, ValueError) as error:
            raise BrokenMessageError("the wrapped key was changed or belongs elsewhere") from error


def _make(path: Path) -> None:
    disk.make_folder(path.parent)
    key = secrets.token_bytes(KEY)
    body = {"format": _FORMAT, "id": _key_id(key), "key": base64.b64encode(key).decode()}
    draft = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    disk.write_file(draft, json.dumps(body).encode() + b"\n")
    try:
        disk.link(draft, path)  # two first starts at once: one key wins, both use it
    except FileExistsError:
        pass
    finally:
        disk.remove(draft)
    disk.sync_folder(path.parent)


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"bodycam vault key id\x00" + key).hexdigest()[:16]


def _refuse_exposed(path: Path) -> None:
    if path.exists() and os.stat(path).st_mode & 0o077:  # noqa: PTH116  one call says it all
        raise KeyExposedError(path=path)

"""Escrow: whoever keeps its private key elsewhere can have every data key back when the vault's own key is lost.

HPKE base mode in one shot (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, with the place a key belongs to as
`info`. What is wrapped is 80 bytes: the encapsulated key (32), the ciphertext (32), the tag (16). The machine holds public
halves only, so it can wrap for escrow and never open; the private half is one line of JSON in a file that belongs in a safe.
"""

import base64
import binascii
import hashlib
import json
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from bodycam.vault import disk
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.errors import EscrowTextError, KeyDamagedError, KeyExposedError, KeyMissingError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PUBLIC = "bodycam-escrow@1:"
_PRIVATE = "bodycam-escrow-key@1"


class EscrowRecipient:
    """The public half: wraps, and can't unwrap."""

    def __init__(self, public: X25519PublicKey) -> None:
        """Hold the public key; use `parse`, or `EscrowKey.recipient`."""
        raw = public.public_bytes_raw()
        self.key_id = hashlib.sha256(b"bodycam escrow key id\x00" + raw).hexdigest()[:16]
        self.text = _PUBLIC + base64.b64encode(raw).decode()
        self._public = public

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` gives, as the setting `vault.escrow` holds it; raises `EscrowTextError`."""
        try:
            raw = base64.b64decode(text.removeprefix(_PUBLIC), validate=True)  # a colon in it is no base64
            return cls(X25519PublicKey.from_public_bytes(raw))
        except (ValueError, binascii.Error) as error:
            raise EscrowTextError(text=text[:80]) from error

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Return the key wrapped for whoever holds the private half, bound to `place`."""
        return _SUITE.encrypt(key, self._public, place)


class EscrowKey:
    """The private half; on the machine only while keys are being recovered."""

    def __init__(self, private: X25519PrivateKey) -> None:
        """Hold the private key; use `create` or `open`."""
        self._private = private
        self.recipient = EscrowRecipient(private.public_key())

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a key and keep it in a new file (0600); raises FileExistsError rather than overwrite."""
        key = cls(X25519PrivateKey.generate())
        raw = base64.b64encode(key._private.private_bytes_raw()).decode()
        body = {"format": _PRIVATE, "id": key.recipient.key_id, "key": raw}
        disk.write_file(path, json.dumps(body).encode() + b"\n")
        disk.sync_folder(path.parent)
        return key

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the file that `create` made; raises `KeyMissingError`, `KeyDamagedError`, `KeyExposedError`."""
        try:
            body = json.loads(path.read_bytes())
            key = cls(X25519PrivateKey.from_private_bytes(base64.b64decode(body["key"], validate=True)))
            fits = body["format"] == _PRIVATE and body["id"] == key.recipient.key_id
        except FileNotFoundError as error:
            raise KeyMissingError(key_id=path.name, path=path.parent) from error
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            raise KeyDamagedError(path=path) from error
        if not fits:
            raise KeyDamagedError(path=path)
        if path.stat().st_mode & 0o077:
            raise KeyExposedError(path=path)
        return key

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Return the key; raises `BrokenMessageError` when changed, or wrapped for another place or recipient."""
        try:
            return _SUITE.decrypt(wrapped, self._private, place)
        except (InvalidTag, ValueError) as error:
            raise BrokenMessageError("the escrowed key was changed or belongs elsewhere") from error

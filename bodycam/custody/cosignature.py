"""Cosignatures of witnesses on a checkpoint (C2SP tlog-cosignature, `cosignature/v1`, Ed25519, signature type 0x04).

A cosignature says: at this time, this was the largest tree of this log that the witness had seen, and it continues all it had
seen before. The line in the note is key id ‖ time (8 bytes, big-endian, seconds since 1970) ‖ Ed25519 signature.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodycam.custody.errors import NoteError
from bodycam.custody.note import ID_SIZE, encode, key_id, read_vkey, split_note

_COSIGNATURE = b"\x04"  # signature type (signed-note, "Signature types")
_TIME_SIZE = 8
_SIZE = ID_SIZE + _TIME_SIZE + 64
_LATEST = 253_402_300_799  # the end of the year 9999: what a datetime holds, below the format's 2^63 − 1


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's name and public key."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "<name>+<key id>+<base64(0x04 ‖ key)>".

        Raises:
            NoteError: it isn't such a key, or the id is not the key's.
        """
        return cls(*read_vkey(text, _COSIGNATURE))

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        return key_id(self.name, _COSIGNATURE, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(_COSIGNATURE + self.public)}"

    def signed_at(self, note: str) -> datetime | None:
        """Return when this witness cosigned the note (UTC, its own clock; the latest, if several times), or None if it didn't.

        Raises:
            NoteError: the note is malformed, or a line of this key is false: the whole note is spoilt then.
        """
        text, signatures = split_note(note)
        times = [
            self._check(text, signature)
            for name, signature in signatures
            if (name, signature[:ID_SIZE]) == (self.name, self.key_id)
        ]
        return max(times, default=None)

    def _check(self, text: str, signature: bytes) -> datetime:
        seconds = int.from_bytes(signature[ID_SIZE : ID_SIZE + _TIME_SIZE], "big")
        if len(signature) != _SIZE or seconds > _LATEST:
            raise NoteError(reason=f"the cosignature of {self.name} is malformed")
        message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature[-64:], message)
        except InvalidSignature:
            raise NoteError(reason=f"the cosignature of {self.name} is false") from None
        return datetime.fromtimestamp(seconds, UTC)

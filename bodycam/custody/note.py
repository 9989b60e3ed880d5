"""Signed notes with Ed25519, as C2SP signed-note defines them, and the keys that sign and check them.

Keys are written as in Go's note package: "<name>+<key id>+<base64>" for the public half, "PRIVATE+KEY+…" for the private one.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bodycam.custody.errors import NoteError

_ED25519 = b"\x01"  # signature type (signed-note, "Signature types")
ID_SIZE = 4  # bytes of a key's id, at the start of a signature
_KEY_SIZE = 32
_MAX_NOTE = 100_000
_MAX_SIGNATURES = 64


@dataclass(frozen=True, slots=True)
class Verifier:
    """A log's name and public key."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "<name>+<key id>+<base64(0x01 ‖ key)>".

        Raises:
            NoteError: it isn't such a key, or the id is not the key's.
        """
        return cls(*read_vkey(text, _ED25519))

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature line."""
        return key_id(self.name, _ED25519, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(_ED25519 + self.public)}"

    def open(self, note: str) -> str:
        """Return the text of a note that this key signed, final newline included.

        Signatures of unknown keys are ignored; one of this key that fails spoils the note.

        Raises:
            NoteError: the note is malformed, or this key didn't sign this text.
        """
        text, signatures = split_note(note)
        found = False
        for name, signature in signatures:
            if (name, signature[:ID_SIZE]) != (self.name, self.key_id):
                continue
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature[ID_SIZE:], text.encode())
            except InvalidSignature:
                raise NoteError(reason=f"the signature of {self.name} is false") from None
            found = True
        if not found:
            raise NoteError(reason=f"{self.name} ({self.key_id.hex()}) didn't sign it")
        return text


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A log's name and private key; has no repr, so that the key can't get into a log line."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key for a log of this name."""
        return cls(check_name(name), Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "PRIVATE+KEY+<name>+<key id>+<base64(0x01 ‖ seed)>".

        Raises:
            NoteError: it isn't such a key, or the id is not the key's.
        """
        parts = text.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:  # noqa: PLR2004  the five parts above
            raise NoteError(reason="a private key looks like PRIVATE+KEY+name+id+key")
        key = decode(parts[4])
        if len(key) != _KEY_SIZE + 1 or key[:1] != _ED25519:
            raise NoteError(reason="the private key is not Ed25519")
        signer = cls(check_name(parts[2]), key[1:])
        if signer.verifier.key_id.hex() != parts[3]:
            raise NoteError(reason="the private key and its id don't belong together")
        return signer

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw())

    def private_text(self) -> str:
        """Return the text that `parse` reads; a secret."""
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{encode(_ED25519 + self.seed)}"

    def sign(self, text: str) -> str:
        """Return the note over a text that ends in a newline."""
        if not text.endswith("\n"):
            raise ValueError("a note's text ends in a newline")
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return f"{text}\n— {self.name} {encode(self.verifier.key_id + signature)}\n"


def encode(data: bytes) -> str:
    """Return standard Base64 (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode(text: str) -> bytes:
    """Read standard Base64 in its one true form: no stray characters, no loose bits at the end.

    Raises:
        NoteError: it isn't that.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(reason="not Base64") from None
    if encode(data) != text:
        raise NoteError(reason="not canonical Base64")
    return data


def check_name(name: str) -> str:
    """Return a key name, refused when empty or with a space, a control character or "+".

    Raises:
        NoteError: the name can't stand in a signature line.
    """
    if not name or "+" in name or any(c.isspace() or ord(c) < ord(" ") for c in name):
        raise NoteError(reason=f"{name!r} is no key name")
    return name


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """Return the four bytes that name a key of a signature type in a signature line (signed-note, "Format")."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:ID_SIZE]


def read_vkey(text: str, kind: bytes) -> tuple[str, bytes]:
    """Read "<name>+<key id>+<base64(kind ‖ Ed25519 key)>" as name and public key.

    Raises:
        NoteError: it isn't such a key, it is of another signature type, or the id is not the key's.
    """
    try:
        name, shown, data = text.strip().split("+", 2)
    except ValueError:
        raise NoteError(reason="a public key looks like name+id+key") from None
    key = decode(data)
    if len(key) != _KEY_SIZE + 1 or key[:1] != kind:
        raise NoteError(reason=f"the public key is not Ed25519 of signature type 0x{kind.hex()}")
    if key_id(check_name(name), kind, key[1:]).hex() != shown:
        raise NoteError(reason="the public key and its id don't belong together")
    return name, key[1:]


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a note's text and its signature lines as (key name, key id ‖ signature); nothing is checked yet.

    Raises:
        NoteError: it isn't a note.
    """
    if len(note) > _MAX_NOTE or any(ord(c) < ord(" ") and c != "\n" for c in note):
        raise NoteError(reason="not a note: too long, or with control characters")
    text, blank, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or lines.pop() or not lines or len(lines) > _MAX_SIGNATURES:
        raise NoteError(reason="a note is a text, an empty line and signature lines")
    signatures = []
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, data = rest.partition(" ")
        signature = decode(data)
        if dash != "—" or len(signature) <= ID_SIZE:
            raise NoteError(reason="a signature line is malformed")
        signatures.append((check_name(name), signature))
    return text + "\n", signatures

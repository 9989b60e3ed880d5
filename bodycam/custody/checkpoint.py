"""A tree head as text: the log's origin, its size and its root hash (C2SP tlog-checkpoint). It carries no time."""

from dataclasses import dataclass
from typing import Self

from bodycam.custody.errors import NoteError
from bodycam.custody.merkle import HASH_SIZE
from bodycam.custody.note import Signer, Verifier, decode, encode

_LINES = 3
_MOST_DIGITS = 19  # below 2^63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head; `note` is the text as it was signed, with its signatures."""

    origin: str
    size: int
    root: bytes
    note: str

    @classmethod
    def sign(cls, signer: Signer, size: int, root: bytes) -> Self:
        """Return the signed head of a tree; the same tree and key always give the same text."""
        return cls(signer.name, size, root, signer.sign(f"{signer.name}\n{size}\n{encode(root)}\n"))

    @property
    def body(self) -> str:
        """The three lines that are signed, cosigned and timestamped, final newline included."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    @classmethod
    def open(cls, note: str, verifier: Verifier) -> Self:
        """Read and check a signed head.

        Raises:
            NoteError: it isn't one, or the verifier's key didn't sign it for the log of its name.
        """
        lines = verifier.open(note).split("\n")
        if len(lines) != _LINES + 1:
            raise NoteError(reason="a checkpoint has three lines: origin, size and root")
        origin, size, root = lines[:_LINES]
        if origin != verifier.name:
            raise NoteError(reason=f"the checkpoint is of the log {origin}")
        if not (size.isascii() and size.isdigit()) or (size[0] == "0" and size != "0") or len(size) > _MOST_DIGITS:
            raise NoteError(reason="the checkpoint's size is not a number")
        hashed = decode(root)
        if len(hashed) != HASH_SIZE:
            raise NoteError(reason="the checkpoint's root is not a SHA-256 hash")
        return cls(origin, int(size), hashed, note)

"""The format of sealed bytes: C2SP chunked-encryption, instance Cobblestone-256 (HKDF-SHA-512, AES-256-GCM).

Source: c2sp.org/chunked-encryption. A message is a 24-byte salt, a 32-byte key commitment, then chunks of 16 KiB, each with a
16-byte tag; the last chunk is always shorter than 16 KiB, so truncation shows. Streams are written and read by
`cryptography.cobblestone`, which draws the salt itself; this module adds what it lacks: sizes, and reading any range.
One data key seals one object and its manifest; salt and context keep the two apart (the derived keys differ).
"""

import hmac
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHUNK = 16 * 1024
TAG = 16
SEALED_CHUNK = CHUNK + TAG
SALT = 24
COMMITMENT = 32
HEADER = SALT + COMMITMENT
KEY = 32
NONCE = 12

OBJECT = b"bodycam/object@1"
MANIFEST = b"bodycam/manifest@1"

_INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


class BrokenMessageError(Exception):
    """The bytes are not the message that was sealed: wrong key, changed, or cut. Callers turn it into a domain error."""


def new_key() -> bytes:
    """Return a fresh 256-bit data key."""
    return secrets.token_bytes(KEY)


def sealed_size(size: int) -> int:
    """Return how many bytes a message of `size` bytes takes when sealed."""
    return HEADER + size + (size // CHUNK + 1) * TAG


def plain_size(sealed: int) -> int:
    """Return the message size for a sealed size in bytes; raises `BrokenMessageError` when no message has that size."""
    full, last = divmod(sealed - HEADER, SEALED_CHUNK)
    if sealed < HEADER + TAG or last < TAG:
        raise BrokenMessageError("no sealed message has this length: cut, or not sealed")
    return full * CHUNK + last - TAG


def chunk_start(number: int) -> int:
    """Return where sealed chunk `number` begins."""
    return HEADER + number * SEALED_CHUNK


class Chunks:
    """The chunks of one message, opened one by one or in runs, after the key commitment was checked."""

    def __init__(self, header: bytes, key: bytes, context: bytes) -> None:
        """Derive the message's key and check the commitment (spec: before any chunk is decrypted)."""
        if len(header) != HEADER:
            raise BrokenMessageError("the header is cut")
        info = _INFO + header[:SALT] + context
        derived = HKDFExpand(algorithm=SHA512(), length=KEY + NONCE + COMMITMENT, info=info).derive(key)
        if not hmac.compare_digest(derived[KEY + NONCE :], header[SALT:]):
            raise BrokenMessageError("the key does not fit")
        self._aead = AESGCM(derived[:KEY])
        self._nonce = int.from_bytes(derived[KEY : KEY + NONCE], "big")

    def open(self, number: int, sealed: bytes | memoryview) -> bytes:
        """Return the plaintext of one chunk with its tag; raises `BrokenMessageError`."""
        nonce = (self._nonce ^ number).to_bytes(NONCE, "big")
        try:
            return self._aead.decrypt(nonce, sealed, None)
        except InvalidTag as error:
            raise BrokenMessageError(f"chunk {number} was changed") from error

    def open_run(self, first: int, sealed: bytes) -> bytes:
        """Return the plaintext of consecutive chunks, `first` being the number of the first; only the last may be short."""
        view = memoryview(sealed)
        starts = range(0, len(view), SEALED_CHUNK)
        return b"".join(self.open(first + i, view[at : at + SEALED_CHUNK]) for i, at in enumerate(starts))


class RangeReader:
    """Reads any range of a sealed message; its length is authentic, since the last chunk is opened first."""

    def __init__(self, read_at: Callable[[int, int], bytes], sealed: int, key: bytes, context: bytes) -> None:
        """Take `read_at(start, length)` over the sealed bytes and their number; raises `BrokenMessageError`."""
        self.size = plain_size(sealed)
        self._read_at = read_at
        self._sealed = sealed
        self._chunks = Chunks(read_at(0, HEADER), key, context)
        last = self.size // CHUNK
        self._chunks.open(last, read_at(chunk_start(last), sealed - chunk_start(last)))

    def read(self, start: int, length: int) -> bytes:
        """Return the bytes from `start` on, at most `length` and not beyond the end."""
        end = min(start + length, self.size)
        if start < 0 or start >= end:
            return b""
        first = start // CHUNK
        stop = min(chunk_start((end - 1) // CHUNK + 1), self._sealed)
        run = self._chunks.open_run(first, self._read_at(chunk_start(first), stop - chunk_start(first)))
        skip = start - first * CHUNK
        return run[skip : skip + end - start]

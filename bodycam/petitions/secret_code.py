"""The secret code of a report: 26 Crockford base32 characters (130 random bits) and a check symbol.

The citizen's browser makes it; HKDF-SHA256 (RFC 5869) turns it into a look-up id, a sign-in key (Ed25519) and a reply key
(X25519), and only their public halves leave the browser. 130 random bits need no slow hash. This module does the same for
people without JavaScript, where the server sees the code for a moment and says so; `webui/static/public/code.js` is its twin
and a test holds the two together.
"""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET = ALPHABET + "*~$=U"  # Crockford's check symbol: the value modulo 37
LENGTH = 26
GROUP = 4
SALT = b"bodycam secret code v1"
_KEY_BYTES = 32
_LOOKUP_BYTES = 16


@dataclass(frozen=True)
class CodeKeys:
    """The public halves that the server keeps: a look-up id (32 hex digits) and two public keys (32 bytes each)."""

    lookup_id: str
    sign_in_public: bytes
    reply_public: bytes


def make() -> str:
    """Return a new code of 27 characters; drawn again until its check symbol is one of `ALPHABET` or U (typed on a phone)."""
    while True:
        body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        symbol = check_symbol(body)
        if symbol.isalnum():
            return body + symbol


def check_symbol(body: str) -> str:
    """Return Crockford's check symbol of base32 text: it finds any one wrong character and any two swapped neighbours."""
    value = 0
    for character in body:
        value = value * 32 + ALPHABET.index(character)
    return CHECK_ALPHABET[value % 37]


def read(typed: str) -> str | None:
    """Return the 27 characters of a typed code, or None if it can't be one (length, characters, check symbol).

    Spaces and hyphens are dropped, case does not matter, O reads as 0, I and L as 1 (Crockford).
    """
    plain = "".join(c for c in typed.upper() if c not in " -\u2013\t\r\n")
    body, symbol = plain[:-1].translate(str.maketrans("OIL", "011")), plain[-1:]
    symbol = symbol.translate(str.maketrans("OIL", "011"))
    if len(body) != LENGTH or any(c not in ALPHABET for c in body) or check_symbol(body) != symbol:
        return None
    return body + symbol


def groups(code: str) -> list[str]:
    """Return the code in groups of four, the last one of three, as it is shown; the last group is typed back."""
    return [code[start : start + GROUP] for start in range(0, len(code), GROUP)]


def keys(code: str) -> CodeKeys:
    """Return what the server may keep of a code."""
    sign_in = Ed25519PrivateKey.from_private_bytes(_derive(code, "sign-in", _KEY_BYTES))
    reply = X25519PrivateKey.from_private_bytes(_derive(code, "reply", _KEY_BYTES))
    return CodeKeys(
        lookup_id=_derive(code, "look-up", _LOOKUP_BYTES).hex(),
        sign_in_public=sign_in.public_key().public_bytes_raw(),
        reply_public=reply.public_key().public_bytes_raw(),
    )


def sign(code: str, message: bytes) -> bytes:
    """Sign a challenge with the code's sign-in key (for people without JavaScript, and tests)."""
    return Ed25519PrivateKey.from_private_bytes(_derive(code, "sign-in", _KEY_BYTES)).sign(message)


def verifies(sign_in_public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether the holder of the code signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(sign_in_public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _derive(code: str, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=SALT, info=purpose.encode()).derive(code.encode())

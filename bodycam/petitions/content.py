"""What a citizen tells, and who he is: two things under two data keys.

Each is AES-256-GCM with a fresh nonce at every change, bound to its submission and its field, so that neither can be moved to
another row. The data keys lie wrapped by the vault's keyring. The text that goes into the receipt's commitment is the
canonical JSON (RFC 8785) of `Content`; a citizen who keeps it can prove every word.
"""

import secrets
from dataclasses import asdict, dataclass, fields

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bodycam.custody.canonical import canonical, parse
from bodycam.db import nfc
from bodycam.errors import InvalidInputError
from bodycam.vault.keyring import Keyring

KEY_BYTES = 32
NONCE_BYTES = 12
MOST_TEXT = 20_000
MOST_LINE = 500


@dataclass(frozen=True)
class Content:
    """What is reported, as typed: free text in Unicode NFC. `when` stays as it was written ("khoảng 14 giờ hôm qua")."""

    when: str = ""
    where: str = ""
    plate: str = ""
    unit: str = ""
    text: str = ""


@dataclass(frozen=True)
class Identity:
    """Who reports, if he chose to say so."""

    name: str
    contact: str
    address: str = ""


def clean(field: str, value: str, most: int) -> str:
    """Return the text in NFC with plain line ends; raises InvalidInputError when longer than `most` characters."""
    text = nfc(value.replace("\r\n", "\n").replace("\x00", "")).strip()
    if len(text) > most:
        raise InvalidInputError(
            field=field,
            reason=f"at most {most} characters, these are {len(text)}",
            reason_vi=f"tối đa {most} ký tự, đang có {len(text)}",
        )
    return text


def new_key(keyring: Keyring, place: str) -> bytes:
    """Return a fresh data key, wrapped for its place."""
    return keyring.wrap(secrets.token_bytes(KEY_BYTES), place.encode())


def lock(keyring: Keyring, wrapped_key: bytes, place: str, field: str, plain: str) -> bytes:
    """Encrypt one field under a wrapped data key; `place` is what the key was wrapped for."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(keyring.unwrap(wrapped_key, place.encode()))
    return nonce + cipher.encrypt(nonce, plain.encode(), f"{place}/{field}".encode())


def unlock(keyring: Keyring, wrapped_key: bytes, place: str, field: str, sealed: bytes) -> str:
    """Decrypt what `lock` made; raises ValueError if it was changed or belongs elsewhere."""
    cipher = AESGCM(keyring.unwrap(wrapped_key, place.encode()))
    try:
        plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], f"{place}/{field}".encode())
    except InvalidTag:
        raise ValueError(f"{place}/{field} was changed or belongs elsewhere") from None
    return plain.decode()


def write_content(content: Content) -> str:
    """Return the canonical JSON whose hash goes into the receipt."""
    return canonical(asdict(content))


def read_content(text: str) -> Content:
    """Return the content of such JSON."""
    return Content(**_strings(text, {f.name for f in fields(Content)}))


def write_identity(identity: Identity) -> str:
    """Return the JSON of who reports."""
    return canonical(asdict(identity))


def read_identity(text: str) -> Identity:
    """Return who reports from such JSON."""
    return Identity(**_strings(text, {f.name for f in fields(Identity)}))


def _strings(text: str, names: set[str]) -> dict[str, str]:
    value = parse(text)
    assert isinstance(value, dict), "we wrote it as an object"
    return {name: str(item) for name, item in value.items() if name in names}

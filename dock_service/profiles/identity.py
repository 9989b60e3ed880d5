"""Who a camera says it is: a text file or the industry's 94-byte record, in GBK on several models.

The record (pack 1): serial[8], police number[7], user name[33], unit number[13], unit name[33], each ended by NUL or padded.
"""

import unicodedata
from dataclasses import dataclass

RECORD_BYTES = 8 + 7 + 33 + 13 + 33
_FIELDS = (("serial", 8), ("officer", 7), ("officer_name", 33), ("unit", 13), ("unit_name", 33))
_LONGEST = 100


@dataclass(frozen=True)
class IdentityRecord:
    """What a camera says of itself and of its user; an empty field was not set."""

    serial: str
    officer: str = ""
    officer_name: str = ""
    unit: str = ""
    unit_name: str = ""


def read_record(data: bytes) -> IdentityRecord | None:
    """Read the 94-byte record; None when it is too short or names no serial."""
    if len(data) < RECORD_BYTES:
        return None
    fields, at = {}, 0
    for name, size in _FIELDS:
        fields[name] = _text(data[at : at + size].split(b"\0", 1)[0])
        at += size
    record = IdentityRecord(**fields)
    return record if record.serial else None


def read_text(data: bytes) -> IdentityRecord | None:
    """Read a text file whose first line is the serial; None when that line is empty."""
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]:
        serial = _text(line)
        if serial:
            return IdentityRecord(serial)
    return None


def _text(data: bytes) -> str:
    """Decode a field: UTF-8 when it is, else GBK; never fails, never keeps control characters."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("gbk", errors="replace")
    kept = "".join(" " if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} else letter for letter in text)
    return unicodedata.normalize("NFC", kept).rstrip("\ufffd").strip()[:_LONGEST]  # a name cut inside a letter

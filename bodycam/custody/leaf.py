"""What anybody may know of a leaf to check it: its schema, its limit, and how its commitments are opened. Needs no database."""

import hashlib
from collections.abc import Mapping

from bodycam.custody.canonical import JSON

SCHEMA = "bodycam/event/1"
MAX_LEAF = 65_535  # bytes: an entry's length is a uint16 (C2SP tlog-tiles, "Log entries")
CONTENT = "content"  # the opening of a file's commitment; no private value may take this name


def commitment(opening: Mapping[str, JSON]) -> str:
    """Return the hex SHA-256 that stands in the leaf for an opening.

    Over salt (16 bytes) ‖ UTF-8 value (NFC); for content salt ‖ sha256 (32 bytes) ‖ size (8 bytes, big-endian).

    Raises:
        ValueError: the opening isn't one.
    """
    try:
        salt = _unhex(opening["salt"])
        if "sha256" in opening:
            size = opening["size"]
            if not isinstance(size, int) or size < 0:
                raise ValueError("a size is a whole number of bytes")
            data = _unhex(opening["sha256"]) + size.to_bytes(8, "big")
        else:
            data = str(opening["value"]).encode()
    except (KeyError, OverflowError) as error:
        raise ValueError(f"not an opening: {error}") from None
    return hashlib.sha256(salt + data).hexdigest()


def _unhex(text: JSON) -> bytes:
    data = bytes.fromhex(str(text))
    if data.hex() != text:
        raise ValueError("hex is written in small letters, without spaces")
    return data

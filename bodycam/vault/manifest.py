"""The encrypted manifest beside each object: what it is and where it came from, so that footage outlives a lost database.

JSON with at least `format`, `sha256` and `size` of the original; the rest is intake's. Sealed with the object's own data key
under another context and salt, so whoever may open the object may read it and nobody else learns anything.
"""

import json
import re
from collections.abc import Mapping

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag

from bodycam.vault import chunked
from bodycam.vault.errors import DamagedObjectError

_FORMAT = "bodycam-manifest@1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def seal_manifest(key: bytes, values: Mapping[str, object], sha256: str, size: int) -> bytes:
    """Return the sealed manifest; `values` must be JSON, and the vault's own three names win."""
    body = {**values, "format": _FORMAT, "sha256": sha256, "size": size}
    encryptor = Cobblestone256Encryptor(key, chunked.MANIFEST)
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
    return encryptor.update(text) + encryptor.finalize()


def open_manifest(object_id: str, key: bytes, sealed: bytes) -> dict[str, object]:
    """Return the manifest; raises `DamagedObjectError`."""
    decryptor = Cobblestone256Decryptor(key, chunked.MANIFEST)
    try:
        body = json.loads(decryptor.update(sealed) + decryptor.finalize())
        fits = body["format"] == _FORMAT and _SHA256.fullmatch(body["sha256"]) and isinstance(body["size"], int)
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise DamagedObjectError(object_id=object_id, reason="its manifest is damaged") from error
    if not fits:
        raise DamagedObjectError(object_id=object_id, reason="its manifest has another format")
    return dict(body)

"""The key envelope beside each object: its data key, wrapped for each recipient. JSON, not secret, replaceable.

`{"format": "bodycam-envelope@1", "object": …, "cipher": "cobblestone-256", "context": …, "recipients": [{"key": id, "wrapped": base64}]}`.
A wrapped key is bound to its object's id, so an envelope moved to another object doesn't open. Replacing an envelope (key
rotation) renames nothing, since an object's name is the hash of its sealed bytes alone.
"""

import base64
import binascii
import json

from bodycam.vault import chunked
from bodycam.vault.errors import DamagedObjectError, KeyMissingError
from bodycam.vault.keyring import Keyring

_FIXED = {"format": "bodycam-envelope@1", "cipher": "cobblestone-256", "context": chunked.OBJECT.decode()}


def write_envelope(object_id: str, key: bytes, keyring: Keyring) -> bytes:
    """Return an envelope with the vault's own key as the one recipient."""
    wrapped = base64.b64encode(keyring.wrap(key, _place(object_id))).decode()
    return _text({**_FIXED, "object": object_id, "recipients": [{"key": keyring.key_id, "wrapped": wrapped}]})


def open_envelope(object_id: str, envelope: bytes, keyring: Keyring) -> bytes:
    """Return the object's data key; raises `KeyMissingError` or `DamagedObjectError`."""
    try:
        body = json.loads(envelope)
        if body != {**_FIXED, "object": object_id, "recipients": body["recipients"]} or _text(body) != envelope:
            raise DamagedObjectError(object_id=object_id, reason="its key envelope is of another object or format")
        wrapped = {entry["key"]: base64.b64decode(entry["wrapped"], validate=True) for entry in body["recipients"]}
        if keyring.key_id not in wrapped:
            raise KeyMissingError(key_id=", ".join(wrapped), path=keyring.path.parent)
        return keyring.unwrap(wrapped[keyring.key_id], _place(object_id))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, chunked.BrokenMessageError) as error:
        raise DamagedObjectError(object_id=object_id, reason="its key envelope is damaged") from error


def _text(body: dict[str, object]) -> bytes:
    """Return the one spelling of an envelope, so that every changed byte shows."""
    return json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"


def _place(object_id: str) -> bytes:
    return b"bodycam/object@1\x00" + object_id.encode()

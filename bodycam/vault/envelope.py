"""The key envelope beside each object: its data key, wrapped for each recipient. JSON, not secret, replaceable.

`{"format": "bodycam-envelope@1", "object": …, "cipher": "cobblestone-256", "context": …, "recipients": [{"key": id, "wrapped":
base64}, {"escrow": id, "wrapped": base64}…], "check": hex}`. A wrapped key is bound to its object's id, so an envelope moved to
another object doesn't open. We can't open what is wrapped for escrow, so with escrow `check` binds all recipients together:
HMAC-SHA256 with the data key. Replacing an envelope (key rotation) renames nothing, since an object's name is the hash of its
sealed bytes alone.
"""

import base64
import binascii
import hmac
import json
from typing import Any

from bodycam.vault import chunked
from bodycam.vault.errors import DamagedObjectError, KeyMissingError
from bodycam.vault.escrow import EscrowKey
from bodycam.vault.keyring import Keyring

_FIXED = {"format": "bodycam-envelope@1", "cipher": "cobblestone-256", "context": chunked.OBJECT.decode()}
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, binascii.Error)
_ENTRIES = ({"key", "wrapped"}, {"escrow", "wrapped"})
_ENVELOPE = b"bodycam/envelope@1\x00"


def write_envelope(object_id: str, key: bytes, keyring: Keyring) -> bytes:
    """Return an envelope for the vault's own key and for every escrow key."""
    place, own = _place(object_id), keyring.current
    recipients = [{"key": own.key_id, "wrapped": _base64(own.wrap(key, place))}]
    recipients += [{"escrow": to.key_id, "wrapped": _base64(to.wrap(key, place))} for to in keyring.escrow]
    body = {**_FIXED, "object": object_id, "recipients": recipients}
    return _text({**body, "check": _check(body, key)} if keyring.escrow else body)


def open_envelope(object_id: str, envelope: bytes, keyring: Keyring) -> bytes:
    """Return the object's data key; raises `KeyMissingError` or `DamagedObjectError`."""
    key = read_key(object_id, envelope, keyring)
    body = json.loads(envelope)
    is_checked = "check" in body or len(body["recipients"]) > 1
    if is_checked and not hmac.compare_digest(str(body.get("check")).encode(), _check(body, key).encode()):
        raise DamagedObjectError(object_id=object_id, reason="its key envelope was changed")
    return key


def read_key(object_id: str, envelope: bytes, keyring: Keyring) -> bytes:
    """Return the data key although other recipients may be damaged: enough to read by. Raises like `open_envelope`."""
    try:
        wrapped = _wrapped(object_id, envelope, "key")
        known = [entry for name, entry in wrapped.items() if name in {key.key_id for key in keyring.keys}]
        if not known and not any(_opens(entry, object_id, keyring) for entry in wrapped.values()):
            raise KeyMissingError(key_id=", ".join(wrapped), path=keyring.path.parent)
        return keyring.unwrap(known[0], _place(object_id))
    except (*_MALFORMED, chunked.BrokenMessageError) as error:
        raise DamagedObjectError(object_id=object_id, reason="its key envelope is damaged") from error


def read_escrowed(object_id: str, envelope: bytes, escrow: EscrowKey) -> bytes:
    """Return the data key by way of escrow; raises `KeyMissingError` or `DamagedObjectError`."""
    try:
        wrapped = _wrapped(object_id, envelope, "escrow")
        if escrow.recipient.key_id not in wrapped:
            raise KeyMissingError(key_id=escrow.recipient.key_id, path="envelope")
        return escrow.unwrap(wrapped[escrow.recipient.key_id], _place(object_id))
    except (*_MALFORMED, chunked.BrokenMessageError) as error:
        raise DamagedObjectError(object_id=object_id, reason="its key envelope is damaged") from error


def is_current(object_id: str, envelope: bytes, keyring: Keyring) -> bool:
    """Tell whether an envelope is sound, for the current key, and for exactly the escrow keys there are now."""
    try:
        open_envelope(object_id, envelope, keyring)
    except (DamagedObjectError, KeyMissingError):
        return False
    recipients = json.loads(envelope)["recipients"]
    named = [(kind, entry[kind]) for entry in recipients for kind in ("key", "escrow") if kind in entry]
    return named == [("key", keyring.key_id), *(("escrow", to.key_id) for to in keyring.escrow)]


def _opens(wrapped: bytes, object_id: str, keyring: Keyring) -> bool:
    """Tell whether a recipient's name was changed and the key itself is one of ours."""
    try:
        keyring.unwrap(wrapped, _place(object_id))
    except chunked.BrokenMessageError:
        return False
    return True


def _wrapped(object_id: str, envelope: bytes, kind: str) -> dict[str, bytes]:
    """Return the wrapped keys of one kind of recipient, by the recipient's id, from an envelope in its one spelling."""
    body = json.loads(envelope)
    plain = {**_FIXED, "object": object_id, "recipients": body["recipients"]}
    if {**body, "check": ""} != {**plain, "check": ""} or _text(body) != envelope:
        raise ValueError("the key envelope is of another object or format")
    if any(entry.keys() not in _ENTRIES for entry in body["recipients"]):
        raise ValueError("a recipient is neither the vault's nor escrow")
    return {
        entry[kind]: base64.b64decode(entry["wrapped"], validate=True) for entry in body["recipients"] if kind in entry
    }


def _check(body: dict[str, Any], key: bytes) -> str:
    """Return the HMAC over an envelope without its check; the label keeps it apart from the data key's other use."""
    text = _text({name: value for name, value in body.items() if name != "check"})
    return hmac.digest(key, _ENVELOPE + text, "sha256").hex()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _text(body: dict[str, Any]) -> bytes:
    """Return the one spelling of an envelope, so that every changed byte shows."""
    return json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"


def _place(object_id: str) -> bytes:
    return b"bodycam/object@1\x00" + object_id.encode()

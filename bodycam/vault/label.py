"""The label that binds a folder of sealed objects to the keys that open it, and the mark that says where the folder is.

`vault.json` in the folder names the key that seals, and those before it that still open something: a new key beside an old
vault is noticed, and so is an older key taken away too early. With escrow it also holds these keys wrapped for escrow, for what
lies in no envelope (citizens' texts, the spool). A mark beside the key remembers the folder's path (`vault.place` for the main
place, `vault.second.place` for the second), so that the empty mount point of a disk that is unplugged is never taken for a new
vault.
"""

import base64
import binascii
import json
import secrets
from pathlib import Path
from typing import Any

from bodycam.vault import disk
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.errors import KeyDamagedError, KeyMissingError, VaultMissingError
from bodycam.vault.escrow import EscrowKey
from bodycam.vault.keyring import Keyring, key_id_of

FILE = "vault.json"
MAIN = "main"
_FORMAT = "bodycam-vault@1"


def mark_of(name: str, keyring: Keyring) -> Path:
    """Return the file beside the key that remembers where a place is."""
    return keyring.path.with_name("vault.place" if name == MAIN else f"vault.{name}.place")


def is_bound(root: Path) -> bool:
    """Tell whether the folder has its label: when not, its disk isn't mounted, or it was never used."""
    return (root / FILE).exists()


def attach(name: str, root: Path, keyring: Keyring, retired: str = "") -> None:
    """Make the folder (0700) and its label the first time; afterwards check it, and add the keys and escrow there are now.

    Nothing is wrapped any more by the key `retired`: it leaves the label. Raises `VaultMissingError` when the place was here
    and is not any more, `KeyMissingError` when a key that opens it is missing, `KeyDamagedError` when the label can't be read.
    """
    if not is_bound(root) and remembered(name, keyring) == str(root):
        raise VaultMissingError(path=root, mark=mark_of(name, keyring))
    disk.make_folder(root / "objects")
    disk.make_folder(root / "tmp")
    path = root / FILE
    before = path.read_bytes() if path.exists() else None
    after = label_text(keyring, path, before, retired)
    if after != before:
        _put(path, after, root / "tmp")
    remember(name, str(root), keyring)


def label_text(keyring: Keyring, where: Path | str, before: bytes | None = None, retired: str = "") -> bytes:
    """Return the label as it should stand after `before`; raises `KeyMissingError`, `KeyDamagedError` naming `where`."""
    old = read(before, where) if before is not None else {}
    needed = {*old.get("older", ()), old.get("key", keyring.key_id), *(key.key_id for key in keyring.older)} - {retired}
    for key_id in sorted(needed):
        if key_id not in {key.key_id for key in keyring.keys}:
            raise KeyMissingError(key_id=key_id, path=keyring.path.parent)
    body: dict[str, Any] = {"format": _FORMAT, "key": keyring.key_id}
    if needed - {keyring.key_id}:
        body["older"] = sorted(needed - {keyring.key_id})
    if keyring.escrow:
        body["escrowed"] = _escrowed(keyring, old.get("escrowed", {}))
    return json.dumps(body).encode() + b"\n"


def read(data: bytes, where: Path | str) -> dict[str, Any]:
    """Return a label's fields; raises `KeyDamagedError`."""
    try:
        body = json.loads(data)
        if not isinstance(body["key"], str):
            raise KeyDamagedError(path=where)
    except (ValueError, LookupError, TypeError) as error:
        raise KeyDamagedError(path=where) from error
    return dict(body)


def recover(data: bytes, where: Path | str, escrow: EscrowKey) -> list[bytes]:
    """Return the vault's keys that a label holds for escrow, the current one first; empty when it's not among them.

    Raises `KeyDamagedError` when the label was changed.
    """
    body, found = read(data, where), dict[str, bytes]()
    try:
        for key_id, recipients in body.get("escrowed", {}).items():
            if escrow.recipient.key_id in recipients:
                wrapped = base64.b64decode(recipients[escrow.recipient.key_id], validate=True)
                found[key_id] = escrow.unwrap(wrapped, _place(key_id))
    except (BrokenMessageError, ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise KeyDamagedError(path=where) from error
    if any(key_id_of(key) != key_id for key_id, key in found.items()):
        raise KeyDamagedError(path=where)
    if body["key"] not in found:
        return []
    return [found.pop(body["key"]), *found.values()]


def forget(root: Path) -> None:
    """Take the label away: whoever recovered the vault's data keys one by one binds it to a new key next."""
    disk.remove(root / FILE)
    disk.sync_folder(root)


def remembered(name: str, keyring: Keyring) -> str | None:
    """Return where a place was when it was last reached, or None before that."""
    mark = mark_of(name, keyring)
    return mark.read_text("utf-8") if mark.exists() else None


def remember(name: str, where: str, keyring: Keyring) -> None:
    """Keep where a place is, so that a missing disk or an emptied bucket is never taken for a new, empty place."""
    if remembered(name, keyring) == where:
        return
    mark = mark_of(name, keyring)
    _put(mark, where.encode(), mark.parent)


def _escrowed(keyring: Keyring, old: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    def wrapped(key_id: str, key: bytes) -> dict[str, str]:
        have = old.get(key_id, {})
        return {
            to.key_id: have.get(to.key_id) or base64.b64encode(to.wrap(key, _place(key_id))).decode()
            for to in keyring.escrow
        }

    return {key.key_id: wrapped(key.key_id, key.key) for key in keyring.keys}


def _place(key_id: str) -> bytes:
    return b"bodycam/vault-key@1\x00" + key_id.encode()


def _put(path: Path, data: bytes, aside: Path) -> None:
    draft = aside / f".{path.name}.{secrets.token_hex(8)}"
    disk.write_file(draft, data)
    disk.replace(draft, path)
    disk.sync_folder(path.parent)

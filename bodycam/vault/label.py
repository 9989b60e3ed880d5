"""The label that binds a folder of sealed objects to the key that seals it, and the mark that says where the folder is.

`vault.json` in the folder names the key, so a new key beside an old vault is noticed. A mark beside the key remembers the
folder's path (`vault.place` for the main place, `vault.second.place` for the second), so that the empty mount point of a disk
that is unplugged is never taken for a new vault.
"""

import json
import secrets
from pathlib import Path

from bodycam.vault import disk
from bodycam.vault.errors import KeyDamagedError, KeyMissingError, VaultMissingError
from bodycam.vault.keyring import Keyring

FILE = "vault.json"
MAIN = "main"
_FORMAT = "bodycam-vault@1"


def mark_of(name: str, keyring: Keyring) -> Path:
    """Return the file beside the key that remembers where a place is."""
    return keyring.path.with_name("vault.place" if name == MAIN else f"vault.{name}.place")


def is_bound(root: Path) -> bool:
    """Tell whether the folder has its label: when not, its disk isn't mounted, or it was never used."""
    return (root / FILE).exists()


def attach(name: str, root: Path, keyring: Keyring) -> None:
    """Make the folder (0700) and its label the first time; afterwards only check them.

    Raises `VaultMissingError` when the place was here and is not any more, and what `label_text` raises.
    """
    if not is_bound(root) and remembered(name, keyring) == str(root):
        raise VaultMissingError(path=root, mark=mark_of(name, keyring))
    disk.make_folder(root / "objects")
    disk.make_folder(root / "tmp")
    path = root / FILE
    before = path.read_bytes() if path.exists() else None
    after = label_text(keyring, path, before)
    if after != before:
        draft = root / "tmp" / secrets.token_hex(16)
        disk.write_file(draft, after)
        disk.replace(draft, path)
        disk.sync_folder(root)
    remember(name, str(root), keyring)


def label_text(keyring: Keyring, where: Path | str, before: bytes | None = None) -> bytes:
    """Return the label as it should stand after `before`; raises `KeyMissingError`, `KeyDamagedError` naming `where`."""
    if before is None:
        return json.dumps({"format": _FORMAT, "key": keyring.key_id}).encode() + b"\n"
    try:
        sealed_with = json.loads(before)["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyDamagedError(path=where) from error
    if sealed_with != keyring.key_id:
        raise KeyMissingError(key_id=sealed_with, path=keyring.path.parent)
    return before


def remembered(name: str, keyring: Keyring) -> str | None:
    """Return where a place was when it was last reached, or None before that."""
    mark = mark_of(name, keyring)
    return mark.read_text("utf-8") if mark.exists() else None


def remember(name: str, where: str, keyring: Keyring) -> None:
    """Keep where a place is, so that a missing disk or an emptied bucket is never taken for a new, empty place."""
    if remembered(name, keyring) == where:
        return
    mark = mark_of(name, keyring)
    draft = mark.with_name(f".{mark.name}.{secrets.token_hex(8)}")
    disk.write_file(draft, where.encode())
    disk.replace(draft, mark)
    disk.sync_folder(mark.parent)

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

    Raises `VaultMissingError` when the place was here and is not any more, `KeyMissingError` when another key sealed it,
    `KeyDamagedError` when the label can't be read.
    """
    mark = mark_of(name, keyring)
    if not is_bound(root) and mark.exists() and mark.read_text("utf-8") == str(root):
        raise VaultMissingError(path=root, mark=mark)
    disk.make_folder(root / "objects")
    disk.make_folder(root / "tmp")
    _check(root, keyring)
    _remember(mark, root)


def _check(root: Path, keyring: Keyring) -> None:
    label = root / FILE
    if not label.exists():
        draft = root / "tmp" / secrets.token_hex(16)
        disk.write_file(draft, json.dumps({"format": _FORMAT, "key": keyring.key_id}).encode() + b"\n")
        disk.replace(draft, label)
        disk.sync_folder(root)
    try:
        sealed_with = json.loads(label.read_bytes())["key"]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyDamagedError(path=label) from error
    if sealed_with != keyring.key_id:
        raise KeyMissingError(key_id=sealed_with, path=keyring.path.parent)


def _remember(mark: Path, root: Path) -> None:
    if mark.exists() and mark.read_text("utf-8") == str(root):
        return
    draft = mark.with_name(f".{mark.name}.{secrets.token_hex(8)}")
    disk.write_file(draft, str(root).encode())
    disk.replace(draft, mark)
    disk.sync_folder(mark.parent)

"""The vault's key is lost: having it back from escrow.

First from the labels of the vault's folders, which hold the vault's keys wrapped for escrow; then everything opens as before.
When no label helps, a new key is made and each envelope's data key comes back by way of escrow (`rewrap.Rewrap` with the escrow
key). Both ways may be interrupted and begun again. Signing keys are not in escrow: see docs/vault.md.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bodycam import clock, custody
from bodycam.runtime import Runtime
from bodycam.sections import Settings
from bodycam.vault import label
from bodycam.vault.envelope import read_escrowed
from bodycam.vault.errors import DamagedObjectError, EscrowForeignError, KeyDamagedError, KeyMissingError
from bodycam.vault.escrow import EscrowKey
from bodycam.vault.keyring import Keyring, restore

_TRIED = 20


def restore_key(settings: Settings, escrow: EscrowKey) -> str:
    """Put a vault key in place with which the vault opens again; return where it came from: "label" or "envelopes".

    With "envelopes" the key is a new one, and a pass of `Rewrap` with the escrow key has to follow. Raises
    `EscrowForeignError`, with nothing changed, when nothing was wrapped for this escrow key.
    """
    roots = [root for root in (settings.vault.dir, settings.vault.second_dir) if root is not None]
    for root in roots:
        keys = _from_label(root, escrow)
        if keys:
            restore(settings.keys.dir, keys, clock.now())
            return "label"
    if not any(_fits(path, escrow) for root in roots for path in islice(_envelopes(root), _TRIED)):
        raise EscrowForeignError(key_id=escrow.recipient.key_id)
    keyring = Keyring.open(settings.keys.dir)
    for name, root in zip((label.MAIN, "second"), roots, strict=False):
        label.mark_of(name, keyring).unlink(missing_ok=True)
        label.forget(root)
    return "envelopes"


def note_recovery(rt: Runtime, escrow: EscrowKey, source: str, actor: str) -> None:
    """Record that keys came back from escrow: whoever held the escrow key could open everything."""
    details = {"from": source, "escrow": escrow.recipient.key_id}
    with rt.db.write() as session:
        custody.record(session, "key.recovered", object_id=rt.keyring.key_id, actor=actor, details=details)


def _from_label(root: Path, escrow: EscrowKey) -> list[bytes]:
    path = root / label.FILE
    try:
        return label.recover(path.read_bytes(), path, escrow)
    except (FileNotFoundError, KeyDamagedError):
        return []


def _envelopes(root: Path) -> Iterator[Path]:
    return (root / "objects").glob("??/*.env")


def _fits(path: Path, escrow: EscrowKey) -> bool:
    try:
        read_escrowed(path.stem, path.read_bytes(), escrow)
    except (KeyMissingError, DamagedObjectError):
        return False
    return True

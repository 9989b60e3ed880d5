"""The log's signing key, and beside it the last head it signed.

The key is apart from the vault's. The head lies with the key, not with the log, so that a log folder put back from an older
copy, or rewritten with all its hashes, is noticed before anything more is signed.
"""

import os
import secrets
from pathlib import Path

from bodycam.custody.durable import make_folder, sync_folder, write_durably
from bodycam.custody.errors import LogKeyError, NoteError
from bodycam.custody.note import Signer, Verifier

KEY_FILE = "log-signing.key"
HEAD_FILE = "log-head"


def open_key(keys_dir: Path, origin: str, *, create: bool) -> Signer:
    """Return the signing key of the log `origin`; with `create`, make it when there is none.

    Raises:
        LogKeyError: there is no key and none may be made, the file is no key, or the key is of another log.
    """
    path = keys_dir / KEY_FILE
    if create and not path.exists():
        _create_key(path, origin)
    try:
        signer = Signer.parse(path.read_text("ascii"))
    except FileNotFoundError:
        raise LogKeyError(path=path, reason="the file is missing, but the log has been signed") from None
    except (NoteError, UnicodeDecodeError) as error:
        raise LogKeyError(path=path, reason=str(error)) from None
    if signer.name != origin:
        raise LogKeyError(path=path, reason=f"it is of the log {signer.name!r}, log.origin says {origin!r}")
    return signer


def read_public(path: Path, origin: str) -> Verifier:
    """Return the public key of the log `origin` from its file.

    Raises:
        LogKeyError: the file is missing or no key, or the key is of another log.
    """
    try:
        verifier = Verifier.parse(path.read_text("ascii"))
    except FileNotFoundError:
        raise LogKeyError(
            path=path, reason="the file is missing; the sequencer writes it when it first starts"
        ) from None
    except (NoteError, UnicodeDecodeError) as error:
        raise LogKeyError(path=path, reason=str(error)) from None
    if verifier.name != origin:
        raise LogKeyError(path=path, reason=f"it is of the log {verifier.name!r}, log.origin says {origin!r}")
    return verifier


def read_head(keys_dir: Path) -> str | None:
    """Return the last signed checkpoint as its note, or None when nothing was signed."""
    try:
        return (keys_dir / HEAD_FILE).read_text("utf-8")
    except FileNotFoundError:
        return None


def save_head(keys_dir: Path, note: str) -> None:
    """Keep the last signed checkpoint; it lasts when this returns, before anybody else sees it."""
    write_durably(keys_dir / HEAD_FILE, note.encode())


def _create_key(path: Path, origin: str) -> None:
    # several processes may start at once on the first day: the first link wins, all read the same key
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    make_folder(path.parent)
    write_durably(aside, f"{Signer.generate(origin).private_text()}\n".encode())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    sync_folder(path.parent)  # before anything names this key, or a power cut may leave its public half alone

"""Making a backup while everything runs.

The order makes it whole: first one moment's database, then the log, so that the log's tiles are never behind the database that is
restored with them, and a start brings the rows forward. Everything is read back from the disk, the log's root recomputed; the file
`backup.json` comes last, so a backup without it was broken off. Sealed objects are not in it: further copies (`vault.copies`) keep
those. Keys are in it only when asked for.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from bodycam import __version__, clock
from bodycam.backup import database, files
from bodycam.backup.errors import BackupFolderError
from bodycam.backup.files import Listed, Progress
from bodycam.backup.models import Backup
from bodycam.custody import merkle, record
from bodycam.custody.canonical import JSON
from bodycam.custody.keys import HEAD_FILE
from bodycam.custody.log import CHECKPOINT_FILE, WITNESSED_FILE, Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.tiles import WIDTH, Edge
from bodycam.db import Database, new_id
from bodycam.sections import Settings

SCHEMA = "bodycam/backup/1"
MANIFEST = "backup.json"
_ROUNDS = 20


@dataclass(frozen=True)
class Made:
    """A finished backup: how many files and bytes, the log's size in it, and when it must be destroyed (UTC)."""

    backup_id: str
    files: int
    size: int
    log_size: int
    expires_at: datetime


def make_backup(
    settings: Settings,
    db: Database,
    log: Log,
    folder: Path,
    *,
    progress: Progress,
    with_keys: bool = False,
    keep_days: int = 35,
    site_file: Path | None = None,
) -> Made:
    """Back up database, log, the site's settings file and, with `with_keys`, the keys into a new folder; read all back.

    Raises `BackupFolderError`, `BackupToolError`, `BackupDamagedError` (what was read back differs), `OSError`.
    """
    _claim(folder, settings)
    row = _register(db, folder, with_keys=with_keys, keep_days=keep_days)
    dumped = database.dump(settings.database.url, folder / "database", progress)
    known, revision = _log_known(db)
    listed = [Listed(f"database/{dumped.name}", files.hash_from_disk(dumped, progress, "check"))]
    note, log_files = _copy_log(log, folder / "log", progress)
    listed += log_files
    if with_keys:
        listed += _copy_keys(settings.keys.dir, folder / "keys", note, progress)
    if site_file is not None:
        listed.append(
            Listed(
                f"config/{site_file.name}",
                files.copy(site_file, folder / "config" / site_file.name, progress, "config"),
            )
        )
    for file in listed:
        files.check(folder, file, progress, "check")
    size = _check_log(folder / "log", log)
    total = sum((folder / file.path).stat().st_size for file in listed)
    about = {
        "schema": SCHEMA,
        "id": row.id,
        "made_at": row.began_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "version": __version__,
        "database": make_url(settings.database.url).get_backend_name(),
        "revision": revision,
        "log_known": known,  # entries the database knows: never more than log_size
        "log": log.origin,
        "log_size": size,
        "keys": with_keys,
        "files": len(listed),
        "bytes": total,
        "list": files.write_list(folder, listed),
    }
    files.sync_tree(folder)
    files.write(folder / MANIFEST, json.dumps(about, indent=1).encode() + b"\n")
    files.sync_tree(folder)
    _finish(db, row.id, size, total)
    return Made(row.id, len(listed), total, size, row.expires_at)


def _claim(folder: Path, settings: Settings) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupFolderError(path=folder, reason="it is not empty", reason_vi="thư mục không trống")
    for inner in (settings.log.dir, settings.keys.dir, settings.vault.dir):
        if folder.absolute().is_relative_to(inner):
            raise BackupFolderError(path=folder, reason=f"it lies in {inner}", reason_vi=f"nằm trong {inner}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _register(db: Database, folder: Path, *, with_keys: bool, keep_days: int) -> Backup:
    now = clock.now()
    with db.write() as session:
        row = Backup(
            id=new_id(),
            place=str(folder.absolute()),
            began_at=now,
            expires_at=now + timedelta(days=keep_days),
            has_keys=with_keys,
        )
        session.add(row)
        return row


def _finish(db: Database, backup_id: str, log_size: int, size: int) -> None:
    with db.write() as session:
        row = session.get_one(Backup, backup_id)
        row.finished_at, row.log_size, row.size = clock.now(), log_size, size
        details: dict[str, JSON] = {
            "log_size": log_size,
            "keys": row.has_keys,
            "expires": row.expires_at.date().isoformat(),
        }
        private = {"place": row.place}
        record(session, "backup.made", object_id=backup_id, actor="system", details=details, private=private)


def _log_known(db: Database) -> tuple[int, str]:
    """Return how many log entries the database knows now, no fewer than in the dump, and its tables' version."""
    with db.read() as session:
        last = session.scalar(select(func.max(CustodyEvent.log_index)))
        revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return (0 if last is None else last + 1), str(revision)


def _copy_log(log: Log, target: Path, progress: Progress) -> tuple[str | None, list[Listed]]:
    """Copy a living log; return the checkpoint it is copied under. Tiles come after the checkpoint, so all of its are there."""
    target.mkdir(mode=0o700)
    witnessed = _read(log.dir / WITNESSED_FILE)  # before the checkpoint: never newer than it
    note = _read(log.dir / CHECKPOINT_FILE)
    listed = []
    for name, data in ((WITNESSED_FILE, witnessed), (CHECKPOINT_FILE, note)):
        if data is not None:
            listed.append(Listed(f"log/{name}", files.write(target / name, data)))
    seen = {log.dir / WITNESSED_FILE, log.dir / CHECKPOINT_FILE}
    for _ in range(_ROUNDS):
        fresh = [path for path in _files_of(log.dir) if path not in seen]
        if not fresh:
            break
        for path in fresh:
            seen.add(path)
            place = path.relative_to(log.dir)
            try:
                listed.append(Listed(f"log/{place}", files.copy(path, target / place, progress, "log")))
            except FileNotFoundError:  # a partial tile that was replaced by its full one: the next round finds that
                (target / place).unlink(missing_ok=True)
    return (None if note is None else note.decode()), listed


def _copy_keys(keys: Path, target: Path, note: str | None, progress: Progress) -> list[Listed]:
    target.mkdir(mode=0o700)
    listed = [
        Listed(f"keys/{path.relative_to(keys)}", files.copy(path, target / path.relative_to(keys), progress, "keys"))
        for path in _files_of(keys)
        if path.name != HEAD_FILE
    ]
    if note is not None:  # what the key remembers must be the log that lies beside it here
        listed.append(Listed(f"keys/{HEAD_FILE}", files.write(target / HEAD_FILE, note.encode())))
    return listed


def _files_of(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and path.suffix != ".lock":
            yield path


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _check_log(copied: Path, log: Log) -> int:
    """Recompute the copied tree from its leaves and hold it against its checkpoint; return its size."""
    copy = Log(copied, copied, log.origin)
    checkpoint = copy.checkpoint() if (copied / CHECKPOINT_FILE).exists() else None
    if checkpoint is None:
        return 0
    edge = Edge()
    for bundle in range(-(-checkpoint.size // WIDTH)):
        hashes = [merkle.leaf_hash(entry) for entry in copy.tiles.entries(bundle, checkpoint.size)]
        if hashes != copy.tiles.hashes(0, bundle, checkpoint.size):
            break
        for value in hashes:
            edge.append(value)
    if edge.size != checkpoint.size or edge.root() != checkpoint.root:
        raise files.damaged(copied, "the copied log is not the signed one", "nhật ký chép ra khác nhật ký đã ký")
    return checkpoint.size

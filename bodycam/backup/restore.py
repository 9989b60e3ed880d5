"""Putting a backup back, where nothing is: everything is held against its hash first, laid aside, and only then given its place.

A restored database is older than the world. With the log of the same backup, or a newer one that survived, the next start brings
the events' rows forward (`custody.reconcile`); with an older log nothing is restored, since the key would sign its entries twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bodycam import clock
from bodycam.backup import database, files
from bodycam.backup.errors import LogOlderError, RestoreTargetError
from bodycam.backup.files import Listed, Progress
from bodycam.backup.models import Backup
from bodycam.backup.service import MANIFEST, SCHEMA
from bodycam.custody import keys, record
from bodycam.custody.canonical import JSON
from bodycam.custody.log import CHECKPOINT_FILE
from bodycam.db import Database
from bodycam.sections import Settings


@dataclass(frozen=True)
class Plan:
    """What a checked backup holds, and which parts of it have a place to go to."""

    folder: Path
    backup_id: str
    made_at: datetime
    revision: str
    log_size: int
    listed: tuple[Listed, ...]
    parts: tuple[str, ...]  # of database, log, keys
    brought_forward: int  # entries that the log has and the database will be given at the next start


def plan_restore(settings: Settings, folder: Path, *, progress: Progress, database_only: bool = False) -> Plan:
    """Check a backup and the places it would go to; nothing is changed.

    With `database_only` the log and the keys that are here are kept. Keys that are here already are always kept.

    Raises `BackupDamagedError`, `RestoreTargetError`, `LogOlderError`.
    """
    about = _read_manifest(folder)
    listed = tuple(files.read_list(folder, str(about["list"])))
    kind = make_url(settings.database.url).get_backend_name()
    if about["database"] != kind:
        raise files.damaged(
            folder, f"it is of a {about['database']} database, the settings name {kind}",
            f"là cơ sở dữ liệu {about['database']}, cấu hình đang đặt {kind}",
        )  # fmt: skip
    parts = ["database"]
    if not database_only and not _is_there(listed, "log", settings.log.dir):
        parts.append("log")
    if about["keys"] and not database_only and not _holds(settings.keys.dir):
        parts.append("keys")
    _refuse_occupied(settings, parts)
    size = _size_here(settings.log.dir) if database_only else int(about["log_size"])
    _refuse_older(settings, about, size, parts)
    for file in listed:
        files.check(folder, file, progress, "check")
    return Plan(
        folder,
        str(about["id"]),
        datetime.fromisoformat(str(about["made_at"])),
        str(about["revision"]),
        int(about["log_size"]),
        listed,
        tuple(parts),
        size - int(about["log_known"]),
    )


def restore(settings: Settings, plan: Plan, *, progress: Progress) -> None:
    """Put the parts of a plan in their places; interrupted, it is begun anew. Raises what copying raises."""
    for part, target in (("keys", settings.keys.dir), ("log", settings.log.dir)):
        if part in plan.parts:
            _put_folder(plan, part, target, progress)
    [dumped] = [file for file in plan.listed if file.path.startswith("database/")]
    database.load(settings.database.url, plan.folder / dumped.path)
    progress("database", (plan.folder / dumped.path).stat().st_size)


def note_restored(db: Database, plan: Plan) -> None:
    """Write down in the restored database, once its tables are this version's, that and from what it was restored."""
    with db.write() as session:
        row = session.get(Backup, plan.backup_id)
        if row is not None and row.finished_at is None:  # the copy was made while this backup was being made
            row.finished_at, row.log_size = clock.now(), plan.log_size
        details: dict[str, JSON] = {
            "made_at": plan.made_at.isoformat(),
            "parts": list(plan.parts),
            "log_size": plan.log_size,
        }
        record(session, "backup.restored", object_id=plan.backup_id, actor="system", details=details)


def _read_manifest(folder: Path) -> Mapping[str, Any]:
    try:
        about = json.loads((folder / MANIFEST).read_bytes())
        known = about["schema"] == SCHEMA
    except FileNotFoundError:
        raise files.damaged(folder, f"{MANIFEST} is missing: it was broken off, or is no backup",
                            f"thiếu {MANIFEST}: sao lưu dở dang, hoặc không phải bản sao lưu") from None  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise files.damaged(folder, f"{MANIFEST}: {error}") from None
    wanted: dict[str, type] = {
        "id": str, "made_at": str, "revision": str, "database": str, "list": str, "log_size": int, "log_known": int, "keys": bool,
    }  # fmt: skip
    if not known or not all(isinstance(about.get(name), kind) for name, kind in wanted.items()):
        raise files.damaged(folder, f"{MANIFEST} is not a {SCHEMA}", f"{MANIFEST} không phải {SCHEMA}")
    return dict(about)


def _refuse_occupied(settings: Settings, parts: list[str]) -> None:
    todo = "Move it away first, or restore the database alone with --database-only when this log is to be gone on with."
    todo_vi = "Chuyển đi trước, hoặc chỉ khôi phục cơ sở dữ liệu bằng --database-only nếu giữ nhật ký này."
    if "log" in parts and _holds(settings.log.dir):
        raise RestoreTargetError(path=settings.log.dir, todo=todo, todo_vi=todo_vi)
    if not database.is_empty(settings.database.url):
        url = make_url(settings.database.url)
        raise RestoreTargetError(path=url.database, todo="Move it away first.", todo_vi="Chuyển đi trước.")


def _refuse_older(settings: Settings, about: Mapping[str, Any], size: int, parts: list[str]) -> None:
    known = int(about["log_known"])
    if size < known:
        raise LogOlderError(
            size=size, known=known, last=known - 1, who="the database of this backup", who_vi="cơ sở dữ liệu sao lưu"
        )
    remembered = 0 if "keys" in parts else _size_of(keys.read_head(settings.keys.dir))
    if size < remembered:
        raise LogOlderError(
            size=size, known=remembered, last=remembered - 1, who="the signing key here", who_vi="khóa ký ở đây"
        )


def _size_here(log_dir: Path) -> int:
    try:
        return _size_of((log_dir / CHECKPOINT_FILE).read_text("utf-8"))
    except FileNotFoundError:
        return 0


def _size_of(note: str | None) -> int:
    """Return the size a checkpoint names, unverified: a start verifies it; here it only decides whether to go on."""
    try:
        return 0 if note is None else int(note.split("\n")[1])
    except (IndexError, ValueError):
        return 0


def _holds(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix != ".lock" for path in folder.iterdir())


def _is_there(listed: Sequence[Listed], part: str, target: Path) -> bool:
    """Tell whether an interrupted restore of the same backup has put this part in its place already."""
    wanted = {file.path.partition("/")[2]: file.sha256 for file in listed if file.path.startswith(f"{part}/")}
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    return found == wanted.keys() and all(
        files.hash_from_disk(target / name, lambda *_: None, part) == sha256 for name, sha256 in wanted.items()
    )


def _put_folder(plan: Plan, part: str, target: Path, progress: Progress) -> None:
    aside = target.with_name(f"{target.name}.restoring")
    files.clear(aside)
    aside.mkdir(mode=0o700, parents=True)
    for file in plan.listed:
        if file.path.startswith(f"{part}/"):
            inner = file.path.partition("/")[2]
            copied = files.copy(plan.folder / file.path, aside / inner, progress, part)
            if {copied, files.hash_from_disk(aside / inner, lambda *_: None, part)} != {file.sha256}:
                raise files.damaged(plan.folder, f"{file.path} does not read back", f"{file.path} đọc lại không đúng")
    files.sync_tree(aside)
    if target.is_dir():
        files.clear(target)  # empty, or a lock alone
    aside.rename(target)
    files.sync_tree(target)

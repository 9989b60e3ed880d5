"""A consistent copy of the database while others write, and putting it back: SQLite's backup API, PostgreSQL's own programs."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import URL, make_url

from bodycam.backup.errors import BackupToolError
from bodycam.backup.files import Progress, damaged, sync_tree
from bodycam.db import Database

SQLITE, POSTGRES = "database.sqlite", "database.pgdump"
_PAGES = 4096  # copied between two looks at the progress
_ALSO_IN = "/usr/lib/postgresql"


def dump(url: str, folder: Path, progress: Progress) -> Path:
    """Write one moment's whole database into `folder` and return the file; raises `BackupToolError`.

    Others go on writing meanwhile: the moment is when this begins.
    """
    folder.mkdir(mode=0o700)
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        target = folder / SQLITE
        _copy_sqlite(Path(str(parts.database)), target, progress)
    else:
        target = folder / POSTGRES
        _run("pg_dump", parts, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        target.chmod(0o600)
        progress("database", target.stat().st_size)
    _sync(target)
    return target


def is_empty(url: str) -> bool:
    """Tell whether a restore may go there: no SQLite file with anything in it, no table in the PostgreSQL."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        path = Path(str(parts.database))
        return not path.exists() or path.stat().st_size == 0
    db = Database(url)
    try:
        return not inspect(db.engine).get_table_names()
    finally:
        db.close()


def load(url: str, dumped: Path) -> None:
    """Put a dump into an empty database, whole or not at all; raises `BackupToolError`, `BackupDamagedError`."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite":
        _run(
            "pg_restore", parts, "--single-transaction", "--no-owner", "--no-privileges", "--exit-on-error", str(dumped)
        )
        return
    target = Path(str(parts.database))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f"{target.name}.restoring")
    aside.unlink(missing_ok=True)
    _copy_sqlite(dumped, aside, lambda _what, _count: None)
    _sync(aside)
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)  # of an empty database
    aside.replace(target)
    sync_tree(target.parent)


def _copy_sqlite(source: Path, target: Path, progress: Progress) -> None:
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on this moment is what is copied
        page = int(reader.execute("PRAGMA page_size").fetchone()[0])
        before = 0

        def told(_status: int, remaining: int, total: int) -> None:
            nonlocal before
            progress("database", (total - remaining - before) * page)
            before = total - remaining

        with closing(sqlite3.connect(target)) as writer:
            reader.backup(writer, pages=_PAGES, progress=told)
            writer.execute("PRAGMA journal_mode=DELETE")  # one file, no journal beside
            said = writer.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise damaged(source, f"SQLite says: {said}")


def _run(tool: str, url: URL, *arguments: str) -> None:
    program = shutil.which(tool) or next((str(path) for path in _newest(tool)), None)
    if program is None:
        raise BackupToolError(tool=tool, reason="not found / không tìm thấy")
    host = url.host or url.query.get("host")
    port = url.port or url.query.get("port")
    place = [f"--host={host}"] if host else []
    place += [f"--port={port}"] if port else []
    place += [f"--username={url.username}"] if url.username else []
    # the password goes by the environment: other people see a command's arguments
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    command = [program, *place, f"--dbname={url.database}", "--no-password", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | secret)
    if done.returncode:
        raise BackupToolError(tool=tool, reason=(done.stderr.strip().splitlines() or ["?"])[0])


def _newest(tool: str) -> list[Path]:
    return sorted(Path(_ALSO_IN).glob(f"*/bin/{tool}"), reverse=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

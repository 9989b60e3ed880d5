"""A full disk and a database that does not answer have names; what was committed before is kept."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from services import free_port
from sqlalchemy import event, text

from bodycam.db import Database
from bodycam.errors import DatabaseAwayError, DiskFullError


def _rows(db: Database) -> int:
    with db.read() as session:
        return int(session.execute(text("SELECT count(*) FROM note")).scalar_one())


def test_a_full_disk_has_a_name_and_what_was_committed_stays(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'x.db'}")

    @event.listens_for(db.engine, "begin")
    def small(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=8")  # SQLite's own way to run out of room

    with db.write() as session:
        session.execute(text("CREATE TABLE note (text)"))
        session.execute(text("INSERT INTO note VALUES ('first')"))
    with pytest.raises(DiskFullError, match=r"x\.db"), db.write() as session:
        session.execute(text("INSERT INTO note VALUES (zeroblob(1000000))"))
    assert _rows(db) == 1
    with db.write() as session:
        session.execute(text("INSERT INTO note VALUES ('second')"))
    assert _rows(db) == 2
    db.close()


def test_a_database_that_somebody_holds_too_long_has_a_name(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with db.write() as session:
        session.execute(text("CREATE TABLE note (text)"))
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    @event.listens_for(db.engine, "connect")
    def impatient(raw: Any, _record: object) -> None:
        raw.execute("PRAGMA busy_timeout=50")

    db.engine.dispose()
    with pytest.raises(DatabaseAwayError), db.write() as session:
        session.execute(text("INSERT INTO note VALUES ('too early')"))
    holder.execute("ROLLBACK")
    holder.close()
    with db.write() as session:
        session.execute(text("INSERT INTO note VALUES ('after')"))
    assert _rows(db) == 1
    db.close()


def test_a_server_that_is_not_there_has_a_name_and_the_line_says_what_to_do() -> None:
    db = Database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    with pytest.raises(DatabaseAwayError) as caught, db.read() as session:
        session.execute(text("SELECT 1"))
    assert "bodycam doctor" in caught.value.text("vi")
    assert "bodycam doctor" in caught.value.text("en")
    db.close()


@pytest.mark.postgres
def test_a_server_that_went_away_and_came_back_is_used_again(postgres_url: str) -> None:
    db, other = Database(postgres_url), Database(postgres_url)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> :me"
    )
    with pytest.raises(DatabaseAwayError), db.read() as session:
        session.execute(text("SELECT 1"))
        with other.read() as second:
            mine = second.execute(text("SELECT pg_backend_pid()")).scalar_one()
            second.execute(cut, {"me": mine})
        session.execute(text("SELECT 1"))
    with db.read() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    db.close()
    other.close()


def test_many_threads_that_write_at_once_wait_for_each_other_and_none_is_turned_away(db: Database) -> None:
    # with SQLite's own busy loop alone, some of so many gave up on a slow disk
    busy, most = [0], [0]

    def work() -> None:
        for _ in range(4):
            with db.write() as session:
                busy[0] += 1
                most[0] = max(most[0], busy[0])
                session.execute(text("SELECT 1"))
                time.sleep(0.002)
                busy[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (busy, most) == ([0], [1])

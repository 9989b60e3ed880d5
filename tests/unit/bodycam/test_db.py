"""The database: two ways in, aware times, and text that search can find."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import String, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bodycam.db import Base, Database, after_commit, fold, new_id, nfc


class Local(DeclarativeBase):
    """Tables of this test alone, so that the project's own stay what the migrations make."""

    type_annotation_map = Base.type_annotation_map


class Note(Local):
    __tablename__ = "test_note"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime | None]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'x.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    Local.metadata.create_all(database.engine)
    yield database
    database.close()


def test_a_time_comes_back_aware_and_utc_whatever_zone_it_went_in(db: Database) -> None:
    moment = datetime(2026, 11, 9, 14, 20, 7, 123456, tzinfo=timezone(timedelta(hours=7)))
    with db.write() as session:
        session.add(Note(id="a", at=moment))
    with db.read() as session:
        stored = session.get_one(Note, "a").at
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo == UTC


def test_a_naive_time_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="naive"), db.write() as session:
        session.add(Note(id="a", at=datetime(2026, 1, 1)))  # noqa: DTZ001  that's the point


def test_writers_that_read_first_do_not_lose_each_others_change(db: Database) -> None:
    with db.write() as session:
        session.add(Note(id="a"))

    def count() -> None:
        for _ in range(20):
            with db.write() as session:
                note = session.scalars(select(Note).where(Note.id == "a").with_for_update()).one()
                note.count += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert session.get_one(Note, "a").count == 80


def test_an_idle_reader_does_not_block_a_writer(db: Database) -> None:
    with db.write() as session:
        session.add(Note(id="a"))
    with db.read() as reader:
        assert reader.get_one(Note, "a").count == 0
        with db.write() as session:
            session.get_one(Note, "a").count = 1


def test_what_waits_for_the_commit_runs_after_it_and_only_then(db: Database) -> None:
    seen: list[bool] = []

    def look() -> None:
        with db.read() as session:
            seen.append(session.get(Note, "a") is not None)

    with db.write() as session:
        session.add(Note(id="a"))
        after_commit(session, look)
        assert seen == []
    assert seen == [True]


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("duc", "Vũ Minh Đức"), ("tran van nam", "Trần Văn Nam"), ("QUOC LO", "quốc lộ 1A"), ("hoàng", "HOANG YEN")],
)
def test_search_finds_vietnamese_without_its_marks(typed: str, stored: str) -> None:
    assert fold(typed) in fold(stored)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(nfc(text)) == fold(text)


def test_threads_that_write_at_once_take_turns_and_none_is_told_that_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bodycam.db.BUSY_TIMEOUT_MS", 20)  # whoever waited in SQLite itself would give up at once
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    Local.metadata.create_all(database.engine)
    wrote: list[str] = []

    def write(name: str) -> None:
        with database.write() as session:
            session.add(Note(id=name))
            time.sleep(0.03)
        wrote.append(name)

    threads = [threading.Thread(target=write, args=(f"n{number}",)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert len(wrote) == 24


def test_whoever_waited_longest_writes_next(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    wrote: list[str] = []
    first_is_in, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write():
            first_is_in.set()
            may_end.wait(10)
        for _ in range(3):  # and comes back at once: a plain lock would let it in again before the others
            with database.write():
                wrote.append("greedy")

    def write(name: str) -> None:
        with database.write():
            wrote.append(name)

    greedy = threading.Thread(target=hold)
    greedy.start()
    assert first_is_in.wait(10)
    others = [threading.Thread(target=write, args=(f"n{number}",)) for number in range(6)]
    for thread in others:
        thread.start()
        time.sleep(0.05)  # so that they stand in line in this order
    may_end.set()
    for thread in [greedy, *others]:
        thread.join()
    database.close()
    assert wrote[:6] == [f"n{number}" for number in range(6)]

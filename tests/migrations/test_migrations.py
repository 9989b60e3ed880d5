"""Migrations: one line of revisions that makes exactly the models' tables, up and down, on both databases."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from bodycam.db import Database
from bodycam.migrations.runner import (
    DatabaseOutdatedError,
    alembic_config,
    current,
    ensure,
    head,
    upgrade_to_head,
)
from bodycam.models import Base


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'x.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def test_there_is_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_heads() == [head()]
    assert len(script.get_bases()) == 1


def test_the_migrations_make_what_the_models_say(url: str, db: Database) -> None:
    upgrade_to_head(url)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_revision_goes_down_again(url: str, db: Database) -> None:
    upgrade_to_head(url)
    with db.engine.execution_options(bodycam_write=True).begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade_to_head(url)
    assert current(url) == head()


def test_several_processes_may_upgrade_at_once(url: str) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            upgrade_to_head(url)
        except BaseException as error:  # noqa: BLE001  whatever fails in a thread must fail the test
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert current(url) == head()


def test_an_embedded_database_upgrades_itself_and_a_server_says_how(url: str, db: Database) -> None:
    if db.is_sqlite:
        ensure(url)
        assert current(url) == head()
    else:
        with pytest.raises(DatabaseOutdatedError, match="bodycam db upgrade"):
            ensure(url)


def test_a_database_of_a_newer_program_is_left_alone(url: str, db: Database) -> None:
    upgrade_to_head(url)
    with db.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseOutdatedError, match="9999"):
        ensure(url)
    assert current(url) == "9999"


def test_what_the_scrub_knew_becomes_copies_of_the_main_place(db: Database) -> None:
    with db.engine.execution_options(bodycam_write=True).begin() as connection:
        command.upgrade(alembic_config(connection), "0004")
        connection.execute(
            text(
                "INSERT INTO fixity_check VALUES ('a', '2026-01-02 03:04:05', 70, ''),"
                " ('b', '2026-01-02 03:04:05', 0, 'object_missing'), ('c', '2026-01-02 03:04:05', 9, 'object_damaged')"
            )
        )
        command.upgrade(alembic_config(connection), "0005")
        rows = connection.execute(text("SELECT object_id, place, state, problems FROM vault_copy ORDER BY object_id"))
        assert [tuple(row) for row in rows] == [
            ("a", "main", "present", ""),
            ("b", "main", "missing", "object_missing"),
            ("c", "main", "damaged", "object_damaged"),
        ]

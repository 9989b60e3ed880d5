"""Run the migrations from code: for `bodycam db upgrade`, for the embedded database at start, and for tests.

Two processes may ask at once; SQLite's write lock and PostgreSQL's advisory lock let one do it and the other find it done.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bodycam.db import Database
from bodycam.errors import BodycamError

_LOCK = 0x626F6479  # "body": the advisory lock's number


class DatabaseOutdatedError(BodycamError):
    """The database's tables are older or newer than this program."""

    code = "database_outdated"
    vi = "Cơ sở dữ liệu ở phiên bản {found}, chương trình cần {wanted}. Chạy: bodycam db upgrade"
    en = "The database is at version {found}, this program needs {wanted}. Run: bodycam db upgrade"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for our scripts, with the connection they are to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """Return the newest revision this program knows."""
    found = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert found is not None
    return found


def current(url: str) -> str | None:
    """Return the revision of the database, or None when it has no tables yet."""
    db = Database(url)
    try:
        with db.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        db.close()


def upgrade_to_head(url: str) -> None:
    """Upgrade the database at `url`; does nothing when it's up to date."""
    db = Database(url)
    try:
        engine = db.engine.execution_options(bodycam_write=True)
        with engine.begin() as connection:
            if not db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            if MigrationContext.configure(connection).get_current_revision() != head():
                command.upgrade(alembic_config(connection), "head")
    finally:
        db.close()


def ensure(url: str) -> None:
    """Upgrade the embedded SQLite by itself; refuse to start on a PostgreSQL at another version.

    Raises:
        DatabaseOutdatedError: a PostgreSQL that `bodycam db upgrade` has not brought up to date.
    """
    if url.startswith("sqlite"):
        upgrade_to_head(url)
        return
    found = current(url)
    if found != head():
        raise DatabaseOutdatedError(found=found or "—", wanted=head())

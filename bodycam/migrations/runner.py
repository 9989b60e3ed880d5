"""Run the migrations from code: for `bodycam db upgrade`, for the embedded database at start, and for tests.

Two processes may ask at once; SQLite's write lock and PostgreSQL's advisory lock let one do it and the other find it done.
Whether there is anything to do is asked without Alembic: every command asks it, and Alembic takes longer to import than to run.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from bodycam.db import Database
from bodycam.errors import BodycamError

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x626F6479  # "body": the advisory lock's number
_VERSIONS = Path(__file__).parent / "versions"


class DatabaseOutdatedError(BodycamError):
    """The database's tables are older or newer than this program."""

    code = "database_outdated"
    vi = "Cơ sở dữ liệu ở phiên bản {found}, chương trình cần {wanted}. Chạy: bodycam db upgrade"
    en = "The database is at version {found}, this program needs {wanted}. Run: bodycam db upgrade"


def alembic_config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration for our scripts, with the connection they are to use."""
    from alembic.config import Config  # late: see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """Return the newest revision this program knows: files are named by it, "0001_….py", in one line (a test says so)."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """Return the revision of the database, or None when it has no tables yet."""
    db = Database(url)
    try:
        with db.engine.connect() as connection:
            return _current(connection)
    finally:
        db.close()


def upgrade_to_head(url: str) -> None:
    """Upgrade the database at `url`; does nothing when it's up to date."""
    if current(url) == head():
        return
    from alembic import command  # late: see above

    db = Database(url)
    try:
        with db.engine.execution_options(bodycam_write=True).begin() as connection:
            if not db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            if _current(connection) != head():
                command.upgrade(alembic_config(connection), "head")
    finally:
        db.close()


def ensure(url: str) -> None:
    """Upgrade the embedded SQLite by itself; refuse to start on a PostgreSQL at another version.

    Raises:
        DatabaseOutdatedError: a PostgreSQL that `bodycam db upgrade` has not brought up to date, or an SQLite that a newer
            program made.
    """
    found = current(url)
    newer = found is not None and found > head()
    if url.startswith("sqlite") and not newer:
        upgrade_to_head(url)
    elif found != head():
        raise DatabaseOutdatedError(found=found or "—", wanted=head())


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found

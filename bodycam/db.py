"""Engine, sessions and the declarative base.

Services take a session first and never commit; the edge (request, task, command) opens one with `Database.read()` or
`Database.write()`, which commits once. On SQLite there are two kinds of transaction on purpose: plain BEGIN for readers and
BEGIN IMMEDIATE for writers, since read-then-write under a plain BEGIN fails outright when two processes do it. Never keep a
session open while bytes are copied or streamed.
"""

import os
import sqlite3
import threading
import time
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uuid_utils
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.engine import Connection, ExceptionContext, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from bodycam.errors import DatabaseAwayError, DatabaseEmptyError, DiskFullError

BUSY_TIMEOUT_MS = 15_000
_AFTER_COMMIT = "bodycam_after_commit"
# primary and extended result codes, sqlite.org/rescode.html; growing the -shm file on a full disk is an IOERR
_SQLITE_FULL = {13, 4874}
_SQLITE_BUSY = {5, 6}
_POSTGRES_FULL, _POSTGRES_NO_TABLE = "53100", "42P01"  # PostgreSQL documentation, appendix A


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; refuses naive ones, and gives aware ones back on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """Check that the time is aware and store it as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        """Return the stored time as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base with stable constraint names, so that migrations can name what they drop."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map = {datetime: UtcDateTime, int: BigInteger}  # noqa: RUF012  SQLAlchemy reads a plain attribute


def new_id() -> str:
    """Return a new time-sortable id: a UUIDv7 (RFC 9562, 5.7) as 36 characters of text."""
    return str(uuid_utils.uuid7())


def nfc(text: str) -> str:
    """Return the text in Unicode NFC, the only form that is stored."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Return the text as search sees it: lower case, no diacritics, đ as d ("Đức" is found by "duc")."""
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


class Database:
    """One database and its two ways in: `read()` and `write()`."""

    def __init__(self, url: str) -> None:
        """Open the engine for a SQLite or PostgreSQL URL; nothing is created but a SQLite file's folder."""
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = (
            _sqlite_engine(url) if self.is_sqlite else create_engine(url, pool_pre_ping=True, hide_parameters=True)
        )
        event.listen(self.engine, "handle_error", self._name_trouble)
        self._writer = self.engine.execution_options(bodycam_write=True)
        self._line = _Line() if self.is_sqlite else None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; it is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session for writing; commits at the end, rolls back on an error, then runs what `after_commit` left."""
        turn = self._line.turn() if self._line is not None else nullcontext()
        with turn, Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            actions: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
        for action in actions:
            action()

    def _name_trouble(self, context: ExceptionContext) -> None:
        """Raise our own error when it's the disk or the server, and no mistake of the program."""
        error = context.original_exception
        code, state = getattr(error, "sqlite_errorcode", 0), getattr(error, "sqlstate", None)
        if state == _POSTGRES_NO_TABLE or (code == 1 and "no such table" in str(error)):
            raise DatabaseEmptyError from error
        if context.is_pre_ping or not isinstance(context.sqlalchemy_exception, OperationalError):
            return
        if code & 0xFF in _SQLITE_FULL or code in _SQLITE_FULL or state == _POSTGRES_FULL:
            raise DiskFullError(path=make_url(self.url).database) from error
        if code & 0xFF in _SQLITE_BUSY or context.is_disconnect or (context.connection is None and not self.is_sqlite):
            raise DatabaseAwayError(reason=type(error).__name__) from error

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


class _Line:
    """Threads of this process that want to write to SQLite, one at a time, first come, first served.

    SQLite lets one write at a time and wakes whoever waits by chance: of a full dock's threads some starved for its whole timeout,
    and with a plain lock the last camera of 24 waited half of the time for its first byte. Other processes wait at SQLite itself.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._waiting: deque[tuple[int, threading.Event]] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn and keep it while the block runs; a thread that has it already goes on."""
        me, called = threading.get_ident(), threading.Event()
        if self._owner == me:
            yield
            return
        with self._guard:
            if self._owner is None:
                self._owner = me
                called.set()
            else:
                self._waiting.append((me, called))
        try:
            called.wait()
            yield
        finally:
            self._leave(me, called)

    def _leave(self, me: int, called: threading.Event) -> None:
        with self._guard:
            if not called.is_set():  # interrupted while it waited
                self._waiting.remove((me, called))
                return
            self._owner, following = self._waiting.popleft() if self._waiting else (None, None)
            if following is not None:
                following.set()


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Run `action` once the session's transaction is committed (by `Database.write`); never when it's rolled back."""
    session.info.setdefault(_AFTER_COMMIT, []).append(action)


def _use_wal(raw: Any) -> None:  # noqa: ANN401  the driver's own connection
    """Turn write-ahead logging on; of two processes that open a new database SQLite tells one "locked" without waiting."""
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)  # the other one needs milliseconds
        else:
            return


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # SQLite itself says what is wrong, when it's asked for something
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # its journal files get the same mode
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        hide_parameters=True,  # an error's text goes to the log, the values are people's
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, record: object) -> None:  # noqa: ANN401, ARG001  the driver's own connection and signature
        raw.isolation_level = None  # the driver must not open transactions behind our back
        for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            raw.execute(f"PRAGMA {pragma}")
        _use_wal(raw)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("bodycam_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine

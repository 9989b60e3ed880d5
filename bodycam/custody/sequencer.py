"""The one process that makes events part of the log: `python -m bodycam.custody.sequencer`.

It takes the events whose index is null (never "id greater than the last": ids commit out of order), appends them to the tiles,
syncs, signs the checkpoint, and only then writes the indexes and receipts. What was signed is the truth after a crash: unsigned
left-overs are replaced, signed leaves whose rows still wait are marked. A file lock, and on PostgreSQL an advisory lock too,
make it one; it refuses to sign what contradicts the last signed head.
"""

import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog
from sqlalchemy import Connection, exists, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from bodycam import clock
from bodycam.custody.kinds import RECEIPT_KINDS
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.receipts import issue
from bodycam.custody.reconcile import reconcile, reissue, unissued
from bodycam.custody.service import record, record_now
from bodycam.custody.tiles import TileWriter
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.process import AlreadyRunningError, hold_lifeline, log_to_stderr, only_one, stop_event
from bodycam.settings import load_settings

LOCK_FILE = "sequencer.lock"
CHECKPOINT_S = 60.0
_BATCH = 500
_MOST_ANEW = 10_000
_POLL_S = 0.15  # what an event waits at most before the log takes it, and how commits come together in one append
_PG_LOCK = 0x626F6479_6C6F67  # "bodylog": the advisory lock's number within its database
_logger = structlog.get_logger()


class Sequencer:
    """Appends what waits; one instance may be used again and again, by one thread."""

    def __init__(self, db: Database, log: Log) -> None:
        """Remember the database and the log; nothing is locked yet."""
        self._db = db
        self._log = log
        self._lock: Connection | None = None

    def run_once(self, wait_s: float = 30.0) -> int:
        """Sequence everything that waits now and return how many events this call appended itself.

        When another sequencer holds the log, wait until that one has taken all that was waiting. On return every event
        committed before the call is in the log and has its receipt.

        Raises:
            AlreadyRunningError: another sequencer holds the log and doesn't take the events within `wait_s` seconds.
            LogForkError, LogDamagedError: the log can't be continued.
        """
        deadline = clock.monotonic() + wait_s
        while True:
            try:
                with self.hold():
                    return self._drain(self._open())
            except AlreadyRunningError:
                if not self._anything_pending():
                    return 0
                if clock.monotonic() > deadline:
                    raise
            time.sleep(_POLL_S / 3)

    def run_forever(
        self, stop: threading.Event, *, checkpoint_s: float | None = CHECKPOINT_S, wait_s: float = 10.0
    ) -> None:
        """Sequence events as they come until `stop` is set.

        When nothing comes for `checkpoint_s` seconds a log.tick is appended, so that there is a new checkpoint (None: never).

        Raises:
            AlreadyRunningError: another sequencer still holds the log after `wait_s` seconds (a command may for a moment).
            LogForkError, LogDamagedError: the log can't be continued.
        """
        with ExitStack() as stack:
            self._hold_patiently(stack, stop, wait_s)
            writer = self._open()
            reissue(self._db, self._log)
            signed_at = -math.inf  # the first tick comes at once: it dates the start
            while not stop.is_set():
                if self._drain(writer):
                    signed_at = clock.monotonic()
                elif checkpoint_s is not None and clock.monotonic() - signed_at >= checkpoint_s:
                    record_now(self._db, "log.tick", object_id="log", actor="system")
                    continue
                stop.wait(_POLL_S)

    def _open(self) -> TileWriter:
        self._log.unlock()
        head = self._log.check_head()
        reconcile(self._db, self._log, head)
        if head is None:
            self._begin()
        return TileWriter(self._log.tiles, head.size if head else 0)

    def _begin(self) -> None:
        # a log's first event names its key, so that a key that changes later shows
        with self._db.write() as session:
            if not session.scalar(
                select(exists().where(CustodyEvent.kind == "key.created", CustodyEvent.object_id == "log"))
            ):
                details = {"key": str(self._log.verifier)}
                record(session, "key.created", object_id="log", actor="system", details=details)

    def _drain(self, writer: TileWriter) -> int:
        total = 0
        while count := self._append_batch(writer):
            total += count
        return total

    def _append_batch(self, writer: TileWriter) -> int:
        if self._lock is not None:
            self._lock.execute(select(1))  # a lost connection is a lost lock: fail before anything is written
        query = select(CustodyEvent).where(CustodyEvent.log_index.is_(None)).order_by(CustodyEvent.id).limit(_BATCH)
        with self._db.read() as session:
            events = list(session.scalars(query))
        if not events:
            return 0
        first = writer.size
        for event in events:
            writer.append(event.body.encode())
        writer.flush()
        signed = self._log.sign(writer.size, writer.root())
        writer.prune()
        for index, event in enumerate(events, start=first):
            event.log_index = index  # detached: tells `issue`; the rows are written below
        earned = [event for event in events if event.kind in RECEIPT_KINDS]
        if any(event.kind == "openings.destroyed" for event in events):
            with self._db.read() as session:
                earned += unissued(
                    session, _MOST_ANEW
                )  # without what they opened; with the marks, or a crash forgets them
        receipts = issue(self._log, earned, signed)
        with self._db.write() as session:
            session.execute(update(CustodyEvent), [{"id": event.id, "log_index": event.log_index} for event in events])
            session.add_all(receipts)
        return len(events)

    def _anything_pending(self) -> bool:
        with self._db.read() as session:
            return bool(session.scalar(select(exists().where(CustodyEvent.log_index.is_(None)))))

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep every other sequencer away while the block runs; raises `AlreadyRunningError` when one is at work."""
        with only_one(self._log.dir / LOCK_FILE, "sequencer"):
            if self._db.is_sqlite:
                yield
                return
            # stations and a centre may share one PostgreSQL without sharing a disk
            with self._db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                if not connection.scalar(select(func.pg_try_advisory_lock(_PG_LOCK))):
                    raise AlreadyRunningError(what="sequencer", path="pg_try_advisory_lock")
                self._lock = connection
                try:
                    yield
                finally:
                    self._lock = None
                    connection.invalidate()  # the lock goes with its connection, never back into the pool

    def _hold_patiently(self, stack: ExitStack, stop: threading.Event, wait_s: float) -> None:
        deadline = clock.monotonic() + wait_s
        while True:
            try:
                stack.enter_context(self.hold())
            except AlreadyRunningError:
                if clock.monotonic() > deadline or stop.wait(_POLL_S):
                    raise
            else:
                return


def main() -> int:
    """Run until told to stop; return the exit code."""
    hold_lifeline()
    log_to_stderr()
    stop = stop_event()
    settings = load_settings()
    db = Database(settings.database.url)
    try:
        log = Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin)
        Sequencer(db, log).run_forever(
            stop, checkpoint_s=settings.log.checkpoint_seconds if settings.log.tick_when_idle else None
        )
    except BodycamError as error:
        _logger.error("sequencer.stopped", code=error.code, reason=error.text("en"))  # noqa: TRY400  a named error needs no trace
        return error.exit_code
    except (
        OSError,
        SQLAlchemyError,
    ) as error:  # a full disk, a database that is away: the next start goes on from what was signed
        _logger.error("sequencer.stopped", code="outside", reason=str(error))  # noqa: TRY400  not a mistake of the program
        return 1
    finally:
        db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

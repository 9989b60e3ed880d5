"""Keeps the log dated: queues a checkpoint for each authority when one is due, and asks until a good token came."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import structlog

from bodycam import clock
from bodycam.custody import timestamps
from bodycam.custody.canonical import JSON
from bodycam.custody.errors import TimestampError
from bodycam.custody.log import PUBLIC_KEY_FILE, Log
from bodycam.custody.service import record_now
from bodycam.custody.timestamps import Authority
from bodycam.db import Database
from bodycam.errors import BodycamError

_POLL_S = 5.0
_RETRY_S = 60.0
_logger = structlog.get_logger()


class Stamper:
    """Asks the authorities; one instance, in a thread of its own beside the gatherer."""

    def __init__(
        self, db: Database, log: Log, authorities: Sequence[Authority], *, every: timedelta, timeout_s: float
    ) -> None:
        """Remember whom to ask and how often."""
        self._db, self._log, self._authorities = db, log, authorities
        self._every, self._timeout_s = every, timeout_s
        self._asked_at: dict[str, float] = {}
        self._told: set[tuple[str, int]] = set()

    def run_forever(self, stop: threading.Event) -> None:
        """Go on until `stop` is set; what fails is told and tried again."""
        while not stop.wait(_POLL_S):
            try:
                self.run_once()
            except (BodycamError, OSError) as error:
                _logger.warning("timestamp.failed", reason=str(error))

    def run_once(self, *, now: bool = False) -> int:
        """Queue what is due and ask whoever has something waiting (each at most once a minute unless `now`); return the tokens."""
        checkpoint = self._log.checkpoint() if (self._log.dir / PUBLIC_KEY_FILE).exists() else None
        if checkpoint is None:
            return 0
        count = 0
        for authority in self._authorities:
            with self._db.write() as session:
                timestamps.queue_due(session, authority, checkpoint, self._every)
                row = timestamps.waiting(session, authority)
            moment = clock.monotonic()
            if row is None or (not now and moment - self._asked_at.get(authority.name, -_RETRY_S) < _RETRY_S):
                continue
            self._asked_at[authority.name] = moment
            body = timestamps.body_of(row)
            try:
                answer = timestamps.ask(authority, body, timeout_s=self._timeout_s)
            except TimestampError as error:
                self._refuse(authority, row.size, error)
                continue
            if answer is None:
                _logger.info("timestamp.away", authority=authority.name)
                continue
            with self._db.write() as session:
                timestamps.keep(session, self._log, authority, row, *answer)
            count += 1
        return count

    def _refuse(self, authority: Authority, size: int, error: TimestampError) -> None:
        _logger.warning("timestamp.refused", authority=authority.name, reason=error.text("en"))
        if (authority.name, size) not in self._told:
            self._told.add((authority.name, size))
            details: dict[str, JSON] = {"authority": authority.name, "size": size}
            record_now(self._db, "timestamp.refused", object_id="timestamps", actor="system", details=details)

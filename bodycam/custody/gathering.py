"""The process that talks to witnesses: `python -m bodycam.custody.gathering`.

It takes the newest checkpoint to all witnesses at once, keeps what they sign, publishes it once they are a quorum, writes the
waiting receipts anew under it, and raises the alarm when a quorum is late. It holds no key, and the sequencer never waits
for it. A slow or dead witness has a thread of its own and delays nobody. Timestamps are asked for in one more thread.
"""

import queue
import sys
import threading
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bodycam import clock
from bodycam.custody import timestamps, witnessing
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.log import PUBLIC_KEY_FILE, Log
from bodycam.custody.policy import Policy, Witness
from bodycam.custody.receipts import upgrade
from bodycam.custody.stamping import Stamper
from bodycam.custody.witness_client import Answer, Trouble, ask
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.process import hold_lifeline, log_to_stderr, only_one, stop_event
from bodycam.sections import Settings
from bodycam.settings import load_settings

LOCK_FILE = "gathering.lock"
RETRY_S = 30.0  # when the newest checkpoint has no quorum and no newer one comes
_POLL_S = 0.5
_WATCH_S = 10.0
_TIDY_S = 3600.0
_logger = structlog.get_logger()


class Gatherer:
    """Asks the witnesses of a policy; one instance, one thread calling it."""

    def __init__(self, db: Database, log: Log, policy: Policy, *, timeout_s: float, late: timedelta) -> None:
        """Remember whom to ask; witnesses without an address are reached by file only."""
        self._db, self._log, self._policy = db, log, policy
        self._timeout_s, self._late = timeout_s, late
        self._witnesses = [witness for witness in policy.witnesses.values() if witness.url]
        self._busy: set[str] = set()
        self._answers: queue.Queue[tuple[Witness, Checkpoint, Answer]] = queue.Queue()

    def round(self, checkpoint: Checkpoint) -> bool:
        """Take a checkpoint to every witness that is not still busy, wait at most the time limit, and say if it has a quorum."""
        for witness in self._witnesses:
            if witness.name not in self._busy:
                self._busy.add(witness.name)
                with self._db.read() as session:
                    known = min(witnessing.known_size(session, witness), checkpoint.size)
                threading.Thread(target=self._ask, args=(witness, checkpoint, known), daemon=True).start()
        deadline = clock.monotonic() + self._timeout_s + 1
        while self._busy and clock.monotonic() < deadline:
            self._take(deadline - clock.monotonic())
        published = witnessing.publish(self._db, self._log, self._policy, checkpoint)
        self._upgrade()
        return published is not None

    def run_forever(self, stop: threading.Event, *, ask_s: float) -> None:
        """Ask about each new checkpoint until `stop` is set.

        Raises:
            LogDamagedError: the checkpoint or a tile that a proof needs is damaged.
        """
        asked, asked_at, watched_at, tidied_at, quorum = -1, -ask_s, -_WATCH_S, -_TIDY_S, False
        while not stop.is_set():
            moment = clock.monotonic()
            checkpoint = self._log.checkpoint()
            is_new = checkpoint is not None and checkpoint.size != asked and moment - asked_at >= ask_s
            if checkpoint is not None and (is_new or (not quorum and moment - asked_at >= RETRY_S)):
                asked, asked_at = checkpoint.size, moment
                quorum = self.round(checkpoint)
            while self._take(0):
                self._upgrade()  # somebody answered late: there may be a quorum after all
            if clock.monotonic() - watched_at >= _WATCH_S and asked >= 0:
                watched_at = clock.monotonic()
                witnessing.watch_quorum(self._db, self._log, self._policy, self._late)
            if clock.monotonic() - tidied_at >= _TIDY_S:
                tidied_at = clock.monotonic()
                witnessing.forget_old(self._db)
            stop.wait(_POLL_S)

    def _ask(self, witness: Witness, checkpoint: Checkpoint, known: int) -> None:
        try:
            answer = ask(witness, self._log, checkpoint, known, timeout_s=self._timeout_s)
        except Exception:
            _logger.exception("witness.ask_failed", witness=witness.name)
            answer = Answer(trouble=Trouble.AWAY)
        self._answers.put((witness, checkpoint, answer))

    def _take(self, wait_s: float) -> bool:
        try:
            witness, checkpoint, answer = self._answers.get(timeout=max(wait_s, 0.001))
        except queue.Empty:
            return False
        self._busy.discard(witness.name)
        with self._db.write() as session:
            witnessing.note_answer(session, witness, checkpoint, answer)
        if answer.trouble is not None:
            _logger.warning("witness.trouble", witness=witness.name, trouble=answer.trouble.value, size=checkpoint.size)
        if answer.line is not None:
            witnessing.publish(self._db, self._log, self._policy, checkpoint)
        return True

    def _upgrade(self) -> None:
        witnessed = self._log.witnessed_checkpoint()
        if witnessed is not None and self._policy.judge(witnessed.note).quorum:
            upgrade(self._db, self._log, witnessed)


def main() -> int:
    """Run until told to stop; return the exit code."""
    hold_lifeline()
    log_to_stderr()
    stop = stop_event()
    settings = load_settings()
    db = Database(settings.database.url)
    try:
        log = Log.open(settings.log.dir, settings.keys.dir, origin=settings.log.origin)
        with only_one(settings.log.dir / LOCK_FILE, "gathering"):
            _run(settings, db, log, stop)
    except BodycamError as error:
        _logger.error("gathering.stopped", code=error.code, reason=error.text("en"))  # noqa: TRY400  a named error needs no trace
        return error.exit_code
    except (OSError, SQLAlchemyError) as error:
        _logger.error("gathering.stopped", code="outside", reason=str(error))  # noqa: TRY400  not a mistake of the program
        return 1
    finally:
        stop.set()
        db.close()
    return 0


def _run(settings: Settings, db: Database, log: Log, stop: threading.Event) -> None:
    dated = settings.timestamps
    if dated.pairs:
        every = timedelta(minutes=dated.every_minutes)
        authorities = timestamps.authorities(dated.pairs)
        stamper = Stamper(db, log, authorities, every=every, timeout_s=dated.timeout_seconds)
        threading.Thread(target=stamper.run_forever, args=(stop,), daemon=True).start()
    path = settings.log.policy_file
    if path is None:
        stop.wait()
        return
    while not (log.dir / PUBLIC_KEY_FILE).exists():  # the sequencer makes it at its first start
        if stop.wait(_POLL_S):
            return
    late = timedelta(minutes=settings.witnesses.late_minutes)
    policy = witnessing.own_policy(log, path)
    gatherer = Gatherer(db, log, policy, timeout_s=settings.witnesses.timeout_seconds, late=late)
    witnessing.note_policy(db, path)
    gatherer.run_forever(stop, ask_s=settings.witnesses.ask_seconds)


if __name__ == "__main__":
    sys.exit(main())

"""How the log is doing, and finding an event by what a person has at hand."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody.kinds import RECEIPT_KINDS
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.errors import NotFoundError

LATE_S = 10.0
STILL_FACTOR = 5  # checkpoints missed in a row before the log is said to stand still


@dataclass(frozen=True, slots=True)
class LogState:
    """The log at a glance; `oldest_pending_s` is 0 when nothing waits, `checkpoint_at` is UTC."""

    size: int
    pending: int
    oldest_pending_s: float
    checkpoint_at: datetime | None
    newest_at: datetime | None  # the time in the newest event of the log; ticks keep it young
    tick_at: datetime | None

    @property
    def late(self) -> bool:
        """Whether an event has waited so long that the sequencer must have stopped: an alarm."""
        return self.oldest_pending_s > LATE_S

    def stands_still(self, checkpoint_s: float) -> bool:
        """Whether nothing, not even a tick, came for five times `checkpoint_s`: frozen, or an old copy is shown."""
        return (
            self.newest_at is not None and (clock.now() - self.newest_at).total_seconds() > STILL_FACTOR * checkpoint_s
        )


def log_state(session: Session, log: Log) -> LogState:
    """Return the size under the published checkpoint, and what waits for the sequencer.

    Raises:
        LogDamagedError: the published checkpoint isn't one of this log.
    """
    query = select(func.count(), func.min(CustodyEvent.created_at)).where(CustodyEvent.log_index.is_(None))
    pending, oldest = session.execute(query).one()
    checkpoint = log.checkpoint()
    newest = select(CustodyEvent.created_at).where(CustodyEvent.log_index.is_not(None))
    tick = select(CustodyEvent.created_at).where(CustodyEvent.object_id == "log", CustodyEvent.kind == "log.tick")
    return LogState(
        size=checkpoint.size if checkpoint else 0,
        pending=pending,
        oldest_pending_s=max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0,
        checkpoint_at=log.checkpoint_at(),
        newest_at=session.scalar(newest.order_by(CustodyEvent.log_index.desc()).limit(1)),
        tick_at=session.scalar(tick.order_by(CustodyEvent.id.desc()).limit(1)),
    )


def find_event(session: Session, reference: str) -> CustodyEvent:
    """Return the event with this id, or the latest event of this object (a recording, a submission) that earns a receipt.

    Raises:
        NotFoundError: there is neither.
    """
    event = session.get(CustodyEvent, reference)
    if event is None:
        query = select(CustodyEvent).where(CustodyEvent.object_id == reference, CustodyEvent.kind.in_(RECEIPT_KINDS))
        event = session.scalar(query.order_by(CustodyEvent.id.desc()).limit(1))
    if event is None:
        raise NotFoundError(what=reference)
    return event

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


@dataclass(frozen=True, slots=True)
class LogState:
    """The log at a glance; `oldest_pending_s` is 0 when nothing waits, `checkpoint_at` is UTC."""

    size: int
    pending: int
    oldest_pending_s: float
    checkpoint_at: datetime | None

    @property
    def late(self) -> bool:
        """Whether an event has waited so long that the sequencer must have stopped: an alarm."""
        return self.oldest_pending_s > LATE_S


def log_state(session: Session, log: Log) -> LogState:
    """Return the size under the published checkpoint, and what waits for the sequencer.

    Raises:
        LogDamagedError: the published checkpoint isn't one of this log.
    """
    query = select(func.count(), func.min(CustodyEvent.created_at)).where(CustodyEvent.log_index.is_(None))
    pending, oldest = session.execute(query).one()
    checkpoint = log.checkpoint()
    return LogState(
        size=checkpoint.size if checkpoint else 0,
        pending=pending,
        oldest_pending_s=max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0,
        checkpoint_at=log.checkpoint_at(),
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

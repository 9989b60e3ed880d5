"""Whether the log bears out what the rows say of a batch, asked right before anything is destroyed.

Rows can be edited by whoever holds the database. So the proposal, both approvals and each recording's sealing must be events that
provably stand in the log under its signed checkpoint; the list must be the one that was approved; the approvers must be two people
of two units who may still approve today; and the cooling-off runs from the second approval as the log dates it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.recordings.models import Recording
from bodycam.retention import clockwatch
from bodycam.retention.batches import list_sha256
from bodycam.retention.errors import AuthorityError
from bodycam.retention.leaves import details_of, is_proven, leaf_hash, leaf_of
from bodycam.retention.models import DispositionBatch, DispositionItem
from bodycam.retention.persons import same_person

UnitsOf = Callable[[Session, str], frozenset[str]]
"""Which units an account may approve batches for now: `access` answers, which lies above this slice."""


class RoleWithdrawnError(AuthorityError):
    """An approver may not approve any more: the batch ends."""

    code = "disposition_role_withdrawn"


def check_batch(
    session: Session, log: Log, batch: DispositionBatch, units_of: UnitsOf, *, moment: datetime, cooling: timedelta
) -> Checkpoint:
    """Check a batch against the log and return the checkpoint that this rests on.

    Raises:
        AuthorityError: the log doesn't bear it out; says why.
        RoleWithdrawnError: an approver's role was withdrawn, or his account closed, since.
    """
    checkpoint = log.checkpoint()
    if checkpoint is None:
        raise _refused(batch, "nhật ký chưa có điểm ký", "the log has no checkpoint")
    if list_sha256(session, batch) != batch.list_sha256:
        raise _refused(batch, "danh sách đã bị sửa sau khi lập", "its list was edited after it was made")
    events = _events(session, batch)
    _check_proposal(log, checkpoint, batch, events)
    first, second = _check_approvals(session, log, checkpoint, batch, events)
    for event in (first, second):
        if str(details_of(event).get("unit")) not in units_of(session, _actor(event)):
            raise RoleWithdrawnError(
                number=batch.number,
                reason_vi="một người duyệt không còn quyền duyệt",
                reason_en="an approver may not approve any more",
            )
    since = clockwatch.since(second, clockwatch.doubts(session))
    until = details_of(second).get("until")
    told = datetime.fromisoformat(str(until)) if until else None
    if since is None or told is None or moment < max(since + cooling, told):
        raise _refused(batch, "chưa hết thời gian chờ", "the cooling-off is not over")
    return checkpoint


def check_sealing(
    session: Session, log: Log, checkpoint: Checkpoint, item: DispositionItem, recording: Recording
) -> CustodyEvent | None:
    """Return the event that sealed an item's recording when the log proves that it sealed these very bytes, else None."""
    event = session.get(CustodyEvent, recording.sealed_event_id)
    if event is None or event.object_id != recording.id or event.kind != "recording.sealed":
        return None
    is_same = leaf_hash(event) == item.leaf_hash and details_of(event).get("object") == recording.object_id
    return event if is_same and is_proven(log, checkpoint, event) else None


def _events(session: Session, batch: DispositionBatch) -> list[CustodyEvent]:
    query = select(CustodyEvent).where(CustodyEvent.object_id == batch.id, CustodyEvent.kind.startswith("disposition."))
    return list(session.scalars(query.order_by(CustodyEvent.id)))


def _check_proposal(log: Log, checkpoint: Checkpoint, batch: DispositionBatch, events: Sequence[CustodyEvent]) -> None:
    if any(event.kind in {"disposition.undone", "disposition.refused"} for event in events):
        raise _refused(batch, "nhật ký ghi đợt này đã được rút lại", "the log says that it was taken back")
    made = [event for event in events if event.kind == "disposition.proposed"]
    if not any(_names(event, batch) and is_proven(log, checkpoint, event) for event in made):
        raise _refused(batch, "nhật ký không có đề nghị với danh sách này", "the log knows no proposal of this list")


def _check_approvals(
    session: Session, log: Log, checkpoint: Checkpoint, batch: DispositionBatch, events: Sequence[CustodyEvent]
) -> tuple[CustodyEvent, CustodyEvent]:
    found = [
        event
        for event in events
        if event.kind == "disposition.approved" and _names(event, batch) and is_proven(log, checkpoint, event)
    ]
    for second in found[1:]:
        first = found[0]
        units = {str(details_of(event).get("unit")) for event in (first, second)}
        if len(units) > 1 and not same_person(session, _actor(first), _actor(second)):
            return first, second
    raise _refused(
        batch,
        "nhật ký không có hai lần duyệt của hai người ở hai đơn vị",
        "the log holds no two approvals by two people of two units",
    )


def _actor(event: CustodyEvent) -> str:
    """Return who did it as the leaf says, not the row's column beside it."""
    return str(leaf_of(event).get("actor"))


def _names(event: CustodyEvent, batch: DispositionBatch) -> bool:
    return details_of(event).get("list") == batch.list_sha256


def _refused(batch: DispositionBatch, vi: str, en: str) -> AuthorityError:
    return AuthorityError(number=batch.number, reason_vi=vi, reason_en=en)

"""Disposition batches: proposed once a month by a job, agreed to by two people of two units, undone until the cooling-off is over.

A batch holds what is past its term and not held, with the sidecars. Its list has one SHA-256, which stands in every event of it: who
approves says which list he was shown. Nothing is destroyed here (`execution`), and what the rows say of the approvals is believed
by nobody there (`authority`).
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import local, now
from bodycam.custody.canonical import JSON, canonical
from bodycam.custody.models import CustodyEvent
from bodycam.custody.service import format_time
from bodycam.db import Database, new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.recordings.models import Recording, State
from bodycam.retention import changes, clockwatch
from bodycam.retention.errors import (
    ApproverTwiceError,
    BatchChangedError,
    BatchStateError,
    SameUnitError,
)
from bodycam.retention.holds import holding
from bodycam.retention.leaves import leaf_hash
from bodycam.retention.models import BatchState, DispositionBatch, DispositionItem, ItemState
from bodycam.retention.persons import same_person
from bodycam.retention.schedule import Schedule
from bodycam.retention.terms import Term, family_of, keeping_of
from bodycam.sections import RetentionSettings

MAX_REASON = 1_000
OPEN_STATES = (BatchState.PROPOSED, BatchState.APPROVED, BatchState.COOLING, BatchState.RUNNING, BatchState.DEBT)
STATE_NAMES: dict[str, tuple[str, str]] = {
    BatchState.PROPOSED: ("chờ người thứ nhất duyệt", "waiting for the first approval"),
    BatchState.APPROVED: ("chờ người thứ hai, đơn vị khác", "waiting for a second person of another unit"),
    BatchState.COOLING: ("đã duyệt, còn rút lại được", "approved, may be undone"),
    BatchState.RUNNING: ("đang hủy", "being destroyed"),
    BatchState.DONE: ("đã hủy xong", "done"),
    BatchState.DEBT: ("còn bản sao chưa hủy được", "copies not yet destroyed"),
    BatchState.UNDONE: ("đã rút lại", "undone"),
    BatchState.REFUSED: ("không duyệt", "refused"),
}
_PAGE = 200


@dataclass(frozen=True)
class Due:
    """One recording that is past its term and not held."""

    recording: Recording
    term: Term
    event: CustodyEvent


def propose(db: Database, settings: RetentionSettings) -> DispositionBatch | None:
    """Propose this month's batch, unless there is one already or nothing is due.

    Raises:
        ClockDoubtfulError: nobody can say what is due.
        HoldTamperedError, ScheduleTamperedError: rows don't fit the log.
    """
    jump = timedelta(hours=settings.clock_jump_hours)
    with db.write() as session:
        changes.ensure(session)
        clockwatch.look(session, jump)  # committed by itself: an alarm outlives the refusal
    with db.write() as session:
        moment = clockwatch.believed_now(session, jump)
    number = f"HUY-{local(moment):%Y-%m}"
    with db.read() as session:
        if session.scalar(select(DispositionBatch.id).where(DispositionBatch.number == number)) is not None:
            return None
        found = list(_due(session, settings, moment))
        schedule = changes.in_force(session).sha256()
    if not found:
        return None
    with db.write() as session:
        return _write(session, number, found, schedule, moment)


def approve(
    session: Session,
    batch_id: str,
    *,
    actor: str,
    units: Collection[str],
    seen: str,
    settings: RetentionSettings,
) -> DispositionBatch:
    """Approve the list that was shown, as the first person or as the second; `units` are those the actor may approve for.

    Raises:
        ApproverTwiceError: this person approved it already, by this account or by another.
        SameUnitError: both would be of one unit.
        BatchChangedError: it isn't the list he was shown.
        BatchStateError: it doesn't wait for an approval.
        ClockDoubtfulError: the cooling-off could not be counted.
    """
    batch = get_batch(session, batch_id, BatchState.PROPOSED, BatchState.APPROVED)
    if list_sha256(session, batch) != batch.list_sha256 or seen != batch.list_sha256:
        raise BatchChangedError(number=batch.number)
    moment = clockwatch.believed_now(session, timedelta(hours=settings.clock_jump_hours))
    if batch.first_by is None:
        unit = min(units)
        batch.first_by, batch.first_unit_id, batch.first_at, batch.state = actor, unit, moment, BatchState.APPROVED
    else:
        if same_person(session, batch.first_by, actor):
            raise ApproverTwiceError(number=batch.number)
        others = sorted(set(units) - {batch.first_unit_id})
        if not others:
            raise SameUnitError(number=batch.number)
        unit = others[0]
        batch.second_by, batch.second_unit_id, batch.second_at, batch.state = actor, unit, moment, BatchState.COOLING
        batch.cooling_until = moment + timedelta(days=settings.cooling_days)
    batch.reason = ""
    details: dict[str, JSON] = {"list": batch.list_sha256, "unit": unit}
    if batch.cooling_until is not None:
        details["until"] = format_time(batch.cooling_until)
    custody.record(session, "disposition.approved", object_id=batch.id, actor=actor, details=details)
    return batch


def undo(session: Session, batch_id: str, *, actor: str, reason: str) -> DispositionBatch:
    """Take a batch back before its execution began: refused while it waits for approvals, undone afterwards."""
    batch = get_batch(session, batch_id, BatchState.PROPOSED, BatchState.APPROVED, BatchState.COOLING)
    words = nfc(reason).strip()[:MAX_REASON]
    if not words:
        raise InvalidInputError(field="reason", reason="is needed", reason_vi="cần ghi lý do")
    is_undone = batch.state == BatchState.COOLING
    end(session, batch, BatchState.UNDONE if is_undone else BatchState.REFUSED, actor=actor, words=words)
    return batch


def end(session: Session, batch: DispositionBatch, state: BatchState, *, actor: str | None, words: str) -> None:
    """End a batch without destroying anything more; what waited may come into a later one."""
    batch.state, batch.ended_by, batch.reason = state, actor, words
    batch.ended_at = now()
    kind = "disposition.undone" if state is BatchState.UNDONE else "disposition.refused"
    custody.record(session, kind, object_id=batch.id, actor=actor or "system", private={"reason": words})


def get_batch(session: Session, batch_id: str, *states: BatchState) -> DispositionBatch:
    """Return a batch, locked when a state is asked for; raises NotFoundError, or BatchStateError when in none of them."""
    batch = session.get(DispositionBatch, batch_id, with_for_update=bool(states), populate_existing=True)
    if batch is None:
        raise NotFoundError(what="disposition batch")
    if states and batch.state not in states:
        vi, en = STATE_NAMES[batch.state]
        raise BatchStateError(number=batch.number, state_vi=vi, state_en=en)
    return batch


def list_sha256(session: Session, batch: DispositionBatch) -> str:
    """Return the SHA-256 of a batch's list as its rows are now."""
    query = select(DispositionItem).where(DispositionItem.batch_id == batch.id).order_by(DispositionItem.leaf_index)
    return _digest(batch.number, batch.schedule_sha256, session.scalars(query).all())


def _digest(number: str, schedule: str, items: Sequence[DispositionItem]) -> str:
    rows: list[JSON] = [
        [
            item.recording_id,
            item.leaf_index,
            item.leaf_hash,
            item.rule,
            format_time(item.since),
            format_time(item.due_at),
        ]
        for item in items
    ]
    return hashlib.sha256(canonical({"batch": number, "schedule": schedule, "items": rows}).encode()).hexdigest()


def _write(
    session: Session, number: str, found: Sequence[Due], schedule: str, moment: datetime
) -> DispositionBatch | None:
    if session.scalar(select(DispositionBatch.id).where(DispositionBatch.number == number)) is not None:
        return None
    batch = DispositionBatch(
        id=new_id(),
        number=number,
        list_sha256="",
        schedule_sha256=schedule,
        items=len(found),
        bytes=sum(due.recording.size for due in found),
        proposed_at=moment,
    )
    items = sorted((_item(batch.id, due) for due in found), key=lambda item: item.leaf_index)
    batch.list_sha256 = _digest(number, schedule, items)
    session.add(batch)
    session.flush()
    session.add_all(items)
    session.flush()
    details: dict[str, JSON] = {"list": batch.list_sha256, "schedule": schedule, "items": len(items)}
    custody.record(session, "disposition.proposed", object_id=batch.id, actor="system", details=details)
    return batch


def _item(batch_id: str, due: Due) -> DispositionItem:
    assert due.term.since is not None, "what is due has a beginning"
    assert due.term.due_at is not None, "and an end"
    return DispositionItem(
        id=new_id(),
        batch_id=batch_id,
        recording_id=due.recording.id,
        size=due.recording.size,
        leaf_index=due.event.log_index or 0,
        leaf_hash=leaf_hash(due.event),
        rule=due.term.rule.key,
        since=due.term.since,
        due_at=due.term.due_at,
        state=ItemState.WAITING,
    )


def _due(session: Session, settings: RetentionSettings, moment: datetime) -> Iterator[Due]:
    """Yield what is past its term and not held, the oldest sealing first, each recording followed by its sidecars."""
    schedules = changes.effective(session, settings.notice_days)
    shortest = min(rule.due(moment) - moment for schedule in schedules for rule in schedule.rule)
    taken = select(DispositionItem.recording_id).join(DispositionBatch, DispositionBatch.id == DispositionItem.batch_id)
    taken = taken.where(DispositionBatch.state.in_(OPEN_STATES))
    after: tuple[datetime, str] | None = None
    count = 0
    while count < settings.batch_most:
        query = select(Recording).where(
            Recording.parent_id.is_(None),
            Recording.state != State.DESTROYED,
            Recording.sealed_at <= moment - shortest + timedelta(days=1),
            Recording.id.not_in(taken),
        )
        if after is not None:
            query = query.where(tuple_(Recording.sealed_at, Recording.id) > tuple_(*after))
        page = list(session.scalars(query.order_by(Recording.sealed_at, Recording.id).limit(_PAGE)))
        if not page:
            return
        after = (page[-1].sealed_at, page[-1].id)
        for due in _due_of(session, page, schedules, moment):
            yield due
            count += 1


def _due_of(
    session: Session, page: Sequence[Recording], schedules: Sequence[Schedule], moment: datetime
) -> Iterator[Due]:
    keeping = keeping_of(session, page, schedules)
    over = [one for one in page if (end := keeping[one.id].due_at) is not None and end <= moment]
    held = holding(session, over)
    free = [one for one in over if one.id not in held]
    sidecars = family_of(session, [one.id for one in free])
    for recording in free:
        family = [
            recording,
            *(one for one in sidecars if one.parent_id == recording.id and one.state != State.DESTROYED),
        ]
        events = [session.get(CustodyEvent, one.sealed_event_id) for one in family]
        if all(event is not None and event.log_index is not None for event in events):
            for one, event in zip(family, events, strict=True):
                assert event is not None, "just looked at"
                yield Due(one, keeping[recording.id].longest, event)

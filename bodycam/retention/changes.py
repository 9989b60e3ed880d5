"""The schedule in force, and its changes: proposed by one person, agreed to by another; each step an event.

The first version is the shipped one. Which version holds is the log's word: a row that doesn't fit its event stops everything
that would rest on it. A term that was shortened still counts as it was for `notice_days`: nothing becomes due on the day that
somebody shortens a term.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.custody.canonical import JSON
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id, nfc
from bodycam.errors import ConflictError, InvalidInputError, NotFoundError
from bodycam.retention.errors import ScheduleTamperedError, SecondPersonError
from bodycam.retention.leaves import details_of, time_of
from bodycam.retention.models import RetentionSchedule, ScheduleState
from bodycam.retention.persons import same_person
from bodycam.retention.schedule import Schedule, parse, shipped

OBJECT = "retention"  # the events' object
MAX_REASON = 1_000
_CHANGED = "retention.changed"


def ensure(session: Session) -> RetentionSchedule:
    """Return the version in force; in a new installation the shipped schedule becomes the first one."""
    row = _in_force_row(session)
    if row is not None:
        return row
    schedule = shipped()
    row = RetentionSchedule(
        id=new_id(), number=1, body=schedule.body(), sha256=schedule.sha256(), proposed_at=now(), decided_at=now()
    )
    session.add(row)
    _put_in_force(session, row, actor="system")
    return row


def in_force(session: Session) -> Schedule:
    """Return the schedule in force, the shipped one while there is none yet.

    Raises:
        ScheduleTamperedError: the row isn't what the log says.
    """
    return _checked(session, 0)[0]


def effective(session: Session, notice_days: int) -> list[Schedule]:
    """Return the schedules that count now, the one in force first: a rule's longest term among them holds.

    Raises:
        ScheduleTamperedError: a row is missing or isn't what the log says.
    """
    return _checked(session, notice_days)


def propose(session: Session, schedule: Schedule, *, actor: str, reason: str) -> RetentionSchedule:
    """Propose a schedule; it waits for a second person.

    Raises:
        ConflictError: another proposal waits.
        InvalidInputError: it is the one in force already, or the reason is missing.
    """
    current = ensure(session)
    reason = nfc(reason).strip()[:MAX_REASON]
    if not reason:
        raise InvalidInputError(field="reason", reason="is needed", reason_vi="cần ghi lý do")
    if schedule.sha256() == current.sha256:
        raise InvalidInputError(field="rule", reason="nothing was changed", reason_vi="chưa thay đổi thời hạn nào")
    if proposed(session) is not None:
        raise ConflictError(what="retention schedule")
    number = max(session.scalars(select(RetentionSchedule.number))) + 1
    row = RetentionSchedule(
        id=new_id(),
        number=number,
        body=schedule.body(),
        sha256=schedule.sha256(),
        reason=reason,
        proposed_by=actor,
        proposed_at=now(),
    )
    session.add(row)
    session.flush()
    details = _told(row)
    custody.record(
        session, "retention.proposed", object_id=OBJECT, actor=actor, details=details, private={"reason": reason}
    )
    return row


def agree(session: Session, row_id: str, *, actor: str) -> RetentionSchedule:
    """Put a proposal in force as the second person; raises SecondPersonError for the first one, by whatever account."""
    row = _proposal(session, row_id, actor)
    if hashlib.sha256(row.body.encode()).hexdigest() != row.sha256 or not _was_proposed(session, row):
        raise ScheduleTamperedError(reason=f"version {row.number}")
    current = ensure(session)
    current.state, current.ended_at = ScheduleState.PAST, now()
    row.decided_by, row.decided_at = actor, now()
    _put_in_force(session, row, actor=actor)
    return row


def refuse(session: Session, row_id: str, *, actor: str) -> RetentionSchedule:
    """Refuse a proposal; whoever proposed it may take it back."""
    row = _proposal(session, row_id, None)
    row.state, row.decided_by, row.decided_at = ScheduleState.REFUSED, actor, now()
    details = _told(row)
    custody.record(session, "retention.refused", object_id=OBJECT, actor=actor, details=details)
    return row


def proposed(session: Session) -> RetentionSchedule | None:
    """Return the proposal that waits, if there is one."""
    query = select(RetentionSchedule).where(RetentionSchedule.state == ScheduleState.PROPOSED)
    return session.scalar(query.order_by(RetentionSchedule.number).limit(1))


def versions(session: Session, limit: int = 20) -> list[RetentionSchedule]:
    """Return the versions, newest first."""
    return list(session.scalars(select(RetentionSchedule).order_by(RetentionSchedule.number.desc()).limit(limit)))


def _proposal(session: Session, row_id: str, actor: str | None) -> RetentionSchedule:
    row = session.get(RetentionSchedule, row_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError(what="retention schedule")
    if row.state != ScheduleState.PROPOSED:
        raise ConflictError(what="retention schedule")
    if actor is not None and (row.proposed_by is None or same_person(session, row.proposed_by, actor)):
        raise SecondPersonError
    return row


def _was_proposed(session: Session, row: RetentionSchedule) -> bool:
    """Whether the log says that this very schedule was proposed by whom the row names."""
    query = select(CustodyEvent).where(CustodyEvent.object_id == OBJECT, CustodyEvent.kind == "retention.proposed")
    return any(
        details_of(event).get("schedule") == row.sha256 and event.actor == row.proposed_by
        for event in session.scalars(query)
    )


def _put_in_force(session: Session, row: RetentionSchedule, *, actor: str) -> None:
    row.state = ScheduleState.IN_FORCE
    session.flush()
    details = _told(row)
    row.event_id = custody.record(session, _CHANGED, object_id=OBJECT, actor=actor, details=details).id
    session.flush()


def _told(row: RetentionSchedule) -> dict[str, JSON]:
    return {"version": row.number, "schedule": row.sha256}


def _in_force_row(session: Session) -> RetentionSchedule | None:
    query = select(RetentionSchedule).where(RetentionSchedule.state == ScheduleState.IN_FORCE)
    return session.scalar(query.order_by(RetentionSchedule.number.desc()).limit(1))


def _checked(session: Session, notice_days: int) -> list[Schedule]:
    query = select(CustodyEvent).where(CustodyEvent.object_id == OBJECT, CustodyEvent.kind == _CHANGED)
    events = list(session.scalars(query.order_by(CustodyEvent.id)))
    row = _in_force_row(session)
    if not events:
        if row is not None:
            raise ScheduleTamperedError(reason="no event")
        return [shipped()]
    if row is None or row.event_id != events[-1].id:
        raise ScheduleTamperedError(reason="version")
    return [_read(session, event) for event in reversed(_counting(events, notice_days))]


def _counting(events: Sequence[CustodyEvent], notice_days: int) -> list[CustodyEvent]:
    """Return the events of the versions that still count: one ends when the next comes, and counts for the notice after."""
    since = now() - timedelta(days=notice_days)
    ended = [time_of(event) for event in events[1:]]
    return [event for event, end in zip(events[:-1], ended, strict=True) if end > since] + [events[-1]]


def _read(session: Session, event: CustodyEvent) -> Schedule:
    row = session.scalar(select(RetentionSchedule).where(RetentionSchedule.event_id == event.id))
    if row is None:
        raise ScheduleTamperedError(reason="a version is missing")
    digest = hashlib.sha256(row.body.encode()).hexdigest()
    if digest != details_of(event).get("schedule"):
        raise ScheduleTamperedError(reason=f"version {row.number}")
    return parse(row.body)

"""What is still missing, for a page: the open debts of a scope, the most urgent first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from bodycam.cases.models import MinuteChoice, RecordingMinute
from bodycam.coverage.models import Debt, DebtKind
from bodycam.fleet.models import Camera
from bodycam.people.models import Officer, Unit
from bodycam.people.scope import Scope
from bodycam.recordings.models import Recording

MOST = 200


@dataclass(frozen=True)
class OpenDebt:
    """A debt with what a person calls its parts; `allowed_by` is the officer who let the camera go.

    `recordings` counts what is still put off of a minute's debt, recorded from `first_at` to `last_at` (UTC).
    """

    debt: Debt
    officer: Officer | None
    unit: Unit | None
    camera: Camera | None
    allowed_by: Officer | None
    recordings: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True)
class DebtPage:
    """One page; `after` asks for the next one, None when there is none."""

    debts: Sequence[OpenDebt]
    after: tuple[datetime, str] | None


def open_debts(
    session: Session,
    scope: Scope,
    *,
    kind: str = "",
    officer_id: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> DebtPage:
    """Return a page of the open debts inside a scope, the earliest deadline first, so what is overdue leads.

    `officer_id` narrows it to one officer's, `kind` to one kind; `after` is the last page's.
    """
    limit = max(1, min(limit, MOST))
    allower = aliased(Officer)
    query = (
        select(Debt, Officer, Unit, Camera, allower)
        .outerjoin(Officer, Officer.id == Debt.officer_id)
        .outerjoin(Unit, Unit.id == Debt.unit_id)
        .outerjoin(Camera, Camera.id == Debt.camera_id)
        .outerjoin(allower, allower.id == Debt.allowed_by)
        .where(Debt.closed_at.is_(None), scope.condition(Debt.unit_id, Debt.officer_id))
    )
    if kind:
        query = query.where(Debt.kind == kind)
    if officer_id is not None:
        query = query.where(Debt.officer_id == officer_id)
    if after is not None:
        query = query.where(tuple_(Debt.due_at, Debt.id) > tuple_(*after))
    rows = [OpenDebt(*row) for row in session.execute(query.order_by(Debt.due_at, Debt.id).limit(limit + 1))]
    page = _counted(session, rows[:limit])
    return DebtPage(page, (page[-1].debt.due_at, page[-1].debt.id) if len(rows) > limit else None)


def _counted(session: Session, rows: Sequence[OpenDebt]) -> list[OpenDebt]:
    """Return the rows, a minute's debt with what is still put off of it."""
    keys = [(row.debt.officer_id, row.debt.due_at) for row in rows if row.debt.kind == DebtKind.MINUTE]
    query = (
        select(
            RecordingMinute.officer_id,
            RecordingMinute.due_at,
            func.count(),
            func.min(Recording.shown_at),
            func.max(Recording.shown_at),
        )
        .join(Recording, Recording.id == RecordingMinute.recording_id)
        .where(
            RecordingMinute.choice == MinuteChoice.LATER,
            RecordingMinute.officer_id.in_({officer_id for officer_id, _ in keys}),
            RecordingMinute.due_at.in_({due_at for _, due_at in keys}),
        )
        .group_by(RecordingMinute.officer_id, RecordingMinute.due_at)
    )
    found: dict[tuple[str | None, datetime | None], tuple[int, datetime | None, datetime | None]] = {}
    for row in session.execute(query) if keys else ():
        found[row[0], row[1]] = (row[2], row[3], row[4])
    counted = []
    for owed in rows:
        count, first, last = found.get((owed.debt.officer_id, owed.debt.due_at), (0, None, None))
        is_minute = owed.debt.kind == DebtKind.MINUTE
        counted.append(replace(owed, recordings=count, first_at=first, last_at=last) if is_minute else owed)
    return counted


def debts_of_officer(session: Session, officer_id: str, *, limit: int = MOST) -> list[OpenDebt]:
    """Return what one officer still owes, the earliest deadline first, at most `limit`."""
    return list(open_debts(session, Scope(officer_id=officer_id), limit=limit).debts)


def count_closed(session: Session, scope: Scope, since: datetime) -> int:
    """Return how many debts inside a scope ended since a moment (UTC)."""
    query = select(func.count()).select_from(Debt)
    return session.scalar(query.where(Debt.closed_at > since, scope.condition(Debt.unit_id, Debt.officer_id))) or 0

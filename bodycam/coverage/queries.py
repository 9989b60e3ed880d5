"""What is still missing, for a page: the open debts of a scope, the most urgent first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from bodycam.coverage.models import Debt
from bodycam.fleet.models import Camera
from bodycam.people.models import Officer, Unit
from bodycam.people.scope import Scope
from bodycam.recordings.models import Recording

MOST = 200


@dataclass(frozen=True)
class OpenDebt:
    """A debt with what a person calls its parts; `allowed_by` is the officer who let the camera go."""

    debt: Debt
    officer: Officer | None
    unit: Unit | None
    camera: Camera | None
    recording: Recording | None
    allowed_by: Officer | None


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
        select(Debt, Officer, Unit, Camera, Recording, allower)
        .outerjoin(Officer, Officer.id == Debt.officer_id)
        .outerjoin(Unit, Unit.id == Debt.unit_id)
        .outerjoin(Camera, Camera.id == Debt.camera_id)
        .outerjoin(Recording, Recording.id == Debt.recording_id)
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
    page = rows[:limit]
    return DebtPage(page, (page[-1].debt.due_at, page[-1].debt.id) if len(rows) > limit else None)


def debts_of_officer(session: Session, officer_id: str, *, limit: int = MOST) -> list[OpenDebt]:
    """Return what one officer still owes, the earliest deadline first, at most `limit`."""
    return list(open_debts(session, Scope(officer_id=officer_id), limit=limit).debts)


def count_open(session: Session, scope: Scope) -> int:
    """Return how many debts are open inside a scope."""
    query = select(func.count()).select_from(Debt)
    return session.scalar(query.where(Debt.closed_at.is_(None), scope.condition(Debt.unit_id, Debt.officer_id))) or 0


def count_closed(session: Session, scope: Scope, since: datetime) -> int:
    """Return how many debts inside a scope ended since a moment (UTC)."""
    query = select(func.count()).select_from(Debt)
    return session.scalar(query.where(Debt.closed_at > since, scope.condition(Debt.unit_id, Debt.officer_id))) or 0

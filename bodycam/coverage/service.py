"""Debts: what should be here and is not yet, with an owner and a deadline.

A debt accuses nobody: it says what is missing, since when, until when there is time, and what to do next. It is opened once for
one cause, and ends only with how it ended. Opening and ending are custody events of the debt.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.coverage.models import Debt, DebtKind
from bodycam.db import new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError

FOOTAGE_TIME = timedelta(hours=24)
"""Until a camera taken out early has to be back when its caller names no deadline (as `coverage.footage_hours` ships)."""

MAX_REASON = 500
LEAST_REASON = 5
DOCKED, EXPLAINED = "docked", "explained"
_MOST = 200


def footage_owed(
    session: Session,
    *,
    camera_id: str,
    visit_id: str | None,
    officer_id: str | None,
    unit_id: str | None,
    allowed_by: str | None = None,
    reason: str = "",
    due_at: datetime | None = None,
    actor: str = "system",
) -> Debt:
    """Note that a camera was taken out before all it holds was saved; one debt a camera, however often it blinks.

    `allowed_by` is the officer on duty who ordered it and `reason` his words, none when nobody did; both are filled in on a debt
    that is open already, its deadline stays. `due_at` is UTC. Call it in a write transaction.
    """
    reason = nfc(reason).strip()[:MAX_REASON]
    for debt in _open_of_camera(session, camera_id, (DebtKind.FOOTAGE,)):
        debt.allowed_by, debt.reason = debt.allowed_by or allowed_by, debt.reason or reason
        return debt
    debt = Debt(
        kind=DebtKind.FOOTAGE.value,
        camera_id=camera_id,
        visit_id=visit_id,
        officer_id=officer_id,
        unit_id=unit_id,
        allowed_by=allowed_by,
        reason=reason,
        due_at=due_at or now() + FOOTAGE_TIME,
    )
    return open_debt(session, debt, actor=actor)


def camera_came(session: Session, *, camera_id: str, visit_id: str, complete: bool, actor: str = "system") -> int:
    """End what a camera's docking settles and return how many debts that were; an incomplete visit settles nothing."""
    if not complete:
        return 0
    settled = _open_of_camera(session, camera_id, (DebtKind.FOOTAGE, DebtKind.DOCKING))
    for debt in settled:
        close_debt(session, debt, closed_by=DOCKED, actor=actor, visit_id=visit_id)
    return len(settled)


def open_debt(session: Session, debt: Debt, *, actor: str) -> Debt:
    """Write a new debt and its event; `actor` an account's or an officer's id, "station:<id>" or "system"."""
    debt.id, debt.opened_at = new_id(), now()
    session.add(debt)
    session.flush()
    custody.record(
        session,
        "debt.opened",
        object_id=debt.id,
        actor=actor,
        device=debt.camera_id,
        details={
            "kind": debt.kind,
            "officer": debt.officer_id,
            "unit": debt.unit_id,
            "visit": debt.visit_id,
            "recording": debt.recording_id,
            "allowed_by": debt.allowed_by,
            "due": debt.due_at.isoformat(timespec="seconds"),
        },
        private={"reason": debt.reason} if debt.reason else None,
    )
    return debt


def get_debt(session: Session, debt_id: str) -> Debt:
    """Return a debt or raise `NotFoundError`; who may see it is the caller's question."""
    debt = session.get(Debt, debt_id)
    if debt is None:
        raise NotFoundError(what="debt")
    return debt


def explain(session: Session, debt: Debt, *, reason: str, actor: str) -> None:
    """End a debt that won't be settled (a camera lost, a card destroyed) with its reason, which the log holds as a commitment.

    Who may do so for whom is the caller's question. Raises `InvalidInputError` when the reason says nothing.
    """
    words = nfc(reason).strip()[:MAX_REASON]
    if len(words) < LEAST_REASON:
        raise InvalidInputError(field="Lý do", reason="say in a few words why", reason_vi="ghi rõ vài chữ vì sao")
    close_debt(session, debt, closed_by=EXPLAINED, actor=actor, reason=words)


def close_debt(
    session: Session, debt: Debt, *, closed_by: str, actor: str, visit_id: str | None = None, reason: str = ""
) -> None:
    """End a debt with what ended it (docked, number, none, explained); ending twice changes nothing."""
    if debt.closed_at is not None:
        return
    debt.closed_at, debt.closed_by = now(), closed_by
    session.flush()
    custody.record(
        session,
        "debt.closed",
        object_id=debt.id,
        actor=actor,
        device=debt.camera_id,
        details={"kind": debt.kind, "by": closed_by, "visit": visit_id, "recording": debt.recording_id},
        private={"reason": reason} if reason else None,
    )


def _open_of_camera(session: Session, camera_id: str, kinds: Sequence[DebtKind]) -> list[Debt]:
    query = select(Debt).where(Debt.camera_id == camera_id, Debt.closed_at.is_(None), Debt.kind.in_(kinds))
    return list(session.scalars(query.order_by(Debt.id).limit(_MOST)))

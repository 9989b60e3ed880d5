"""What retention knows, for those who ask from outside: is a recording held, and the lists that pages show."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from bodycam.people.scope import Scope
from bodycam.recordings.models import Recording
from bodycam.retention.holds import holding
from bodycam.retention.models import (
    BatchState,
    DestroyedCopy,
    DispositionBatch,
    DispositionItem,
    HoldCause,
    ItemState,
    LegalHold,
    SignedNegative,
    Tombstone,
)
from bodycam.retention.targets import covers, read_target
from bodycam.retention.terms import root_of

MOST = 2_000  # holds that stand at once


def is_held(session: Session, recording_id: str) -> bool:
    """Tell whether any hold covers a recording, whatever caused it: for what would destroy, never for a page.

    Raises:
        HoldTamperedError: a hold's row isn't what the log says: nothing may be destroyed.
    """
    recording = session.get(Recording, recording_id)
    if recording is None:
        return False
    root = root_of(session, recording)
    return bool(holding(session, [root]))


def ordered_holds(session: Session, recording: Recording) -> list[LegalHold]:
    """Return the holds by order that cover a recording, by their rows: what a page may show.

    A hold that a complaint caused is not even looked at here, so that nothing of a page can tell of one.
    """
    query = select(LegalHold).where(LegalHold.cause == HoldCause.ORDER, LegalHold.released_at.is_(None))
    rows = session.scalars(query.order_by(LegalHold.id).limit(MOST))
    return [row for row in rows if covers(session, read_target(row.target), recording)]


def list_holds(
    session: Session, cause: HoldCause, *, is_standing: bool, after: str | None = None, limit: int = 50
) -> list[LegalHold]:
    """Return the holds of one cause, newest first, those after the id `after`; which of them may be shown is the edge's."""
    released = LegalHold.released_at.is_(None) if is_standing else LegalHold.released_at.is_not(None)
    query = select(LegalHold).where(LegalHold.cause == cause, released)
    if after:
        query = query.where(LegalHold.id < after)
    return list(session.scalars(query.order_by(LegalHold.id.desc()).limit(limit)))


def list_batches(session: Session, limit: int = 50) -> list[DispositionBatch]:
    """Return the disposition batches, newest first."""
    return list(session.scalars(select(DispositionBatch).order_by(DispositionBatch.id.desc()).limit(limit)))


def count_to_approve(session: Session, account_id: str) -> int:
    """Return how many batches wait for an approval that this account has not given."""
    waiting = (BatchState.PROPOSED, BatchState.APPROVED)
    query = (
        select(func.count())
        .select_from(DispositionBatch)
        .where(
            DispositionBatch.state.in_(waiting),
            or_(DispositionBatch.first_by.is_(None), DispositionBatch.first_by != account_id),
        )
    )
    return session.scalar(query) or 0


def items_of(session: Session, batch_id: str, *, start: int = 0, limit: int = 200) -> list[DispositionItem]:
    """Return a stretch of a batch's items in the order of the log, what is owed first."""
    owed_first = case((DispositionItem.state == ItemState.DEBT, 0), else_=1)
    query = select(DispositionItem).where(DispositionItem.batch_id == batch_id)
    return list(session.scalars(query.order_by(owed_first, DispositionItem.leaf_index).offset(start).limit(limit)))


def counts_of(session: Session, batch_id: str) -> dict[str, int]:
    """Return how many items of a batch stand in each state."""
    query = select(DispositionItem.state, func.count()).where(DispositionItem.batch_id == batch_id)
    return {str(state): count for state, count in session.execute(query.group_by(DispositionItem.state))}


def copies_of(session: Session, item_ids: Sequence[str]) -> dict[str, list[DestroyedCopy]]:
    """Return what became of each copy of these items."""
    query = select(DestroyedCopy).where(DestroyedCopy.item_id.in_(item_ids))
    found: dict[str, list[DestroyedCopy]] = {}
    for copy in session.scalars(query.order_by(DestroyedCopy.what, DestroyedCopy.place)):
        found.setdefault(copy.item_id, []).append(copy)
    return found


def list_tombstones(
    session: Session, *, before: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Tombstone]:
    """Return the tombstones, newest first; `before` is (destroyed_at, leaf_index) of the last one shown."""
    query = select(Tombstone)
    if before is not None:
        query = query.where(tuple_(Tombstone.destroyed_at, Tombstone.leaf_index) < tuple_(*before))
    return list(
        session.scalars(query.order_by(Tombstone.destroyed_at.desc(), Tombstone.leaf_index.desc()).limit(limit))
    )


def tombstone_of(session: Session, recording_id: str) -> Tombstone | None:
    """Return the tombstone of a destroyed recording."""
    return session.scalar(select(Tombstone).where(Tombstone.recording_id == recording_id))


def list_negatives(
    session: Session, scope: Scope, *, hidden: Select[str] | None, after: str | None = None, limit: int = 50
) -> list[SignedNegative]:
    """Return the negatives of a scope's units, newest first, without those made by the accounts in `hidden`."""
    query = select(SignedNegative).where(_shown(scope, hidden))
    if after:
        query = query.where(SignedNegative.id < after)
    return list(session.scalars(query.order_by(SignedNegative.id.desc()).limit(limit)))


def count_reopened(session: Session, scope: Scope, *, hidden: Select[str] | None) -> int:
    """Return how many negatives of a scope were reopened and nobody has said yet that he knows."""
    query = select(func.count()).select_from(SignedNegative)
    told = (SignedNegative.reopened_at.is_not(None), SignedNegative.seen_at.is_(None))
    return session.scalar(query.where(_shown(scope, hidden), *told)) or 0


def _shown(scope: Scope, hidden: Select[str] | None) -> ColumnElement[bool]:
    shown = scope.condition(SignedNegative.unit_id)
    return and_(shown, SignedNegative.made_by.not_in(hidden)) if hidden is not None else shown

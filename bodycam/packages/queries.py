"""What pages and commands ask of extraction orders: the lists, one order, and the one in force for what is to be packaged.

`discreet` is true for whoever may not read citizens' reports: orders that intake or audit requested are then not there.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from bodycam.access.permissions import Action
from bodycam.access.service import holders_of
from bodycam.clock import now
from bodycam.packages.errors import NoOrderError
from bodycam.packages.models import ExtractionItem, ExtractionOrder, OrderState
from bodycam.packages.orders import OPEN_STATES, list_sha256, recordings_for
from bodycam.people.models import Account, Unit
from bodycam.people.scope import Scope

_IN_FORCE = (OrderState.APPROVED, OrderState.MADE)


@dataclass(frozen=True)
class OrderLine:
    """An order at a glance, with its unit's and requester's names; sizes in bytes."""

    order: ExtractionOrder
    unit: str
    requester: str
    recordings: int
    size: int


def list_orders(
    session: Session, scope: Scope, *, is_open: bool, discreet: bool, after: str | None = None, limit: int = 30
) -> list[OrderLine]:
    """Return the open orders of a scope, or the ended ones, newest first, the page after an id (ids sort by time)."""
    state = ExtractionOrder.state
    query = _lines(scope, discreet=discreet).where(state.in_(OPEN_STATES) if is_open else state.not_in(OPEN_STATES))
    if after:
        query = query.where(ExtractionOrder.id < after)
    rows = session.execute(query.order_by(ExtractionOrder.id.desc()).limit(limit))
    return [OrderLine(order, unit, requester, count, int(size)) for order, unit, requester, count, size in rows]


def find_order(session: Session, scope: Scope, order_id: str, *, discreet: bool) -> OrderLine | None:
    """Return an order of a scope with its figures, or None."""
    row = session.execute(_lines(scope, discreet=discreet).where(ExtractionOrder.id == order_id)).one_or_none()
    return OrderLine(row[0], row[1], row[2], row[3], int(row[4])) if row else None


def orders_of(
    session: Session,
    scope: Scope,
    *,
    discreet: bool,
    case_id: str | None = None,
    recording_id: str | None = None,
    limit: int = 10,
) -> list[OrderLine]:
    """Return the newest orders of a case, or that name a recording, as far as the scope shows them."""
    query = _lines(scope, discreet=discreet)
    if case_id is not None:
        query = query.where(ExtractionOrder.case_id == case_id)
    if recording_id is not None:
        named = select(ExtractionItem.order_id).where(ExtractionItem.recording_id == recording_id)
        query = query.where(ExtractionOrder.id.in_(named))
    rows = session.execute(query.order_by(ExtractionOrder.id.desc()).limit(limit))
    return [OrderLine(order, unit, requester, count, int(size)) for order, unit, requester, count, size in rows]


def count_to_approve(session: Session, scope: Scope, account_id: str, *, discreet: bool) -> int:
    """Return how many orders wait for an approver of this scope; never one's own."""
    query = select(func.count()).where(
        ExtractionOrder.state == OrderState.REQUESTED,
        ExtractionOrder.requested_by != account_id,
        scope.condition(ExtractionOrder.unit_id),
        _knowable(discreet=discreet),
    )
    return session.scalar(query) or 0


def order_in_force(
    session: Session,
    *,
    number: str | None = None,
    case_id: str | None = None,
    recording_ids: Collection[str] = (),
    renditions: bool = False,
) -> str:
    """Return the id of the newest approved, unexpired order: by its number, of a case, or of just these recordings.

    Raises:
        NoOrderError: there is none.
    """
    query = select(ExtractionOrder.id).where(ExtractionOrder.state.in_(_IN_FORCE), ExtractionOrder.expires_at > now())
    if number is not None:
        query = query.where(ExtractionOrder.number == number)
    else:
        query = query.where(ExtractionOrder.renditions == renditions)
        found = recordings_for(session, recording_ids=recording_ids, case_id=case_id)
        own = list_sha256([recording.id for recording in found])
        same = ExtractionOrder.list_sha256 == own if case_id is None else ExtractionOrder.case_id == case_id
        query = query.where(same)
    order_id = session.scalar(query.order_by(ExtractionOrder.id.desc()).limit(1))
    if order_id is None:
        raise NoOrderError
    return order_id


def _knowable(*, discreet: bool) -> ColumnElement[bool]:
    """Leave out, for whoever may not read citizens' reports, what somebody who may requested: it could tell of a complaint."""
    return ExtractionOrder.requested_by.not_in(holders_of(Action.SUBMISSION_VIEW)) if discreet else true()


def _lines(scope: Scope, *, discreet: bool) -> Select[ExtractionOrder, str, str, int, int]:
    figures = (
        select(ExtractionItem.order_id, func.count().label("files"), func.sum(ExtractionItem.size).label("size"))
        .group_by(ExtractionItem.order_id)
        .subquery()
    )
    return (
        select(ExtractionOrder, func.coalesce(Unit.name, ""), Account.display_name, figures.c.files, figures.c.size)
        .join(figures, figures.c.order_id == ExtractionOrder.id)
        .join(Account, Account.id == ExtractionOrder.requested_by)
        .outerjoin(Unit, Unit.id == ExtractionOrder.unit_id)
        .where(scope.condition(ExtractionOrder.unit_id), _knowable(discreet=discreet))
    )

"""What pages ask of wipe orders: the lists, what each waits for, and what a station could still list."""

from dataclasses import dataclass, field

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bodycam.fleet.models import Camera, Station
from bodycam.people.models import Unit
from bodycam.people.scope import Scope
from bodycam.wipes.listing import OPEN_STATES
from bodycam.wipes.models import ItemState, OrderState, WipeItem, WipeOrder


@dataclass
class OrderLine:
    """An order at a glance; `waiting_on` are the cameras (labels) whose files still wait; sizes in bytes."""

    order: WipeOrder
    station: str
    unit: str
    files: int = 0
    size: int = 0
    wiped: int = 0
    kept: int = 0
    cameras: list[str] = field(default_factory=list)
    waiting_on: list[str] = field(default_factory=list)


def list_orders(
    session: Session, scope: Scope, *, is_open: bool, after: str | None = None, limit: int = 30
) -> list[OrderLine]:
    """Return the open orders of a scope, or the ended ones, newest first, the page after an id (ids sort by time)."""
    query = _orders(scope).order_by(WipeOrder.id.desc()).limit(limit)
    state = WipeOrder.state.in_(OPEN_STATES) if is_open else WipeOrder.state.not_in(OPEN_STATES)
    query = query.where(state, WipeOrder.id < after) if after else query.where(state)
    return _with_figures(session, [OrderLine(*row) for row in session.execute(query)])


def find_order(session: Session, scope: Scope, order_id: str) -> OrderLine | None:
    """Return an order of a scope with its figures, or None."""
    row = session.execute(_orders(scope).where(WipeOrder.id == order_id)).one_or_none()
    return _with_figures(session, [OrderLine(*row)])[0] if row else None


def count_to_approve(session: Session, scope: Scope) -> int:
    """Return how many orders wait for a plan approver of this scope."""
    query = select(func.count()).select_from(WipeOrder).where(WipeOrder.state == OrderState.RAISED)
    return session.scalar(query.where(scope.condition(WipeOrder.unit_id))) or 0


def stations_of(session: Session, scope: Scope, *, limit: int = 100) -> list[tuple[Station, Unit]]:
    """Return the stations of a scope that belong to a unit, by name."""
    query = select(Station, Unit).join(Unit, Unit.id == Station.unit_id).where(scope.condition(Station.unit_id))
    return [(station, unit) for station, unit in session.execute(query.order_by(Station.name).limit(limit))]


def _orders(scope: Scope) -> Select[WipeOrder, str, str]:
    query = select(WipeOrder, Station.name, func.coalesce(Unit.name, ""))
    query = query.join(Station, Station.id == WipeOrder.station_id).outerjoin(Unit, Unit.id == WipeOrder.unit_id)
    return query.where(scope.condition(WipeOrder.unit_id))


def _with_figures(session: Session, lines: list[OrderLine]) -> list[OrderLine]:
    by_id = {line.order.id: line for line in lines}
    query = (
        select(WipeItem.order_id, Camera.label, Camera.serial, WipeItem.state, func.count(), func.sum(WipeItem.size))
        .join(Camera, Camera.id == WipeItem.camera_id)
        .where(WipeItem.order_id.in_(by_id))
        .group_by(WipeItem.order_id, Camera.id, Camera.label, Camera.serial, WipeItem.state)
        .order_by(Camera.serial, WipeItem.state)
    )
    for order_id, label, serial, state, files, size in session.execute(query):
        line, name = by_id[order_id], label or serial
        line.files += files
        line.size += int(size)
        line.wiped += files if state == ItemState.WIPED else 0
        line.kept += files if state == ItemState.KEPT else 0
        if name not in line.cameras:
            line.cameras.append(name)
        if state == ItemState.WAITING:
            line.waiting_on.append(name)
    return lines

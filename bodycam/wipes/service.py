"""Orders to wipe cameras: raised, approved, ordered by the signed minute, done; each step an event, nobody skips one.

Circular 67/2024/TT-BCA: data are deleted from a device only after they are stored on the unit's computer, by a minute that the
approver of the equipment-use plan signs. So: whoever raises an order, or adds to it, never approves it; approving closes the
list; and no file is deleted before the signed copy is attached (`signed.attach`). A station and a day have one batch; when its
list is closed the next one of that day gets a suffix.
"""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from statistics import median_low

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import local, now
from bodycam.custody.canonical import JSON
from bodycam.custody.models import CustodyEvent
from bodycam.db import nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.fleet.models import Camera, DockingVisit, Station, VisitState
from bodycam.people.models import Unit
from bodycam.recordings.models import Recording
from bodycam.wipes.errors import ListChangedError, NothingToWipeError, OwnOrderError, WipeStateError
from bodycam.wipes.listing import MAX_FILES, OPEN_STATES, Listed, items_of, list_sha256, listable
from bodycam.wipes.models import ItemState, OrderState, WipeItem, WipeOrder

SHIFTS = 2  # a card that fills within so many raises the batch by itself (issue of the dock, part 7)
_LAST_VISITS = 5
_MAX_REASON = 1_000
STATE_NAMES: dict[str, tuple[str, str]] = {
    OrderState.RAISED: ("chờ duyệt", "waiting for approval"),
    OrderState.APPROVED: ("chờ bản ký", "waiting for the signed copy"),
    OrderState.ORDERED: ("đang xóa", "being wiped"),
    OrderState.DONE: ("đã xong", "done"),
    OrderState.REFUSED: ("không duyệt", "refused"),
    OrderState.WITHDRAWN: ("đã rút", "withdrawn"),
}


def raise_order(
    session: Session, station_id: str, *, actor: str | None, camera_ids: Collection[str] | None = None
) -> WipeOrder:
    """Raise today's batch of a station, or add to the one that is still open for more; of these cameras, or of all.

    Raises:
        NothingToWipeError: no file of theirs may be listed.
        NotFoundError: there is no such station, or it belongs to no unit: nobody could approve its orders.
    """
    station = _lock_station(session, station_id)
    unit = session.get(Unit, station.unit_id) if station.unit_id else None
    if unit is None:
        raise NotFoundError(what="station's unit")
    found = listable(session, station_id, unit, camera_ids=camera_ids)
    if not found:
        raise NothingToWipeError
    return _add(session, station, unit, found, cause="person", actor=actor)


def consider_filling_card(session: Session, camera_id: str, visit_id: str) -> WipeOrder | None:
    """Raise, or add to, today's batch when a camera's card fills within two shifts at the pace of its last visits.

    Call it once a visit is complete; returns the order, or None when there is no need. For a day after somebody refused
    or withdrew an order that listed this camera it isn't raised again. The event `camera.filling` is the report to the plan's approver.
    """
    visit, camera = session.get(DockingVisit, visit_id), session.get(Camera, camera_id)
    if visit is None or camera is None or visit.station_id is None or camera.storage_free_bytes is None:
        return None
    pace = bytes_per_shift(session, camera_id, visit_id)
    if not pace or camera.storage_free_bytes > SHIFTS * pace:
        return None
    station = _lock_station(session, visit.station_id)
    unit = session.get(Unit, station.unit_id or camera.unit_id or "")
    if unit is None or _was_declined(session, station.id, camera_id):
        return None
    found = listable(session, station.id, unit, camera_ids=[camera_id])
    if not found:
        return None
    custody.record(
        session,
        "camera.filling",
        object_id=camera_id,
        actor=f"station:{station.id}",
        device=camera.id,
        details={"visit": visit_id, "free": camera.storage_free_bytes, "per_shift": pace},
    )
    return _add(session, station, unit, found, cause="card_filling", actor=None)


def bytes_per_shift(session: Session, camera_id: str, visit_id: str) -> int:
    """Return how many bytes a camera brings a visit: the lower median of its last five that brought something, this one included.

    A visit is taken for a shift. The median, since the first visit of a camera brings in all that ever lay on it.
    """
    this = session.scalar(select(func.coalesce(func.sum(Recording.size), 0)).where(Recording.visit_id == visit_id)) or 0
    query = (
        select(DockingVisit.bytes)
        .where(
            DockingVisit.camera_id == camera_id,
            DockingVisit.state == VisitState.DONE,
            DockingVisit.bytes > 0,
            DockingVisit.id != visit_id,
        )
        .order_by(DockingVisit.started_at.desc())
        .limit(_LAST_VISITS - 1)
    )
    brought = [*session.scalars(query), *([int(this)] if this else [])]
    return int(median_low(brought)) if brought else 0


def approve(session: Session, order_id: str, *, actor: str, seen: str) -> WipeOrder:
    """Approve an order as the plan's approver: its list is closed, its SHA-256 kept and printed on the minute.

    `seen` is the hash of the list he was shown.

    Raises:
        OwnOrderError: he raised it, or added to it.
        ListChangedError: it isn't the list he was shown.
        WipeStateError: it isn't waiting for approval.
    """
    order = get_order(session, order_id, OrderState.RAISED)
    if actor in authors_of(session, order):
        raise OwnOrderError(number=order.number)
    digest = list_sha256(order, items_of(session, order_id))
    if digest != seen:
        raise ListChangedError(number=order.number)
    order.state, order.approved_by, order.approved_at = OrderState.APPROVED, actor, now()
    order.list_sha256 = digest
    _event(session, "wipe.approved", order, actor, list=digest)
    return order


def mark_ordered(session: Session, order_id: str, *, recording_id: str, sha256: str, actor: str) -> WipeOrder:
    """Note the sealed scan of the signed minute: from now on stations wipe. `signed.attach` alone calls it."""
    order = get_order(session, order_id, OrderState.APPROVED)
    order.state, order.signed_recording_id, order.signed_by, order.signed_at = (
        OrderState.ORDERED,
        recording_id,
        actor,
        now(),
    )
    told: dict[str, JSON] = {"list": order.list_sha256, "recording": recording_id}
    _event(session, "wipe.ordered", order, actor, {"scan": sha256}, **told)
    return order


def refuse(session: Session, order_id: str, *, actor: str, reason: str) -> WipeOrder:
    """Refuse an order before its signed copy is attached, with the reason; its files stay on the cameras."""
    order = get_order(session, order_id, OrderState.RAISED, OrderState.APPROVED)
    return _end(session, order, OrderState.REFUSED, "wipe.refused", actor, reason)


def withdraw(session: Session, order_id: str, *, actor: str, reason: str) -> WipeOrder:
    """Take an open order back, with the reason; what was not wiped yet stays on the cameras."""
    order = get_order(session, order_id, *OPEN_STATES)
    return _end(session, order, OrderState.WITHDRAWN, "wipe.withdrawn", actor, reason)


def get_order(session: Session, order_id: str, *states: OrderState) -> WipeOrder:
    """Return an order, locked until the transaction ends; raises NotFoundError, or WipeStateError when in none of `states`."""
    order = session.get(WipeOrder, order_id, with_for_update=bool(states), populate_existing=True)
    if order is None:
        raise NotFoundError(what="wipe order")
    if states and order.state not in states:
        vi, en = STATE_NAMES[order.state]
        raise WipeStateError(number=order.number, state_vi=vi, state_en=en)
    return order


def authors_of(session: Session, order: WipeOrder) -> set[str]:
    """Return who raised an order or added to it, as the log says."""
    query = select(CustodyEvent.actor).where(
        CustodyEvent.object_id == order.id, CustodyEvent.kind.in_(("wipe.raised", "wipe.extended"))
    )
    return {actor for actor in [order.raised_by, *session.scalars(query)] if actor}


def begun_items(session: Session, camera_id: str) -> set[str]:
    """Return the ids of the items whose deletion from a camera was about to begin, as the log says."""
    query = select(CustodyEvent.body).where(
        CustodyEvent.object_id == camera_id, CustodyEvent.kind == "camera.file_wiping"
    )
    return {json.loads(body)["details"]["item"] for body in session.scalars(query)}


def close_when_done(session: Session, order: WipeOrder) -> None:
    """Close an ordered batch once every file of it is wiped or kept."""
    session.flush()
    counts = select(WipeItem.state, func.count()).where(WipeItem.order_id == order.id).group_by(WipeItem.state)
    found = dict(session.execute(counts).all())
    if order.state != OrderState.ORDERED or found.get(ItemState.WAITING):
        return
    order.state, order.ended_at = OrderState.DONE, now()
    wiped, kept = found.get(ItemState.WIPED, 0), found.get(ItemState.KEPT, 0)
    custody.record(session, "wipe.done", object_id=order.id, actor="system", details={"wiped": wiped, "kept": kept})


def _end(session: Session, order: WipeOrder, state: OrderState, kind: str, actor: str, reason: str) -> WipeOrder:
    reason = nfc(reason).strip()[:_MAX_REASON]
    if not reason:
        raise InvalidInputError(field="reason", reason="is needed", reason_vi="cần ghi lý do")
    order.state, order.ended_at, order.reason = state, now(), reason
    waiting = select(WipeItem).where(WipeItem.order_id == order.id, WipeItem.state == ItemState.WAITING)
    items = list(session.scalars(waiting))
    begun = {camera_id: begun_items(session, camera_id) for camera_id in {item.camera_id for item in items}}
    for item in items:
        if item.id not in begun[item.camera_id]:  # else the station settles it at the next docking
            item.state, item.reason, item.done_at = ItemState.KEPT, state.value, now()
    details = {"station": order.station_id}
    custody.record(session, kind, object_id=order.id, actor=actor, details=details, private={"reason": reason})
    session.flush()
    return order


def _add(
    session: Session, station: Station, unit: Unit, found: list[Listed], *, cause: str, actor: str | None
) -> WipeOrder:
    order, is_new = _batch_of_today(session, station, unit, cause=cause, actor=actor)
    found = found[: MAX_FILES - _count(session, order)]
    for listed in found:
        session.add(
            WipeItem(
                order_id=order.id,
                camera_id=listed.camera.id,
                camera_file_id=listed.file.id,
                recording_id=listed.recording.id,
                sha256=listed.recording.sha256,
                size=listed.recording.size,
                leaf_index=listed.leaf_index,
            )
        )
    session.flush()
    cameras = sorted({listed.camera.id for listed in found})[:50]  # ids: a leaf has 64 KiB
    figures = {"files": len(found), "bytes": sum(listed.recording.size for listed in found)}
    kind = "wipe.raised" if is_new else "wipe.extended"
    _event(session, kind, order, actor or "system", None, cause=cause, cameras=cameras, **figures)
    return order


def _batch_of_today(
    session: Session, station: Station, unit: Unit, *, cause: str, actor: str | None
) -> tuple[WipeOrder, bool]:
    """Return the batch that is still open for more files, or a new one, and whether it is new."""
    day = local(now()).date().isoformat()
    query = select(WipeOrder).where(
        WipeOrder.station_id == station.id,
        WipeOrder.day == day,
        WipeOrder.unit_id == unit.id,
        WipeOrder.state == OrderState.RAISED,
    )
    found = session.scalar(query.order_by(WipeOrder.id.desc()).limit(1))
    if found is not None and _count(session, found) < MAX_FILES:
        return found, False
    order = WipeOrder(
        number=_number(session, station.id, day),
        station_id=station.id,
        unit_id=unit.id,
        day=day,
        state=OrderState.RAISED,
        cause=cause,
        raised_by=actor,
        raised_at=now(),
    )
    session.add(order)
    session.flush()
    return order, True


def _count(session: Session, order: WipeOrder) -> int:
    return session.scalar(select(func.count()).select_from(WipeItem).where(WipeItem.order_id == order.id)) or 0


def _number(session: Session, station_id: str, day: str) -> str:
    """Return the order's number: day, the end of the station's id, and a suffix from the second one of a day on."""
    base = f"XD-{day.replace('-', '')}-{station_id[-6:].upper()}"
    taken = set(session.scalars(select(WipeOrder.number).where(WipeOrder.number.startswith(base)).limit(1_000)))
    number, suffix = base, 1
    while number in taken:
        suffix += 1
        number = f"{base}-{suffix}"
    return number


def _lock_station(session: Session, station_id: str) -> Station:
    """Return the station, locked: two of its slots never raise its batch at once."""
    station = session.get(Station, station_id, with_for_update=True)
    if station is None:
        raise NotFoundError(what="station")
    return station


def _was_declined(session: Session, station_id: str, camera_id: str) -> bool:
    since = now() - timedelta(days=1)
    query = (
        select(WipeOrder.id)
        .join(WipeItem, WipeItem.order_id == WipeOrder.id)
        .where(
            WipeOrder.station_id == station_id,
            WipeOrder.state.in_((OrderState.REFUSED, OrderState.WITHDRAWN)),
            WipeOrder.ended_at > since,
            WipeItem.camera_id == camera_id,
        )
    )
    return session.scalar(query.limit(1)) is not None


def _event(
    session: Session,
    kind: str,
    order: WipeOrder,
    actor: str,
    private: Mapping[str, str] | None = None,
    **details: JSON,
) -> None:
    told = {"station": order.station_id, "number": order.number, **details}
    custody.record(session, kind, object_id=order.id, actor=actor, details=told, private=private)

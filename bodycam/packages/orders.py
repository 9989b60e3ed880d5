"""Extraction orders (Phiếu đề nghị trích xuất): requested, approved by somebody else, the package made, handed over; each an event.

Recordings leave only on an approved order that has not expired. Its list is closed when it is requested: the approver decides on
just these recordings, whose hash he was shown, and the package can't hold others. A case's order never takes a citizen's recording in
by itself; one is named only by somebody whose scope shows it to him.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import and_, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases.models import Case, CaseRecording, LinkState
from bodycam.clock import local, now
from bodycam.custody.canonical import JSON, canonical
from bodycam.custody.service import format_time
from bodycam.db import new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.packages.errors import NothingToExtractError, OrderExpiredError, OrderStateError, OwnOrderError
from bodycam.packages.layout import MAX_RECORDINGS
from bodycam.packages.models import ExtractionItem, ExtractionOrder, MakingState, OrderState
from bodycam.recordings.models import Origin, Recording, State

MAX_DAYS = 30
MAX_PURPOSE, MAX_RECIPIENT, MAX_REASON = 2_000, 300, 1_000
OPEN_STATES = (OrderState.REQUESTED, OrderState.APPROVED, OrderState.MADE)
STATE_NAMES: dict[str, tuple[str, str]] = {
    OrderState.REQUESTED: ("chờ duyệt", "waiting for approval"),
    OrderState.APPROVED: ("đã duyệt, chờ tạo gói", "approved, package to be made"),
    OrderState.MADE: ("đã có gói, chờ bàn giao", "package made, to be handed over"),
    OrderState.HANDED_OVER: ("đã bàn giao", "handed over"),
    OrderState.REFUSED: ("không duyệt", "refused"),
    OrderState.WITHDRAWN: ("đã rút", "withdrawn"),
}
_TRIES = 5


@dataclass(frozen=True)
class Request:
    """What somebody asks for: of a case, or of single recordings; `days` until it expires, counted from now."""

    purpose: str
    recipient: str
    renditions: bool
    days: int
    recording_ids: tuple[str, ...] = ()
    case_id: str | None = None


def request(session: Session, wanted: Request, *, actor: str) -> ExtractionOrder:
    """Request an extraction; the list of recordings is closed by this.

    Raises:
        InvalidInputError: purpose or recipient is missing, or the days are out of range.
        NothingToExtractError: no recording may be extracted.
    """
    purpose = _text("purpose", "Mục đích", wanted.purpose, MAX_PURPOSE)
    recipient = _text("recipient", "Nơi nhận", wanted.recipient, MAX_RECIPIENT)
    if not 1 <= wanted.days <= MAX_DAYS:
        raise InvalidInputError(
            field="days", reason=f"1 to {MAX_DAYS} days", reason_vi=f"thời hạn từ 1 đến {MAX_DAYS} ngày"
        )
    recordings = recordings_for(session, recording_ids=wanted.recording_ids, case_id=wanted.case_id)
    if not recordings:
        raise NothingToExtractError
    case = session.get(Case, wanted.case_id) if wanted.case_id else None
    order = _insert(
        session,
        ExtractionOrder(
            unit_id=case.unit_id if case else recordings[0].unit_id,
            case_id=wanted.case_id,
            purpose=purpose,
            recipient=recipient,
            renditions=wanted.renditions,
            list_sha256=list_sha256([recording.id for recording in recordings]),
            requested_by=actor,
            requested_at=now(),
            expires_at=now() + timedelta(days=wanted.days),
        ),
    )
    session.add_all(
        ExtractionItem(order_id=order.id, recording_id=item.id, sha256=item.sha256, size=item.size)
        for item in recordings
    )
    session.flush()
    custody.record(
        session,
        "package.requested",
        object_id=order.id,
        actor=actor,
        case_id=order.case_id,
        details={"number": order.number, "list": order.list_sha256, "recordings": len(recordings),
                 "bytes": sum(item.size for item in recordings), "renditions": order.renditions},
        private={"purpose": purpose, "recipient": recipient},
    )  # fmt: skip
    return order


def recordings_for(
    session: Session, *, recording_ids: Collection[str] = (), case_id: str | None = None
) -> list[Recording]:
    """Return what an order of these recordings, or of a case, would take, by id: with their sidecars, without what was destroyed."""
    if case_id is not None:
        attached = select(CaseRecording.recording_id).where(
            CaseRecording.case_id == case_id, CaseRecording.state == LinkState.ATTACHED
        )
        named = and_(Recording.id.in_(attached), Recording.origin != Origin.CITIZEN)
    else:
        named = and_(Recording.id.in_(recording_ids))
    there = Recording.state != State.DESTROYED
    query = select(Recording).where(named, there).order_by(Recording.id).limit(MAX_RECORDINGS)
    found = {recording.id: recording for recording in session.scalars(query)}
    beside = select(Recording).where(Recording.parent_id.in_(list(found)), there).order_by(Recording.id)
    found |= {recording.id: recording for recording in session.scalars(beside.limit(MAX_RECORDINGS))}
    return [found[recording_id] for recording_id in sorted(found)][:MAX_RECORDINGS]


def list_sha256(recording_ids: Collection[str]) -> str:
    """Return the SHA-256 (hex) of an order's list: the RFC 8785 text of the ids, ordered."""
    return sha256(canonical(sorted(recording_ids)).encode()).hexdigest()


def approve(session: Session, order_id: str, *, actor: str, seen: str) -> ExtractionOrder:
    """Approve an order as somebody other than its requester; `seen` is the hash of the list he was shown.

    Raises:
        OwnOrderError, OrderExpiredError, OrderStateError: it may not be approved by him, any more, or again.
    """
    order = get_order(session, order_id, OrderState.REQUESTED)
    if actor == order.requested_by:
        raise OwnOrderError(number=order.number)
    check_unexpired(order)
    if seen != order.list_sha256:
        raise InvalidInputError(field="list", reason="read it again", reason_vi="xem lại danh sách rồi mới duyệt")
    order.state, order.approved_by, order.approved_at = OrderState.APPROVED, actor, now()
    details: dict[str, JSON] = {"list": order.list_sha256, "expires_at": format_time(order.expires_at)}
    _event(session, "package.approved", order, actor, details)
    return order


def refuse(session: Session, order_id: str, *, actor: str, reason: str) -> ExtractionOrder:
    """Refuse an order that waits, with the reason; whoever requested it withdraws it instead."""
    order = get_order(session, order_id, OrderState.REQUESTED)
    if actor == order.requested_by:
        raise OwnOrderError(number=order.number)
    return _end(session, order, OrderState.REFUSED, "package.refused", actor, reason)


def withdraw(session: Session, order_id: str, *, actor: str, reason: str) -> ExtractionOrder:
    """Take an order back that was not handed over, with the reason."""
    order = get_order(session, order_id, *OPEN_STATES)
    return _end(session, order, OrderState.WITHDRAWN, "package.withdrawn", actor, reason)


def begin_making(session: Session, order_id: str, *, actor: str) -> ExtractionOrder:
    """Say that the package's bytes are about to leave the vault: an event on every recording, once an order.

    Raises:
        OrderStateError, OrderExpiredError: the order is not approved, or its time is over.
    """
    order = get_order(session, order_id, OrderState.APPROVED, OrderState.MADE)
    check_unexpired(order)
    if order.package_id is None:
        order.package_id = new_id()
        for recording_id in recording_ids_of(session, order_id):
            custody.record(
                session, "recording.exported", object_id=recording_id, actor=actor, details={"order": order.id}
            )
    order.making, order.making_problem = MakingState.RUNNING, ""
    return order


def hand_over(session: Session, order_id: str, *, actor: str, taken_by: str) -> ExtractionOrder:
    """Note that the package was handed over, and to whom; the names enter the log as a commitment."""
    order = get_order(session, order_id, OrderState.MADE)
    taken_by = _text("taken_by", "Người nhận", taken_by, MAX_RECIPIENT)
    order.state, order.handed_by, order.handed_at, order.handed_to = OrderState.HANDED_OVER, actor, now(), taken_by
    details: dict[str, JSON] = {"manifest": order.manifest_sha256, "package": order.package_id}
    _event(session, "package.handed_over", order, actor, details, private={"taken_by": taken_by})
    return order


def get_order(session: Session, order_id: str, *states: OrderState) -> ExtractionOrder:
    """Return an order, locked until the transaction ends; raises NotFoundError, or OrderStateError when in none of `states`."""
    order = session.get(ExtractionOrder, order_id, with_for_update=bool(states), populate_existing=True)
    if order is None:
        raise NotFoundError(what="extraction order")
    if states and order.state not in states:
        vi, en = STATE_NAMES[order.state]
        raise OrderStateError(number=order.number, state_vi=vi, state_en=en)
    return order


def check_unexpired(order: ExtractionOrder) -> None:
    """Raise OrderExpiredError when the order's time is over."""
    if now() > order.expires_at:
        raise OrderExpiredError(number=order.number, until=f"{local(order.expires_at):%d/%m/%Y %H:%M}")


def recording_ids_of(session: Session, order_id: str) -> list[str]:
    """Return the ids of an order's recordings, ordered: all of them, an order has at most 10,000."""
    query = select(ExtractionItem.recording_id).where(ExtractionItem.order_id == order_id)
    return list(session.scalars(query.order_by(ExtractionItem.recording_id)))


def _insert(session: Session, order: ExtractionOrder) -> ExtractionOrder:
    """Add an order under the next number of its day; another process may take it first."""
    day = f"{local(now()):%Y%m%d}"
    order.id = new_id()
    for attempt in range(_TRIES):
        taken = select(func.count()).where(ExtractionOrder.number.startswith(f"TX-{day}-"))
        order.number = f"TX-{day}-{(session.scalar(taken) or 0) + 1 + attempt:04d}"
        try:
            with session.begin_nested():
                session.add(order)
        except IntegrityError:
            if attempt == _TRIES - 1:
                raise
        else:
            break
    return order


def _end(
    session: Session, order: ExtractionOrder, state: OrderState, kind: str, actor: str, reason: str
) -> ExtractionOrder:
    reason = _text("reason", "Lý do", reason, MAX_REASON)
    order.state, order.ended_at, order.reason = state, now(), reason
    _event(session, kind, order, actor, {}, private={"reason": reason})
    return order


def _event(
    session: Session,
    kind: str,
    order: ExtractionOrder,
    actor: str,
    details: dict[str, JSON],
    private: dict[str, str] | None = None,
) -> None:
    session.flush()
    told = {"number": order.number, **details}
    custody.record(session, kind, object_id=order.id, actor=actor, details=told, private=private)


def _text(field: str, field_vi: str, text: str, longest: int) -> str:
    lines: Sequence[str] = [" ".join(line.split()) for line in nfc(text).splitlines()]
    kept = "\n".join(line for line in lines if line)
    if not kept or len(kept) > longest:
        raise InvalidInputError(
            field=field, reason=f"1 to {longest} characters", reason_vi=f"{field_vi}: cần 1 đến {longest} ký tự"
        )
    return kept

"""Placing and releasing holds ("Tạm dừng xóa"), and whether a recording is held.

Who places a hold gives a reason code and words, which the log keeps as a salted commitment, as it does the target; another person
releases it. A hold that a citizen's report caused is placed by the system, has no number, lies in no list that the accused's line
may open, and is an event of its own object: it changes nothing that they can see. Whether a recording is held is asked of the
log's events together with the rows: a row that is gone or was edited lifts no hold, it stops all disposal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import local, now
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id, nfc
from bodycam.errors import NotFoundError
from bodycam.recordings.models import Recording
from bodycam.retention import clockwatch
from bodycam.retention.errors import HoldError, HoldTamperedError, SecondPersonError
from bodycam.retention.leaves import details_of, private_of
from bodycam.retention.models import HoldCause, LegalHold
from bodycam.retention.persons import same_person
from bodycam.retention.targets import Target, covers, read_target

MAX_REASON = 1_000
REASONS: dict[str, tuple[str, str]] = {
    "authority_request": ("Yêu cầu của cơ quan có thẩm quyền", "Request of an authority"),
    "court": ("Tòa án, viện kiểm sát đang xem xét", "Before a court or the procuracy"),
    "inspection": ("Đang thanh tra, kiểm tra nội bộ", "Under inspection"),
    "incident": ("Có sự cố, tai nạn, thương tích", "An incident, accident or injury"),
    "other": ("Lý do khác", "Other reason"),
}
COMPLAINT = "complaint"  # the reason code of a hold that a citizen's report caused; never offered to a person


@dataclass(frozen=True)
class Standing:
    """A hold that stands, with what it covers."""

    row: LegalHold
    target: Target


def place(
    session: Session, target: Target, *, actor: str, reason_code: str, reason: str, discreet: bool = False
) -> LegalHold:
    """Place a hold by a person's order; it has a number and shows to those who may see the recordings it covers.

    A `discreet` one is placed because of a complaint that reached a person otherwise: it is hidden like the system's own.

    Raises:
        HoldError: no such reason, no words beside "other", or a span that ends before it begins.
    """
    words = nfc(reason).strip()[:MAX_REASON]
    if reason_code not in REASONS:
        raise HoldError(reason_vi="Chọn một lý do trong danh sách", reason_en="Choose one of the reasons")
    if not words:
        raise HoldError(reason_vi="Cần ghi căn cứ: văn bản, vụ việc", reason_en="Name the document or the matter")
    _check(target)
    clockwatch.lock(session)
    cause = HoldCause.COMPLAINT if discreet else HoldCause.ORDER
    number = None if discreet else _next_number(session)
    return _add(session, target, cause, actor=actor, reason_code=reason_code, reason=words, number=number)


def place_for_complaint(session: Session, target: Target, *, submission_id: str) -> LegalHold:
    """Place the hold that a citizen's report causes; the same target for the same report is held once."""
    clockwatch.lock(session)
    body = target.body()
    same = select(LegalHold).where(
        LegalHold.submission_id == submission_id, LegalHold.target == body, LegalHold.released_at.is_(None)
    )
    known = session.scalar(same.limit(1))
    if known is not None:
        return known
    return _add(
        session, target, HoldCause.COMPLAINT, actor=None, reason_code=COMPLAINT, reason="", submission_id=submission_id
    )


def limit_complaint(session: Session, submission_id: str, until: datetime | None) -> int:
    """Give a closed report's holds their end, or take it away when the report is opened again; return how many."""
    query = select(LegalHold).where(LegalHold.submission_id == submission_id, LegalHold.released_at.is_(None))
    rows = list(session.scalars(query.order_by(LegalHold.id)))
    for row in rows:
        if row.until != until:
            row.until = until
            details = {"until": until.isoformat() if until else None}
            custody.record(session, "hold.limited", object_id=row.id, actor="system", details=details)
    return len(rows)


def release(session: Session, hold_id: str, *, actor: str, reason: str) -> LegalHold:
    """Release a hold as another person than the one who placed it, with a reason.

    Raises:
        SecondPersonError: the same person placed it.
        HoldError: it stands no more, or the reason is missing.
    """
    row = session.get(LegalHold, hold_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError(what="hold")
    if row.released_at is not None:
        raise HoldError(reason_vi="Lệnh này đã được bỏ", reason_en="This hold was released already")
    if row.placed_by is not None and same_person(session, row.placed_by, actor):
        raise SecondPersonError
    words = nfc(reason).strip()[:MAX_REASON]
    if not words:
        raise HoldError(reason_vi="Cần ghi lý do bỏ tạm dừng xóa", reason_en="A reason for the release is needed")
    row.released_by, row.released_at, row.release_reason = actor, now(), words
    custody.record(session, "hold.released", object_id=row.id, actor=actor, private={"reason": words})
    return row


def narrow(session: Session, hold_id: str, target: Target, *, actor: str, reason: str) -> LegalHold:
    """Put a narrower hold for the same report in the place of one that a complaint caused; the wide one is released.

    Raises:
        HoldError: it isn't such a hold, it stands no more, or the new target lacks a span or a reason.
    """
    row = session.get(LegalHold, hold_id)
    if row is None or row.cause != HoldCause.COMPLAINT or row.submission_id is None:
        raise NotFoundError(what="hold")
    _check(target)
    fresh = place_for_complaint(session, target, submission_id=row.submission_id)
    if row.until is not None:
        limit_complaint(session, row.submission_id, row.until)
    if fresh.id != row.id:
        release(session, hold_id, actor=actor, reason=reason)
    return fresh


def standing(session: Session) -> list[Standing]:
    """Return the holds that stand now, as the log and the rows say together, oldest first.

    Raises:
        HoldTamperedError: a hold's row is gone, or isn't what its event committed to.
    """
    kinds = ("hold.placed", "hold.released", "hold.limited")
    query = select(CustodyEvent).where(CustodyEvent.kind.in_(kinds)).order_by(CustodyEvent.id)
    placed: dict[str, CustodyEvent] = {}
    ends: dict[str, datetime | None] = {}
    for event in session.scalars(query):
        if event.kind == "hold.placed":
            placed[event.object_id] = event
        elif event.kind == "hold.released":
            placed.pop(event.object_id, None)
        else:
            until = details_of(event).get("until")
            ends[event.object_id] = datetime.fromisoformat(str(until)) if until else None
    moment = now()
    over = {hold_id for hold_id, end in ends.items() if end is not None and end <= moment}
    return [_standing(session, event) for hold_id, event in placed.items() if hold_id not in over]


def holding(session: Session, recordings: Sequence[Recording]) -> dict[str, list[LegalHold]]:
    """Return the holds that cover each of these recordings; those that are not held are left out.

    Ask it of the recording that a sidecar belongs to. Raises HoldTamperedError as `standing` does.
    """
    found: dict[str, list[LegalHold]] = {}
    stand = standing(session)
    for recording in recordings:
        rows = [one.row for one in stand if covers(session, one.target, recording)]
        if rows:
            found[recording.id] = rows
    return found


def _standing(session: Session, event: CustodyEvent) -> Standing:
    row = session.get(LegalHold, event.object_id)
    committed = private_of(event, "target")
    if row is None or row.event_id != event.id or committed is None or row.target != committed:
        raise HoldTamperedError(hold=event.object_id)
    return Standing(row, read_target(row.target))


def _add(
    session: Session,
    target: Target,
    cause: HoldCause,
    *,
    actor: str | None,
    reason_code: str,
    reason: str,
    number: str | None = None,
    submission_id: str | None = None,
) -> LegalHold:
    hold_id, body = new_id(), target.body()
    private = {"target": body, "reason": reason} if reason else {"target": body}
    if submission_id is not None:
        private["submission"] = submission_id
    event = custody.record(
        session,
        "hold.placed",
        object_id=hold_id,
        actor=actor or "system",
        reason_code=reason_code if cause is HoldCause.ORDER else None,
        private=private,
    )
    row = LegalHold(
        id=hold_id,
        number=number,
        kind=target.kind.value,
        cause=cause.value,
        target=body,
        reason_code=reason_code,
        reason=reason,
        submission_id=submission_id,
        placed_by=actor,
        placed_at=now(),
        event_id=event.id,
    )
    session.add(row)
    session.flush()
    return row


def _next_number(session: Session) -> str:
    """Return the next number of this year among the holds by order: those that complaints caused leave no gap in it."""
    year = local(now()).year
    start = f"TDX-{year}-"
    query = select(LegalHold.number).where(LegalHold.number.startswith(start)).order_by(LegalHold.number.desc())
    last = session.scalar(query.limit(1))
    return f"{start}{int(last.removeprefix(start)) + 1 if last else 1:05d}"


def _check(target: Target) -> None:
    if target.starts_at is not None and target.ends_at is not None and target.ends_at < target.starts_at:
        raise HoldError(reason_vi="Thời gian kết thúc trước lúc bắt đầu", reason_en="The span ends before it begins")
    is_place = target.recording_id is target.case_id is target.officer_id is None
    if is_place and (target.starts_at is None or target.ends_at is None):
        raise HoldError(
            reason_vi="Tạm dừng theo nơi và thời gian cần cả lúc bắt đầu và kết thúc",
            reason_en="A hold on a place needs the beginning and the end of its time",
        )
    if (target.lat is None) != (target.lon is None) or (target.lat is not None and not target.radius_m):
        raise HoldError(reason_vi="Cần đủ vĩ độ, kinh độ và bán kính", reason_en="Give latitude, longitude and radius")

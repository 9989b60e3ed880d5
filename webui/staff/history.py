"""The story of a thing: its custody events in words a person reads.

An event shows who (the account's name, a station, the system), what, when, for what reason, and whether it already stands in
the log. Names are looked up now; the log itself holds ids only. Whoever may not read citizens' reports must not learn here
that somebody complained: he is not shown who of those that may read them looked at a thing, nor other people's reasons that
tell of a complaint (they read like a sample check's).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.access.errors import OutOfReachError
from bodycam.access.permissions import ROLE_NAMES, Action
from bodycam.access.service import holders_of
from bodycam.custody.canonical import parse
from bodycam.custody.kinds import KINDS
from bodycam.custody.leaf import CONTENT
from bodycam.custody.models import CustodyEvent
from bodycam.custody.service import openings_of
from bodycam.fleet.models import Station
from bodycam.people.models import Account, Grant, Officer, Role, Unit
from webui.common.formatting import size
from webui.common.locale import t
from webui.common.signin import scope, viewer
from webui.staff.reasons import words_of
from webui.staff.verdicts import look

EVENTS = 200
MOST_CHANGES = 50
_RIGHTS = (
    "account.changed",
    "account.created",
    "account.granted",
    "account.password_changed",
    "account.role_withdrawn",
)
_LOOKS = ("access.refused", "case.viewed", "recording.exported", "recording.viewed")
_BEGUN = (
    "recording.destroy_failed",
    "recording.destroying",
)  # begun and not ended would tell of a hold that came between
_DISCREET = {"complaint", "authority_request", "sample_review", "other"}


@dataclass(frozen=True)
class Line:
    """One event as it is read; `index` is its place in the log, None while it waits."""

    id: str
    at: datetime
    what: str
    who: str
    reason: str
    index: int | None
    is_refusal: bool
    post: str = ""  # his number and roles
    said: str = ""  # what the event tells besides, in words


def story_of(session: Session, object_id: str, *, after: str | None = None) -> list[Line]:
    """Return an object's events that the signed-in person may know of, oldest first, at most 200 after an event id."""
    open_to_all = not scope(Action.SUBMISSION_VIEW).is_empty
    events = custody.history(session, object_id, after=after, limit=EVENTS, only=None if open_to_all else _knowable())
    names, posts = _names(session, events), _posts(session, events)
    return [
        replace(
            _line(event, names, discreet=not open_to_all and event.actor != viewer().account_id),
            post=posts.get(event.actor or "", ""),
            said=_said(event),
        )
        for event in events
    ]


def event_for_proof(session: Session, object_id: str, event_id: str) -> tuple[CustodyEvent, bool]:
    """Return an event of an object that the signed-in person may know of, and whether he may have its leaf with the proof.

    The leaf holds the reason's code: of a look of another he gets the proof alone, whatever the reason was, so that neither a code
    nor its absence tells of a complaint. Raises OutOfReachError.
    """
    open_to_all = not scope(Action.SUBMISSION_VIEW).is_empty
    query = select(CustodyEvent).where(CustodyEvent.id == event_id, CustodyEvent.object_id == object_id)
    event = session.scalar(query if open_to_all else query.where(_knowable()))
    if event is None:
        raise OutOfReachError(what=t("sự kiện", "event"))
    return event, open_to_all or event.kind not in _LOOKS or event.actor == viewer().account_id


def changes_of_rights(session: Session) -> list[Line]:
    """Return the latest changes of accounts and roles, newest first: what an administrator did shows to the auditor."""
    query = (
        select(CustodyEvent, Account.display_name)
        .join(Account, Account.id == CustodyEvent.object_id)
        .where(CustodyEvent.kind.in_(_RIGHTS))
        .order_by(CustodyEvent.id.desc())
        .limit(MOST_CHANGES)
    )
    found = [(event, name) for event, name in session.execute(query)]
    names = _names(session, [event for event, _ in found])
    return [
        replace(_line(event, names, discreet=False), what=_change(session, event, name), reason="")
        for event, name in found
    ]


def _change(session: Session, event: CustodyEvent, name: str) -> str:
    leaf = parse(event.body)
    details = leaf.get("details") if isinstance(leaf, dict) else None
    said = [t(KINDS[event.kind].vi, KINDS[event.kind].en), name]
    if isinstance(details, dict) and "role" in details:
        unit = session.get(Unit, str(details.get("unit")))
        said += [t(*ROLE_NAMES[Role(str(details["role"]))]), unit.name if unit else ""]
    if isinstance(details, dict) and "active" in details:
        said.append(t("bật", "on") if details["active"] else t("tắt", "off"))
    return " · ".join(part for part in said if part)


def _knowable() -> ColumnElement[bool]:
    looks = or_(
        CustodyEvent.kind.not_in(_LOOKS),
        CustodyEvent.actor.is_(None),
        CustodyEvent.actor.not_in(holders_of(Action.SUBMISSION_VIEW)),
    )
    return and_(looks, CustodyEvent.kind.not_in(_BEGUN))


def _names(session: Session, events: Sequence[CustodyEvent]) -> dict[str, str]:
    actors = {event.actor for event in events if event.actor}
    stations = {actor.removeprefix("station:") for actor in actors if actor.startswith("station:")}
    accounts = select(Account.id, Account.display_name).where(Account.id.in_(actors)).order_by(Account.id).limit(EVENTS)
    docks = select(Station.id, Station.name).where(Station.id.in_(stations)).order_by(Station.id).limit(EVENTS)
    officers = select(Officer.id, Officer.name).where(Officer.id.in_(actors)).order_by(Officer.id).limit(EVENTS)
    people = [(row_id, name) for query in (accounts, officers) for row_id, name in session.execute(query)]
    return dict([*people, *((f"station:{row_id}", name) for row_id, name in session.execute(docks))])


def _posts(session: Session, events: Sequence[CustodyEvent]) -> dict[str, str]:
    """Return by actor his number and what he may be, as both are now."""
    actors = {event.actor for event in events if event.actor}
    found: dict[str, list[str]] = {}
    accounts = select(Account.id, Officer.number).join(Officer, Officer.id == Account.officer_id)
    officers = select(Officer.id, Officer.number).where(Officer.id.in_(actors)).order_by(Officer.id).limit(EVENTS)
    for query in (accounts.where(Account.id.in_(actors)).order_by(Account.id).limit(EVENTS), officers):
        for actor, number in session.execute(query):
            found.setdefault(actor, []).append(t(f"số hiệu {number}", f"no. {number}"))
    roles = select(Grant.account_id, Grant.role).where(Grant.account_id.in_(actors)).distinct()
    for actor, role in session.execute(roles.order_by(Grant.account_id, Grant.role).limit(5 * EVENTS)):
        found.setdefault(actor, []).append(t(*ROLE_NAMES[Role(role)]))
    return {actor: ", ".join(words) for actor, words in found.items()}


def _said(event: CustodyEvent) -> str:
    leaf = parse(event.body)
    details = leaf.get("details") if isinstance(leaf, dict) else None
    details = details if isinstance(details, dict) else {}
    content = openings_of(event).get(CONTENT, {})
    if event.kind == "recording.checked":
        return look(str(details.get("verdict"))).text
    if event.kind in {"recording.sealed", "recording.rendered"} and "sha256" in content:
        octets = content.get("size")
        digest = str(content["sha256"])
        return f"{size(octets if isinstance(octets, int) else None)}, SHA-256 {digest[:12]}…"
    return ""


def _line(event: CustodyEvent, names: dict[str, str], *, discreet: bool) -> Line:
    kind = KINDS[event.kind]
    leaf = parse(event.body)
    code = leaf.get("reason") if isinstance(leaf, dict) else None
    said = openings_of(event).get("reason", {}).get("value")
    words = words_of(str(code)) if code else ""
    if discreet and code in _DISCREET:
        words, said = t("Kiểm tra theo nhiệm vụ", "A check in the line of duty"), None
    return Line(
        id=event.id,
        at=event.created_at,
        what=t(kind.vi, kind.en),
        who=_who(event.actor or "", names),
        reason=": ".join(part for part in (words, str(said or "")) if part),
        index=event.log_index,
        is_refusal=event.kind.endswith(".refused"),
    )


def _who(actor: str, names: dict[str, str]) -> str:
    if actor.startswith("shell:"):
        user = actor.removeprefix("shell:")
        return t(f"dòng lệnh trên máy chủ (người dùng số {user})", f"command line of the server (user {user})")
    if actor in {"", "system"}:
        return t("hệ thống", "the system")
    return names.get(actor, t(f"tài khoản không còn trong danh bạ ({actor})", f"an account no longer listed ({actor})"))

"""The story of a thing: its custody events in words a person reads.

An event shows who (the account's name, a station, the system), what, when, for what reason, and whether it already stands in
the log. Names are looked up now; the log itself holds ids only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.custody.canonical import parse
from bodycam.custody.kinds import KINDS
from bodycam.custody.models import CustodyEvent
from bodycam.custody.service import openings_of
from bodycam.fleet.models import Station
from bodycam.people.models import Account
from webui.common.locale import t
from webui.staff.reasons import words_of

EVENTS = 200


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


def story_of(session: Session, object_id: str, *, after: str | None = None) -> list[Line]:
    """Return an object's events, oldest first, at most 200 after an event id."""
    events = custody.history(session, object_id, after=after, limit=EVENTS)
    names = _names(session, events)
    return [_line(event, names) for event in events]


def _names(session: Session, events: Sequence[CustodyEvent]) -> dict[str, str]:
    actors = {event.actor for event in events if event.actor}
    stations = {actor.removeprefix("station:") for actor in actors if actor.startswith("station:")}
    accounts = select(Account.id, Account.display_name).where(Account.id.in_(actors)).order_by(Account.id).limit(EVENTS)
    docks = select(Station.id, Station.name).where(Station.id.in_(stations)).order_by(Station.id).limit(EVENTS)
    people = [(row_id, name) for row_id, name in session.execute(accounts)]
    return dict([*people, *((f"station:{row_id}", name) for row_id, name in session.execute(docks))])


def _line(event: CustodyEvent, names: dict[str, str]) -> Line:
    kind = KINDS[event.kind]
    leaf = parse(event.body)
    code = leaf.get("reason") if isinstance(leaf, dict) else None
    said = openings_of(event).get("reason", {}).get("value")
    words = words_of(str(code)) if code else ""
    return Line(
        id=event.id,
        at=event.created_at,
        what=t(kind.vi, kind.en),
        who=names.get(event.actor or "", t("hệ thống", "the system")),
        reason=f"{words}: {said}" if said else words,
        index=event.log_index,
        is_refusal=event.kind.endswith(".refused"),
    )

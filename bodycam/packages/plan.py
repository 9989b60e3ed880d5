"""What goes into an order's package, read from the catalogue and the log in one go; nothing here touches the vault or the disk.

Of a recording only the events that its order needs are disclosed: how it was sealed, read, checked, copied, and this extraction.
Never who looked, which other cases it was proposed for, what holds it back from deletion, or what a citizen sent: such an event, or
its absence, could tell of a complaint.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.cases.models import Case
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.packages.errors import NothingToExtractError
from bodycam.packages.layout import MAX_EVENTS, safe_name
from bodycam.packages.models import ExtractionOrder
from bodycam.packages.orders import get_order, recording_ids_of
from bodycam.people.models import Account, Unit
from bodycam.recordings.models import Recording, Rendition, State, Track
from bodycam.recordings.renditions import PROXY
from bodycam.search.described import Described, describe
from bodycam.verification.finding import Finding
from bodycam.verification.queries import findings_of

SEALED, RENDERED, EXPORTED = "recording.sealed", "recording.rendered", "recording.exported"
DISCLOSED = (SEALED, "recording.read", "recording.checked", RENDERED, EXPORTED)
ORDER_KINDS = ("package.requested", "package.approved")
_PART = 200  # recordings of one query


@dataclass(frozen=True)
class Item:
    """A recording of a package, with all that is told of it."""

    described: Described
    sealed: CustodyEvent
    events: tuple[CustodyEvent, ...]  # the disclosed ones, by index, `sealed` among them
    receipt: str | None
    findings: tuple[Finding, ...]
    track: Track | None
    proxy: tuple[Rendition, CustodyEvent] | None  # a copy to view and the event of its making

    @property
    def recording(self) -> Recording:
        """The catalogue's row."""
        return self.described.recording

    @property
    def original_path(self) -> str:
        """Where the original lies in the package."""
        return f"data/originals/{self.recording.id}/{safe_name(self.recording.name)}"

    @property
    def proxy_path(self) -> str:
        """Where the copy to view lies in the package."""
        return f"data/copies/{self.recording.id}/proxy.mp4"


@dataclass(frozen=True)
class Plan:
    """An order with everything its package says."""

    order: ExtractionOrder
    case: Case | None
    unit: Unit | None
    above: Unit | None
    requester: Account
    approver: Account
    items: tuple[Item, ...]
    order_events: tuple[CustodyEvent, ...]

    @property
    def last_index(self) -> int:
        """The largest index of all disclosed events."""
        return max(_index(event) for event in self.all_events())

    @property
    def size(self) -> int:
        """Bytes that are copied out of the vault."""
        copies = sum(item.proxy[0].size for item in self.items if item.proxy)
        return sum(item.recording.size for item in self.items) + copies

    def all_events(self) -> Iterable[CustodyEvent]:
        """Yield every disclosed event."""
        yield from self.order_events
        for item in self.items:
            yield from item.events


def gather(session: Session, order_id: str) -> Plan:
    """Return the plan of an approved order's package.

    Raises:
        NothingToExtractError: a recording of it was destroyed, or an event of it isn't in the log yet.
    """
    order = get_order(session, order_id)
    if order.approved_by is None:
        raise NothingToExtractError
    ids = recording_ids_of(session, order_id)
    items: list[Item] = []
    for start in range(0, len(ids), _PART):
        items += _items(session, order, ids[start : start + _PART])
    if len(items) != len(ids):
        raise NothingToExtractError
    unit = session.get(Unit, order.unit_id) if order.unit_id else None
    return Plan(
        order=order,
        case=session.get(Case, order.case_id) if order.case_id else None,
        unit=unit,
        above=session.get(Unit, unit.parent_id) if unit and unit.parent_id else None,
        requester=session.get_one(Account, order.requested_by),
        approver=session.get_one(Account, order.approved_by),
        items=tuple(items),
        order_events=tuple(_logged(session, [order.id], ORDER_KINDS).get(order.id, ())),
    )


def _items(session: Session, order: ExtractionOrder, ids: Sequence[str]) -> list[Item]:
    query = select(Recording).where(Recording.id.in_(ids), Recording.state != State.DESTROYED).order_by(Recording.id)
    recordings = list(session.scalars(query))
    events = _logged(session, ids, DISCLOSED)
    receipts = select(Receipt.event_id, Receipt.body).where(Receipt.object_id.in_(ids))
    bodies = {event_id: body for event_id, body in session.execute(receipts)}  # noqa: C416  rows to a dict
    tracks = {track.recording_id: track for track in session.scalars(select(Track).where(Track.recording_id.in_(ids)))}
    found = []
    for described in describe(session, recordings):
        own = [event for event in events.get(described.recording.id, ()) if _is_of(event, order)]
        sealed = next((event for event in own if event.id == described.recording.sealed_event_id), None)
        if sealed is None:
            raise NothingToExtractError
        found.append(
            Item(
                described=described,
                sealed=sealed,
                events=_few(own, sealed),
                receipt=bodies.get(sealed.id),
                findings=tuple(findings_of(session, described.recording.id)),
                track=tracks.get(described.recording.id),
                proxy=_proxy(described, own) if order.renditions else None,
            )
        )
    return found


def _logged(session: Session, ids: Sequence[str], kinds: Sequence[str]) -> Mapping[str, list[CustodyEvent]]:
    """Return by object its events of these kinds that are in the log, by index."""
    query = select(CustodyEvent).where(
        CustodyEvent.object_id.in_(ids), CustodyEvent.kind.in_(kinds), CustodyEvent.log_index.is_not(None)
    )
    found: dict[str, list[CustodyEvent]] = {}
    for event in session.scalars(query.order_by(CustodyEvent.log_index)):
        found.setdefault(event.object_id, []).append(event)
    return found


def _is_of(event: CustodyEvent, order: ExtractionOrder) -> bool:
    """Say whether an event may be disclosed: of the extractions only this order's."""
    return event.kind != EXPORTED or json.loads(event.body).get("details", {}).get("order") == order.id


def _few(events: Sequence[CustodyEvent], sealed: CustodyEvent) -> tuple[CustodyEvent, ...]:
    """Return the sealing and the latest others, as many as a package takes."""
    others = [event for event in events if event is not sealed]
    return tuple(sorted([sealed, *others[-(MAX_EVENTS - 1) :]], key=_index))


def _proxy(described: Described, events: Sequence[CustodyEvent]) -> tuple[Rendition, CustodyEvent] | None:
    rendition = described.renditions.get(PROXY)
    if rendition is None:
        return None
    made = [event for event in events if event.kind == RENDERED and _made(event) == (PROXY, rendition.object_id)]
    return (rendition, made[-1]) if made else None


def _made(event: CustodyEvent) -> tuple[str, str]:
    details = json.loads(event.body).get("details", {})
    return details.get("kind", ""), details.get("object", "")


def _index(event: CustodyEvent) -> int:
    assert event.log_index is not None  # `_logged` takes no others
    return event.log_index

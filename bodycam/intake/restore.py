"""The database is lost: the catalogue's rows come back from the manifests beside the sealed objects, under the log's eye.

The log has the last word: a row is made only for what a sequenced event says was sealed, from a manifest that agrees with it;
what the log says was destroyed is never brought back, wherever a copy turns up. Cameras, officers and visits that the new
database doesn't know are left out of the row and named in its event. What was in the database alone is not here to be found:
citizens' texts, cases, accounts. Nothing in the vault is changed. A restore that was stopped is simply begun again.
"""

import heapq
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON, parse
from bodycam.custody.models import CustodyEvent
from bodycam.db import Base, fold, new_id, nfc
from bodycam.errors import BodycamError
from bodycam.fixity.check import GONE
from bodycam.fleet.models import Camera, DockingVisit
from bodycam.jobs import service as jobs
from bodycam.people.models import Officer, Unit
from bodycam.recordings.models import Kind, Origin, Recording, Rendition
from bodycam.recordings.names import kind_of
from bodycam.recordings.renditions import PROXY
from bodycam.runtime import Runtime
from bodycam.vault import chunked
from bodycam.vault.envelope import read_key
from bodycam.vault.manifest import open_manifest

SEALED = "recording.sealed"
_PAGE = 1000
_PEOPLE: tuple[tuple[str, type[Base]], ...] = (
    ("camera", Camera),
    ("officer", Officer),
    ("unit", Unit),
    ("visit", DockingVisit),
)


class Outcome(StrEnum):
    """What became of one object."""

    KNOWN = "known"  # a catalogue lists it
    RESTORED = "restored"
    DESTROYED = "destroyed"  # the log says so; a copy turned up again, and stays where it is
    CONTRADICTED = "contradicted"  # its manifest says otherwise than the log
    UNREADABLE = "unreadable"  # no copy's manifest opens
    UNPROVEN = "unproven"  # no event of the log seals it: never acknowledged, or slipped in


@dataclass(frozen=True)
class Step:
    """One object, and how far the restore is."""

    object_id: str
    outcome: Outcome
    done: int
    total: int


class Restore:
    """One pass over all places. Bring the rows of the log up first (a sequencer's start, `bodycam log rebuild`)."""

    def __init__(self, rt: Runtime, list_known: Callable[[], Iterable[str]], actor: str = "system") -> None:
        """`list_known` gives the object ids that catalogues list."""
        self._rt = rt
        self._actor = actor
        self._known = set(list_known())
        self._later: list[str] = []  # what can only be placed once the recordings are there

    def steps(self) -> Generator[Step, None, None]:
        """Go over every object of every place: dock's and imported recordings first, then what is made from them or adopted."""
        total = sum(1 for _ in self._ids())
        done = 0
        for object_id in self._ids():
            outcome = Outcome.KNOWN if object_id in self._known else self._first(object_id)
            if outcome is not None:
                done += 1
                yield Step(object_id, outcome, done, total)
        adopted = self._adopted()
        for object_id in sorted(self._later, key=lambda one: one not in adopted):
            done += 1
            yield Step(object_id, self._second(object_id, adopted.get(object_id)), done, total)

    def _ids(self) -> Iterable[str]:
        """Yield each id once, in order, from all places together."""
        return (object_id for object_id, _ in groupby(heapq.merge(*(place.ids() for place in self._rt.vault.places))))

    def _first(self, object_id: str) -> Outcome | None:
        """Restore a recording whose manifest names its event; None for what has to wait."""
        outcome: Outcome | None = Outcome.UNREADABLE
        for told in self._manifests(object_id):
            if not isinstance(told.get("recording"), str) or not isinstance(told.get("event"), str):
                self._later.append(object_id)
                return None
            with self._rt.db.write() as session:
                event = session.get(CustodyEvent, told["event"])
                outcome = self._recording(session, object_id, told, event)
            if outcome is not Outcome.CONTRADICTED:
                return outcome
        return outcome

    def _second(self, object_id: str, event_id: str | None) -> Outcome:
        """Restore what a citizen sent (the log says as which recording), or what was made from a recording."""
        outcome = Outcome.UNREADABLE
        for told in self._manifests(object_id):
            with self._rt.db.write() as session:
                if "rendition_of" in told:
                    outcome = self._rendition(session, object_id, told)
                else:
                    event = session.get(CustodyEvent, event_id) if event_id else None
                    values = {**told, "recording": event.object_id if event else "", "name": told.get("file", "")}
                    outcome = self._recording(session, object_id, {**values, "origin": Origin.CITIZEN.value}, event)
            if outcome is not Outcome.CONTRADICTED:
                break
        return outcome

    def _manifests(self, object_id: str) -> Generator[dict[str, Any], None, None]:
        """Yield the manifest of each place that has one which opens and fits the object's length."""
        for place in self._rt.vault.places:
            try:
                key = read_key(object_id, place.beside(object_id, ".env"), self._rt.keyring)
                told = open_manifest(object_id, key, place.beside(object_id, ".manifest"))
                if chunked.plain_size(place.size(object_id)) == told["size"]:
                    yield told
            except (BodycamError, chunked.BrokenMessageError):
                continue

    def _adopted(self) -> dict[str, str]:
        """Return the sealing events of what waits, by object: a citizen's file doesn't know its recording."""
        wanted, found, last = set(self._later), dict[str, str](), ""
        while wanted:
            query = select(CustodyEvent).where(CustodyEvent.kind == SEALED, CustodyEvent.id > last)
            with self._rt.db.read() as session:
                rows = session.scalars(query.order_by(CustodyEvent.id).limit(_PAGE)).all()
            for row in rows:
                object_id = _details(row).get("object")
                if isinstance(object_id, str) and object_id in wanted:
                    found[object_id] = row.id
            if len(rows) < _PAGE:
                break
            last = rows[-1].id
        return found

    def _recording(
        self, session: Session, object_id: str, told: Mapping[str, Any], event: CustodyEvent | None
    ) -> Outcome:
        if event is None or event.log_index is None:
            return Outcome.UNPROVEN
        if not _agrees(object_id, told, event):
            return Outcome.CONTRADICTED
        if _is_gone(session, event.object_id):
            return Outcome.DESTROYED
        if session.get(Recording, event.object_id) is not None:
            return Outcome.CONTRADICTED
        known = {name: session.get(table, told.get(name) or "") for name, table in _PEOPLE}
        name = nfc(str(told["name"]))
        session.add(
            Recording(
                id=event.object_id,
                object_id=object_id,
                sha256=told["sha256"],
                size=told["size"],
                name=name,
                kind=kind_of(name) or Kind.OTHER,
                origin=told["origin"],
                quarantine=told["origin"] == Origin.DOCK and known["camera"] is None,
                **{f"{who}_id": told[who] for who, row in known.items() if row is not None},
                sealed_at=event.created_at,
                sealed_event_id=event.id,
                shown_at=event.created_at,
                time_raw=told.get("device_time"),
                clock_offset_s=told.get("clock_offset_s"),
                folded=fold(name),
            )
        )
        details: dict[str, JSON] = {"object": object_id, "event": event.id}
        details |= {who: told[who] for who, row in known.items() if row is None and told.get(who)}
        custody.record(session, "recording.restored", object_id=event.object_id, actor=self._actor, details=details)
        jobs.enqueue(
            session, "recording.read", {"recording_id": event.object_id}, key=f"recording.read:{event.object_id}"
        )
        return Outcome.RESTORED

    def _rendition(self, session: Session, object_id: str, told: Mapping[str, Any]) -> Outcome:
        recording_id, kind = str(told["rendition_of"]), str(told.get("kind"))
        if _is_gone(session, recording_id):
            return Outcome.DESTROYED
        made = custody.history(session, recording_id, only=CustodyEvent.kind == "recording.rendered")
        wanted = {"object": object_id, "kind": kind}
        if not any(row.log_index is not None and wanted.items() <= _details(row).items() for row in made):
            return Outcome.UNPROVEN
        if session.get(Recording, recording_id) is None:
            return Outcome.CONTRADICTED
        session.add(
            Rendition(
                id=new_id(),
                recording_id=recording_id,
                kind=kind,
                object_id=object_id,
                sha256=told["sha256"],
                size=told["size"],
                mime="video/mp4" if kind == PROXY else "image/jpeg",
                created_at=clock.now(),
            )
        )
        return Outcome.RESTORED


def _agrees(object_id: str, told: Mapping[str, Any], event: CustodyEvent) -> bool:
    """Tell whether a manifest says what the log says: nothing in it that the log knows may differ."""
    leaf = parse(event.body)
    if not isinstance(leaf, Mapping) or event.kind != SEALED or leaf.get("object") != told["recording"]:
        return False
    details = _details(event)
    pairs = [
        (details.get("object"), object_id),
        (details.get("origin"), told.get("origin")),
        (details.get("visit"), told.get("visit")),
        (leaf.get("device"), told.get("camera")),
        (leaf.get("device_time"), told.get("device_time")),
    ]
    return isinstance(told.get("name"), str) and all(log == manifest for log, manifest in pairs)


def _details(event: CustodyEvent) -> Mapping[str, JSON]:
    leaf = parse(event.body)
    details = leaf.get("details") if isinstance(leaf, Mapping) else None
    return details if isinstance(details, Mapping) else {}


def _is_gone(session: Session, recording_id: str) -> bool:
    return bool(custody.history(session, recording_id, limit=1, only=CustodyEvent.kind.in_(GONE)))

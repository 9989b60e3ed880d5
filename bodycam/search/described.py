"""Recordings with the names a person reads beside them: camera, officer, unit, plates, cases, previews.

A handful of queries for a whole page, however long it is; never one a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.cases.minutes import minutes_of
from bodycam.cases.models import Case, CaseRecording, LinkState
from bodycam.cases.queries import visible
from bodycam.fleet.models import Camera
from bodycam.people.models import Officer, Unit
from bodycam.people.scope import NOTHING, Scope
from bodycam.recordings.models import Recording, RecordingPlate, Rendition

Row = TypeVar("Row", Camera, Officer, Unit)

MOST_LINKS = 2000  # plates and case links of one page together; a page has at most 200 recordings


@dataclass(frozen=True)
class Described:
    """One recording and its names; None where there is nothing to name."""

    recording: Recording
    camera: Camera | None
    officer: Officer | None
    unit: Unit | None
    plates: Sequence[str]
    minute: str  # the number of its minute, as its officer noted it; "" when he noted none
    links: Sequence[tuple[CaseRecording, Case]]  # proposed and attached, the best match first
    renditions: Mapping[str, Rendition]  # by kind

    @property
    def name(self) -> str:
        """The last part of the file's path on the device."""
        return self.recording.name.rpartition("/")[2] or self.recording.name


def describe(session: Session, recordings: Sequence[Recording], cases: Scope = NOTHING) -> list[Described]:
    """Return the recordings in the same order, each with its names; of its cases only those that `cases` shows."""
    ids = [recording.id for recording in recordings]
    cameras = _by_id(session, Camera, (r.camera_id for r in recordings))
    officers = _by_id(session, Officer, (r.officer_id for r in recordings))
    units = _by_id(session, Unit, (r.unit_id for r in recordings))
    plates: dict[str, list[str]] = {}
    noted = select(RecordingPlate.recording_id, RecordingPlate.raw).where(RecordingPlate.recording_id.in_(ids))
    for recording_id, raw in session.execute(noted.order_by(RecordingPlate.compact).limit(MOST_LINKS)):
        plates.setdefault(recording_id, []).append(raw)
    renditions: dict[str, dict[str, Rendition]] = {}
    made = select(Rendition).where(Rendition.recording_id.in_(ids)).order_by(Rendition.id).limit(MOST_LINKS)
    for rendition in session.scalars(made):
        renditions.setdefault(rendition.recording_id, {})[rendition.kind] = rendition
    links, minutes = _links(session, ids, cases), minutes_of(session, ids)
    return [
        Described(
            recording=recording,
            camera=cameras.get(recording.camera_id or ""),
            officer=officers.get(recording.officer_id or ""),
            unit=units.get(recording.unit_id or ""),
            plates=plates.get(recording.id, ()),
            minute=(minutes[recording.id].number or "") if recording.id in minutes else "",
            links=links.get(recording.id, ()),
            renditions=renditions.get(recording.id, {}),
        )
        for recording in recordings
    ]


def _links(session: Session, ids: Sequence[str], cases: Scope) -> dict[str, list[tuple[CaseRecording, Case]]]:
    found: dict[str, list[tuple[CaseRecording, Case]]] = {}
    query = (
        select(CaseRecording, Case)
        .join(Case, Case.id == CaseRecording.case_id)
        .where(
            CaseRecording.recording_id.in_(ids),
            CaseRecording.state.in_([LinkState.PROPOSED, LinkState.ATTACHED]),
            visible(cases),
        )
        .order_by(CaseRecording.state, CaseRecording.score.desc(), CaseRecording.id)
        .limit(MOST_LINKS)
    )
    for link, case in session.execute(query):
        found.setdefault(link.recording_id, []).append((link, case))
    return found


def _by_id(session: Session, table: type[Row], ids: Iterable[str | None]) -> dict[str, Row]:
    wanted = {row_id for row_id in ids if row_id}
    if not wanted:
        return {}
    rows = session.scalars(select(table).where(table.id.in_(wanted)).order_by(table.id).limit(len(wanted)))
    return {row.id: row for row in rows}

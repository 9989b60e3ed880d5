"""What a hold covers, as data, and whether it covers a recording.

When a recording was made is judged by the dock's clock and never by the camera's alone: it was made before it was sealed, and after
the same camera's docking before that one. So a hold on a place and a time covers whole shifts: every recording that a docking
brought which may hold that time, unless its own position says that it was elsewhere and no other recording of the shift was near.
A recording without a position can't be left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.cases.models import CaseRecording, LinkState
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.fleet.models import DockingVisit
from bodycam.geo.geodesy import leg
from bodycam.people.models import Unit
from bodycam.recordings.models import Origin, Recording, Track
from bodycam.retention.models import HoldTarget

_MOST_SHIFT = 1_000
_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Target:
    """What is held: one of a recording, a case, an officer; or a place (WGS 84, metres) and a span of time (UTC).

    A span may go with an officer, too. A place without coordinates is any place; `unit_id` narrows a place to a unit and below.
    """

    recording_id: str | None = None
    case_id: str | None = None
    officer_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    radius_m: float | None = None
    place: str = ""
    unit_id: str | None = None

    @property
    def kind(self) -> HoldTarget:
        """What sort of target it is."""
        if self.recording_id is not None:
            return HoldTarget.RECORDING
        if self.case_id is not None:
            return HoldTarget.CASE
        return HoldTarget.PERSON if self.officer_id is not None else HoldTarget.PLACE

    def body(self) -> str:
        """Return the target in its one form, which the log commits to."""
        values: dict[str, JSON] = {}
        for name, value in vars(self).items():
            if value is not None and value != "":
                values[name] = value.isoformat() if isinstance(value, datetime) else value
        return canonical(values)


def read_target(body: str) -> Target:
    """Read a target back."""
    values = parse(body)
    if not isinstance(values, dict):
        raise TypeError("a target is an object")
    return Target(
        **{  # type: ignore[arg-type]  # what `body` wrote
            name: datetime.fromisoformat(str(value)) if name in {"starts_at", "ends_at"} else value
            for name, value in values.items()
        }
    )


@dataclass(frozen=True)
class Made:
    """When a recording was made at the earliest and the latest, by the dock's clock; `after` None: nobody knows."""

    after: datetime | None
    before: datetime

    def may_overlap(self, starts_at: datetime | None, ends_at: datetime | None) -> bool:
        """Whether it may have been made within a span."""
        if starts_at is not None and self.before < starts_at:
            return False
        return ends_at is None or self.after is None or self.after <= ends_at


def made(session: Session, recording: Recording) -> Made:
    """Return when a recording was made, by docks alone: after the camera's docking before, and before its sealing."""
    visit = session.get(DockingVisit, recording.visit_id) if recording.visit_id else None
    if visit is None:
        return Made(None, recording.sealed_at)
    earlier = select(DockingVisit.started_at).where(
        DockingVisit.camera_id == visit.camera_id,
        DockingVisit.started_at < visit.started_at,
        DockingVisit.files > 0,  # a visit that brought nothing may have left the older files on the camera
    )
    last = session.scalar(earlier.order_by(DockingVisit.started_at.desc()).limit(1))
    return Made(last - _SLACK if last else None, recording.sealed_at)


def covers(session: Session, target: Target, recording: Recording) -> bool:
    """Tell whether a target covers a recording; ask it of the recording that a sidecar belongs to."""
    if target.recording_id is not None:
        return target.recording_id == recording.id
    if target.case_id is not None:
        return _is_linked(session, target.case_id, recording.id)
    if recording.origin == Origin.CITIZEN or not _in_time(session, target, recording):
        return False  # what a citizen sent is held by its own hold
    if target.officer_id is not None:
        return recording.officer_id == target.officer_id
    return _in_unit(session, target.unit_id, recording) and any(
        is_near(session, target, one) for one in (recording, *shift_of(session, recording))
    )


def shift_of(session: Session, recording: Recording) -> Sequence[Recording]:
    """Return the other recordings that the same docking brought: a visit is taken for a shift."""
    if recording.visit_id is None:
        return ()
    query = select(Recording).where(Recording.visit_id == recording.visit_id, Recording.id != recording.id)
    return session.scalars(query.order_by(Recording.id).limit(_MOST_SHIFT)).all()


def is_near(session: Session, target: Target, recording: Recording) -> bool:
    """Whether a recording may have been made at the target's place; one without a position may have been made anywhere."""
    if target.lat is None or target.lon is None:
        return True
    reach = target.radius_m or 0.0
    track = session.get(Track, recording.id)
    if track is not None:
        lat = min(max(target.lat, track.south), track.north)
        lon = min(max(target.lon, track.west), track.east)
        return leg(target.lat, target.lon, lat, lon).metres <= reach
    if recording.lat is None or recording.lon is None:
        return True
    return leg(target.lat, target.lon, recording.lat, recording.lon).metres <= reach


def _in_time(session: Session, target: Target, recording: Recording) -> bool:
    if target.starts_at is None and target.ends_at is None:
        return True
    if made(session, recording).may_overlap(target.starts_at, target.ends_at):
        return True
    start, end = recording.started_at, recording.ended_at or recording.started_at
    if start is None or end is None:
        return False
    return (target.ends_at is None or start <= target.ends_at) and (target.starts_at is None or end >= target.starts_at)


def _in_unit(session: Session, unit_id: str | None, recording: Recording) -> bool:
    if unit_id is None or recording.unit_id is None:
        return True
    unit, own = session.get(Unit, unit_id), session.get(Unit, recording.unit_id)
    return unit is None or own is None or own.path.startswith(unit.path)


def _is_linked(session: Session, case_id: str, recording_id: str) -> bool:
    states = (LinkState.PROPOSED, LinkState.ATTACHED)
    query = select(CaseRecording.id).where(
        CaseRecording.case_id == case_id, CaseRecording.recording_id == recording_id, CaseRecording.state.in_(states)
    )
    return session.scalar(query) is not None

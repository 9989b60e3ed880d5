"""A camera's clock at the dock: measured before anything else, judged against what its crystal explains, then set.

It is set only where the camera's profile allows it and the dock's own clock has a reference, and only once the files on the card
are in: each file keeps the offset of the docking at which it was first seen, so its time means the same before and after.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import Database
from bodycam.fleet import docking
from bodycam.fleet.models import DockingVisit
from dock_service.cameras.camera import Camera, ClockReading
from dock_service.clock_reference import GREEN_S, ClockReference, Grade, grade
from dock_service.errors import CameraGoneError, CameraRefusedError, CameraStalledError, ClockDriftError, ProtocolError
from dock_service.journal import Witness
from dock_service.profiles import Profile

log = structlog.get_logger()

SUSPECT = 5  # times the expected drift (DOMAIN, part D)
RIGHT_S = 1.0  # a camera's clock counts whole seconds: nearer than that there is nothing to set


@dataclass(frozen=True)
class Measured:
    """What was found at the plug: the reading, its grade, the drift to be expected in seconds, and what is to be said of it."""

    reading: ClockReading | None
    grade: Grade
    expected_s: float | None = None
    note: ClockDriftError | None = None


def keep_measured(
    session: Session, visit: DockingVisit, reading: ClockReading | None, reference: ClockReference
) -> Measured:
    """Keep a visit's reading with the quality of the dock's reference; `judge_drift` once it is known what camera it is."""
    if reading is None or visit.camera_id is None:
        return Measured(None, Grade.UNKNOWN)
    docking.set_visit_clock(
        session,
        visit.id,
        raw=reading.raw[:60],
        camera_time=reading.camera_time,
        dock_time=reading.dock_time,
        offset_s=reading.offset_s,
        reference=reference.source,
    )
    return Measured(reading, grade(reading.offset_s, reference))


def judge_drift(
    session: Session, visit: DockingVisit, measured: Measured, reference: ClockReference, profile: Profile
) -> Measured:
    """Note a drift that the crystal of such a camera doesn't explain."""
    reading, graded = measured.reading, measured.grade
    if reading is None or visit.camera_id is None:
        return measured
    since = docking.last_set(session, visit.camera_id, before=visit.id)
    if since is None:
        return measured
    hours = max((reading.dock_time - since).total_seconds(), 0.0) / 3600
    expected = visit.drift_s = profile.drift_ppm * 1e-6 * hours * 3600
    offset = reading.offset_s
    if offset is None or not reference.is_trusted or abs(offset) <= max(SUSPECT * expected, GREEN_S):
        return Measured(reading, graded, expected)
    custody.record(
        session,
        "clock.drift_noted",
        object_id=visit.camera_id,
        actor=f"station:{visit.station_id}" if visit.station_id else "system",
        device=visit.camera_id,
        details={
            "visit": visit.id,
            "offset_ms": round(offset * 1000),
            "expected_ms": round(expected * 1000),
            "set_at": since.isoformat(timespec="seconds"),
        },
    )
    note = ClockDriftError(offset=f"{offset:+.0f}", hours=f"{hours:.0f}", expected=f"{expected:.1f}")
    return Measured(reading, graded, expected, note)


class Docked(Protocol):
    """What setting a clock needs to know of a visit."""

    @property
    def id(self) -> str:
        """Return the visit's id."""
        ...

    @property
    def clock(self) -> Measured:
        """Return what was measured at the plug."""
        ...

    @property
    def profile(self) -> Profile:
        """Return the camera's profile."""
        ...

    @property
    def reference(self) -> ClockReference:
        """Return what disciplined the dock's clock then."""
        ...


def set_clock(db: Database, camera: Camera, visit: Docked, *, write: Witness) -> float | None:
    """Set the camera's clock by the dock's and read it back; returns the offset that is left (s), None when it wasn't set.

    A camera that won't be set is no problem of its files: the journal says so, and the next docking measures it again.
    """
    reading, reference = visit.clock.reading, visit.reference
    if reading is None or not visit.profile.sets_clock or not reference.is_trusted:
        return None
    if reading.offset_s is not None and abs(reading.offset_s) <= RIGHT_S:
        return None
    try:
        if not camera.set_clock(clock.now()):
            return None
        after = camera.clock()
    except CameraGoneError:
        raise
    except (CameraRefusedError, CameraStalledError, ProtocolError) as error:
        log.warning("clock.not_set", visit=visit.id, code=error.code)
        write("clock.not_set", visit=visit.id, code=error.code)
        return None
    left = after.offset_s if after else None
    _keep_set(db, visit.id, reading, left, reference, after.dock_time if after else clock.now())
    write("clock.set", visit=visit.id, before_s=reading.offset_s, after_s=left, reference=reference.source)
    return left


def _keep_set(
    db: Database, visit_id: str, before: ClockReading, left: float | None, reference: ClockReference, at: datetime
) -> None:
    with db.write() as session:
        visit = docking.get_visit(session, visit_id)
        visit.clock_set_at = at
        custody.record(
            session,
            "clock.set",
            object_id=visit.camera_id or visit.id,
            actor=f"station:{visit.station_id}" if visit.station_id else "system",
            device=visit.camera_id,
            device_time=before.raw[:60],
            details={
                "visit": visit_id,
                "before_ms": None if before.offset_s is None else round(before.offset_s * 1000),
                "after_ms": None if left is None else round(left * 1000),
                "reference": reference.source,
            },
        )

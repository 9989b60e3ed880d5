"""One docking visit: whose camera it is, what its clock says, and what each of its files is known to be.

A camera's lock, a file in the data folder, is shared by the station and the command line: whoever holds it is the only one
reading that camera, so a visit found open under it belongs to a process that died.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.db import nfc
from bodycam.fleet import docking
from bodycam.fleet.models import CameraState, DockingVisit, Station, VisitState
from bodycam.fleet.service import camera_for, issued_to, register_unknown_camera, serial_form
from bodycam.intake.service import Facts
from bodycam.process import AlreadyRunningError, only_one
from bodycam.recordings.models import Origin
from bodycam.runtime import Runtime
from dock_service.cameras.camera import Camera, CameraFile
from dock_service.errors import CameraBusyError

_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd(8) touches it while it has a reference
_CLOCKS_SET_SINCE = datetime(2017, 1, 1, tzinfo=UTC)  # clocks without power go back to 1970, 1980, 2000, 2015 or 2016
_EVENT = re.compile(r"_(IMP|SOS)(_enc)?\.[^./]+\Z", re.IGNORECASE)  # DSJ and DCAM names of recordings marked by hand


@dataclass(frozen=True)
class Place:
    """Where the camera is read: a station's slot, or the command line; `port` is a USB port or a folder's path."""

    port: str
    station_id: str | None = None
    slot: int | None = None

    @property
    def actor(self) -> str:
        """Return who acts, for the custody log."""
        return f"station:{self.station_id}" if self.station_id else "system"


@dataclass(frozen=True)
class Visit:
    """What is known of the camera in the slot; `offset_s` = camera clock minus dock clock, None when it has none."""

    id: str
    camera_id: str
    serial: str
    name: str
    unit_id: str | None
    quarantine: bool
    officer: str
    number: str
    battery: int | None
    offset_s: float | None
    place: Place


@contextmanager
def hold_camera(data_dir: Path, serial: str) -> Iterator[None]:
    """Be the only reader of this camera on this machine while the block runs; raises CameraBusyError."""
    digest = hashlib.sha256(serial_form(serial).encode()).hexdigest()[:24]
    try:
        with only_one(data_dir / "locks" / f"camera-{digest}.lock", serial):
            yield
    except AlreadyRunningError as error:
        if error.values.get("what") != serial:
            raise
        raise CameraBusyError(camera=serial) from error


def open_visit(rt: Runtime, camera: Camera, place: Place) -> Visit:
    """Register the camera if nobody knows it (into quarantine), open its visit and measure its clock before anything else.

    The caller holds the camera's lock.
    """
    reading, battery, space = camera.clock(), camera.battery(), camera.storage()
    serial = camera.identity.serial
    with rt.db.write() as session:
        known = camera_for(session, serial)
        if known is None:
            known = register_unknown_camera(session, serial=serial, unit_id=_unit_of(session, place))
        _close_dead_visits(session, known.id, rt.settings.station.name)
        visit = docking.start_visit(
            session,
            camera_id=known.id,
            serial=serial,
            station_id=place.station_id,
            slot=place.slot,
            port=place.port[-60:],
        )
        if reading is not None:
            docking.set_visit_clock(
                session,
                visit.id,
                raw=reading.raw[:60],
                camera_time=reading.camera_time,
                dock_time=reading.dock_time,
                offset_s=reading.offset_s,
                reference=_reference(),
            )
        docking.set_camera_health(
            session,
            known.id,
            battery_percent=battery,
            storage_bytes=space.capacity if space else None,
            storage_free_bytes=space.free if space else None,
        )
        officer = issued_to(session, known.id, clock.now())
        return Visit(
            id=visit.id,
            camera_id=known.id,
            serial=serial,
            name=docking.camera_name(known),
            unit_id=known.unit_id,
            quarantine=known.state == CameraState.QUARANTINED,
            officer=officer.name if officer else "",
            number=officer.number if officer else "",
            battery=battery,
            offset_s=reading.offset_s if reading else None,
            place=place,
        )


def end_visit(
    rt: Runtime, visit: Visit, state: VisitState, *, files: int, size: int, problems: Sequence[dict[str, str]]
) -> None:
    """Close the visit with what was sealed in it: files, bytes and problems."""
    with rt.db.write() as session:
        docking.finish_visit(session, visit.id, state=state, files=files, size=size, problems=problems)


def facts_of(rt: Runtime, visit: Visit, file: CameraFile) -> Facts:
    """Return what is known of a file: who held the camera when it was written, by the corrected clock, and its raw time."""
    at = recorded_at(file, visit.offset_s)
    with rt.db.read() as session:
        officer = issued_to(session, visit.camera_id, at)
        return Facts(
            origin=Origin.DOCK,
            name=file.path,
            actor=visit.place.actor,
            camera_id=visit.camera_id,
            officer_id=officer.id if officer else None,
            unit_id=officer.unit_id if officer else visit.unit_id,
            visit_id=visit.id,
            device_time_raw=file.modified_raw or None,
            clock_offset_s=visit.offset_s,
            event_flag=_EVENT.search(file.path) is not None,
            quarantine=visit.quarantine,
        )


def recorded_at(file: CameraFile, offset_s: float | None) -> datetime:
    """Return when the file was last written by the dock's clock, UTC; now when the camera gives no usable time."""
    now = clock.now()
    if file.modified is None:
        return now
    try:
        at = file.modified - timedelta(seconds=offset_s or 0.0)
    except OverflowError:
        return now
    return min(at, now)


def is_timed(file: CameraFile) -> bool:
    """Tell whether the file's time tells it from others: a clock that lost its power writes the same times again."""
    return file.modified is not None and file.modified >= _CLOCKS_SET_SINCE


def source_key(visit: Visit, file: CameraFile) -> str:
    """Return what makes a file the same one at the next try: camera, path, size and the time it was written."""
    return f"{serial_form(visit.serial)}|{file.path}|{file.size}|{file.modified_raw}"


def _close_dead_visits(session: Session, camera_id: str, station_name: str) -> None:
    """Close the camera's visits left open on this machine; one open at another station is another device's, and stays."""
    here = select(Station.id).where(Station.name == nfc(station_name).strip())
    query = select(DockingVisit).where(
        DockingVisit.camera_id == camera_id,
        DockingVisit.state == VisitState.OPEN,
        or_(DockingVisit.station_id.is_(None), DockingVisit.station_id.in_(here)),
    )
    for dead in session.scalars(query.order_by(DockingVisit.id).limit(100)):
        docking.abandon_visit(session, dead)


def _unit_of(session: Session, place: Place) -> str | None:
    station = session.get(Station, place.station_id) if place.station_id else None
    return station.unit_id if station else None


def _reference() -> str:
    return "ntp" if _SYNCHRONIZED.exists() else "unknown"

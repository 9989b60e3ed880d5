"""One docking visit: whose camera it is, what each of its files is known to be, and what its end settles.

A camera's lock, a file in the data folder, is shared by the station and the command line: whoever holds it is the only one
reading that camera, so a visit found open under it belongs to a process that died.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.coverage import service as coverage
from bodycam.db import nfc
from bodycam.fleet import docking
from bodycam.fleet.models import CameraState, DockingVisit, Station, VisitState
from bodycam.fleet.service import camera_for, issued_to, register_unknown_camera, serial_form
from bodycam.intake.service import Facts
from bodycam.process import AlreadyRunningError, only_one
from bodycam.recordings.models import Origin
from bodycam.runtime import Runtime
from bodycam.wipes.service import consider_filling_card
from dock_service.camera_clock import Measured, judge_drift, keep_measured
from dock_service.cameras.camera import Camera, CameraFile, ClockReading
from dock_service.clock_reference import WATCH, ClockReference
from dock_service.errors import CameraBusyError
from dock_service.profiles import Match, Profile

_CLOCKS_SET_SINCE = datetime(2017, 1, 1, tzinfo=UTC)  # clocks without power go back to 1970, 1980, 2000, 2015 or 2016


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
    officer_id: str | None
    officer: str
    number: str
    battery: int | None
    offset_s: float | None
    reference: ClockReference
    clock: Measured
    profile: Profile
    place: Place
    officer_set: str = ""  # the number somebody once set in the camera


@dataclass(frozen=True)
class Order:
    """The duty officer's order to take a camera out before it is done: who (an officer's id), and his words."""

    by: str | None
    reason: str
    account_id: str | None = None

    @property
    def actor(self) -> str:
        """Return who acts, for the custody log."""
        return f"officer:{self.by}" if self.by else self.account_id or "system"


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


def open_visit(rt: Runtime, camera: Camera, place: Place, match: Match) -> Visit:
    """Register the camera if nobody knows it (into quarantine), open its visit and measure its clock before anything else.

    The caller holds the camera's lock.
    """
    reference = WATCH.now()
    reading, battery, space = camera.clock(), camera.battery(), camera.storage()
    serial = camera.identity.serial
    with rt.db.write() as session:
        known = camera_for(session, serial)
        if known is None:
            known = register_unknown_camera(
                session, serial=serial, profile=match.profile.key, unit_id=_unit_of(session, place)
            )
        _close_dead_visits(session, known.id, rt.settings.station.name)
        visit = docking.start_visit(
            session,
            camera_id=known.id,
            serial=serial,
            station_id=place.station_id,
            slot=place.slot,
            port=place.port[-60:],
        )
        visit.profile = match.profile.key[:60]
        measured = keep_measured(session, visit, reading, reference)
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
            officer_id=officer.id if officer else None,
            officer=officer.name if officer else "",
            number=officer.number if officer else "",
            battery=battery,
            offset_s=reading.offset_s if reading else None,
            reference=reference,
            clock=measured,
            profile=match.profile,
            place=place,
            officer_set=camera.identity.officer,
        )


def know_profile(rt: Runtime, visit: Visit, match: Match, reading: ClockReading | None) -> Visit:
    """Settle the visit's profile, now that its files are known, and judge the clock by it.

    `reading` is the visit's own, or one read again because the profile means another zone.
    """
    with rt.db.write() as session:
        row = docking.get_visit(session, visit.id)
        row.profile = match.profile.key[:60]
        measured = visit.clock
        if reading is not measured.reading:
            measured = keep_measured(session, row, reading, visit.reference)
        measured = judge_drift(session, row, measured, visit.reference, match.profile)
    offset_s = measured.reading.offset_s if measured.reading else None
    return replace(visit, profile=match.profile, clock=measured, offset_s=offset_s)


def settle_visit(rt: Runtime, visit: Visit, *, size: int) -> None:
    """Do what a camera that is all saved settles: it may go, its debts end, and a card that fills raises its wiping."""
    with rt.db.write() as session:
        custody.record(
            session,
            "camera.released",
            object_id=visit.camera_id,
            actor=visit.place.actor,
            device=visit.camera_id,
            details={"visit": visit.id},
        )
        docking.set_fill_time(session, visit.id, size=size)
        coverage.camera_came(
            session, camera_id=visit.camera_id, visit_id=visit.id, complete=True, actor=visit.place.actor
        )
        consider_filling_card(session, visit.camera_id, visit.id)


def end_visit(
    rt: Runtime, visit: Visit, state: VisitState, *, files: int, size: int, problems: Sequence[dict[str, str]]
) -> None:
    """Close the visit with what was sealed in it: files, bytes and problems."""
    with rt.db.write() as session:
        docking.finish_visit(session, visit.id, state=state, files=files, size=size, problems=problems)


def owe_footage(rt: Runtime, visit: Visit, order: Order | None = None) -> None:
    """Note that a camera was taken out before all was saved: a debt of its holder, and by whose order if there was one."""
    with rt.db.write() as session:
        if order is not None:
            custody.record(
                session,
                "camera.release_ordered",
                object_id=visit.camera_id,
                actor=order.actor,
                device=visit.camera_id,
                details={"visit": visit.id, "slot": visit.place.slot},
                private={"reason": order.reason} if order.reason else None,
            )
        coverage.footage_owed(
            session,
            camera_id=visit.camera_id,
            visit_id=visit.id,
            officer_id=visit.officer_id,
            unit_id=visit.unit_id,
            allowed_by=order.by if order else None,
            reason=order.reason if order else "",
            due_at=clock.now() + timedelta(hours=rt.settings.coverage.footage_hours),
            actor=visit.place.actor,
        )


def facts_of(rt: Runtime, visit: Visit, file: CameraFile, offset_s: float | None) -> Facts:
    """Return what is known of a file: who held the camera when it was written, by the corrected clock, and its raw time.

    `offset_s` is the clock's, camera minus dock, at the docking at which the file was first seen.
    """
    said = visit.profile.read_name(file.path)
    times = [said.start if said else None, file.modified]
    with rt.db.read() as session:
        held = (issued_to(session, visit.camera_id, recorded_at(at, offset_s)) for at in times if at is not None)
        officer = next((officer for officer in held if officer is not None), None)
        if officer is None and not any(times):
            officer = issued_to(session, visit.camera_id, clock.now())
        return Facts(
            origin=Origin.DOCK,
            name=file.path,
            actor=visit.place.actor,
            camera_id=visit.camera_id,
            officer_id=officer.id if officer else None,
            unit_id=officer.unit_id if officer else visit.unit_id,
            visit_id=visit.id,
            device_time_raw=file.modified_raw or None,
            clock_offset_s=offset_s,
            event_flag=visit.profile.is_event(file.path),
            quarantine=visit.quarantine,
            is_sidecar=visit.profile.is_sidecar(file.path),
            named=visit.profile.facts(file.path),
        )


def recorded_at(device_time: datetime, offset_s: float | None) -> datetime:
    """Return a time of the camera's by the dock's clock, UTC; never later than now."""
    now = clock.now()
    try:
        at = device_time - timedelta(seconds=offset_s or 0.0)
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

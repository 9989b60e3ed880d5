"""Stations and docking visits: which camera stood in which slot, and what its clock said.

The station's board is one row, its commands are rows the station takes once: dock and web meet only here. The caller
measures the camera's clock before setting it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.custody.canonical import JSON
from bodycam.db import new_id, nfc
from bodycam.errors import NotFoundError
from bodycam.fleet.errors import SerialInUseError
from bodycam.fleet.models import Camera, DockingVisit, Station, StationBoard, StationCommand, VisitState
from bodycam.fleet.service import get_camera, serial_form
from bodycam.people.scope import Scope

_PACE_VISITS = 5  # of a camera, for the pace at which its card fills


def ensure_station(session: Session, *, name: str, slots: int, unit_id: str | None = None) -> Station:
    """Return the station of this name with its number of slots set, making it when it is new."""
    name = nfc(name).strip()
    station = session.scalar(select(Station).where(Station.name == name))
    if station is None:
        station = Station(id=new_id(), name=name, slots=slots, unit_id=unit_id)
        session.add(station)
        session.flush()
        custody.record(session, "station.created", object_id=station.id, actor="system", details={"slots": slots})
    station.slots = slots
    station.unit_id = unit_id or station.unit_id
    return station


def start_visit(
    session: Session,
    *,
    camera_id: str,
    serial: str,
    station_id: str | None = None,
    slot: int | None = None,
    port: str | None = None,
) -> DockingVisit:
    """Open a visit: the camera stands in the slot now.

    A visit left open in the same slot is closed as lost (the station died or the camera blinked). One open elsewhere means
    that two devices say one serial: raises `SerialInUseError`.
    """
    open_visits = select(DockingVisit).where(DockingVisit.camera_id == camera_id, DockingVisit.state == VisitState.OPEN)
    for other in session.scalars(open_visits.order_by(DockingVisit.id).limit(100)):
        if (other.station_id, other.slot, other.port) != (station_id, slot, port):
            raise SerialInUseError(serial=serial, slot=other.slot or other.port or "?")
        abandon_visit(session, other)
    camera = get_camera(session, camera_id)
    visit = DockingVisit(
        id=new_id(),
        station_id=station_id,
        slot=slot,
        camera_id=camera_id,
        serial=serial_form(serial),
        port=port,
        started_at=now(),
        state=VisitState.OPEN.value,
        files=0,
        bytes=0,
        problems="[]",
    )
    camera.last_docked_at = visit.started_at
    session.add(visit)
    session.flush()
    custody.record(
        session,
        "camera.docked",
        object_id=camera_id,
        actor=f"station:{station_id}" if station_id else "system",
        device=visit.camera_id,
        details={"visit": visit.id, "slot": slot},
        private={"serial": visit.serial},
    )
    return visit


def set_visit_clock(
    session: Session,
    visit_id: str,
    *,
    raw: str,
    camera_time: datetime | None,
    dock_time: datetime,
    offset_s: float | None,
    reference: str,
) -> None:
    """Keep what the camera's clock said against the dock's: raw text, both as UTC, and camera minus dock in seconds."""
    visit = get_visit(session, visit_id)
    visit.camera_time_raw, visit.camera_time, visit.dock_time = raw, camera_time, dock_time
    visit.offset_s, visit.reference = offset_s, reference
    if visit.camera_id is None:
        return
    get_camera(session, visit.camera_id).last_offset_s = offset_s
    custody.record(
        session,
        "clock.measured",
        object_id=visit.camera_id,
        actor=f"station:{visit.station_id}" if visit.station_id else "system",
        device=visit.camera_id,
        device_time=raw,
        details={
            "visit": visit_id,
            "offset_ms": None if offset_s is None else round(offset_s * 1000),
            "reference": reference,
        },
    )


def last_set(session: Session, camera_id: str, *, before: str) -> datetime | None:
    """Return when a dock last set a camera's clock, before the visit `before`; None when none ever did."""
    query = select(DockingVisit.clock_set_at).where(
        DockingVisit.camera_id == camera_id, DockingVisit.clock_set_at.is_not(None), DockingVisit.id < before
    )
    return session.scalar(query.order_by(DockingVisit.id.desc()).limit(1))


def set_fill_time(session: Session, visit_id: str, *, size: int) -> float | None:
    """Keep and return in how many seconds the card is full, at the pace since the camera's visits of late.

    `size` is what this visit brought, in bytes; None when the camera doesn't say its room, or brought nothing yet.
    """
    visit = get_visit(session, visit_id)
    if visit.camera_id is None:
        return None
    query = select(DockingVisit).where(DockingVisit.camera_id == visit.camera_id, DockingVisit.id < visit_id)
    earlier = session.scalars(query.order_by(DockingVisit.id.desc()).limit(_PACE_VISITS)).all()
    free = get_camera(session, visit.camera_id).storage_free_bytes
    if not earlier or free is None:
        return None
    # what the oldest of them brought was recorded before it, so its time starts the measure and its bytes don't count
    brought = size + sum(other.bytes for other in earlier[:-1])
    seconds = (visit.started_at - earlier[-1].started_at).total_seconds()
    visit.full_in_s = free * seconds / brought if brought > 0 and seconds > 0 else None
    return visit.full_in_s


def set_camera_health(
    session: Session,
    camera_id: str,
    *,
    battery_percent: int | None = None,
    storage_bytes: int | None = None,
    storage_free_bytes: int | None = None,
) -> None:
    """Keep a camera's battery and storage as last read; what is None stays as it was."""
    camera = get_camera(session, camera_id)
    camera.battery_percent = camera.battery_percent if battery_percent is None else battery_percent
    camera.storage_bytes = camera.storage_bytes if storage_bytes is None else storage_bytes
    camera.storage_free_bytes = camera.storage_free_bytes if storage_free_bytes is None else storage_free_bytes


def finish_visit(
    session: Session,
    visit_id: str,
    *,
    state: VisitState,
    files: int,
    size: int,
    problems: Sequence[Mapping[str, JSON]] = (),
) -> DockingVisit:
    """Close a visit with what was sealed (files, bytes) and the problems met; closing twice changes nothing."""
    visit = get_visit(session, visit_id)
    if visit.state != VisitState.OPEN:
        return visit
    visit.files, visit.bytes = files, size
    visit.problems = json.dumps(list(problems), ensure_ascii=False)
    _close(session, visit, state, "camera.pulled" if state == VisitState.LOST else "camera.undocked")
    return visit


def abandon_visit(session: Session, visit: DockingVisit) -> None:
    """Close as lost a visit whose station died: nobody saw when the camera was taken out, so the log doesn't say that it was."""
    _close(session, visit, VisitState.LOST, "visit.abandoned")


def _close(session: Session, visit: DockingVisit, state: VisitState, kind: str) -> None:
    visit.state, visit.ended_at = VisitState(state).value, now()
    custody.record(
        session,
        kind,
        object_id=visit.camera_id or visit.id,
        actor=f"station:{visit.station_id}" if visit.station_id else "system",
        device=visit.camera_id,
        details={"visit": visit.id, "state": visit.state, "files": visit.files, "bytes": visit.bytes},
    )


def get_visit(session: Session, visit_id: str) -> DockingVisit:
    """Return a visit or raise `NotFoundError`."""
    visit = session.get(DockingVisit, visit_id)
    if visit is None:
        raise NotFoundError(what="visit")
    return visit


def close_open_visits(session: Session, station_id: str | None) -> int:
    """Close as lost what a station that died left open; a station calls it when it starts. Returns how many."""
    query = select(DockingVisit).where(
        DockingVisit.state == VisitState.OPEN,
        DockingVisit.station_id.is_(None) if station_id is None else DockingVisit.station_id == station_id,
    )
    visits = list(session.scalars(query.order_by(DockingVisit.id)))
    for visit in visits:
        abandon_visit(session, visit)
    return len(visits)


def put_board(session: Session, station_id: str, body: Mapping[str, JSON]) -> None:
    """Write a station's board; the write is its heartbeat. At most once a second is the caller's promise."""
    board = session.get(StationBoard, station_id)
    text = json.dumps(dict(body), ensure_ascii=False)
    if board is None:
        session.add(StationBoard(station_id=station_id, body=text, beat_at=now()))
    else:
        board.body, board.beat_at = text, now()
    session.flush()


def boards(session: Session, scope: Scope, *, limit: int = 100) -> list[tuple[Station, StationBoard | None]]:
    """Return the stations of a scope by name, each with its board if it ever wrote one."""
    query = (
        select(Station, StationBoard)
        .outerjoin(StationBoard, StationBoard.station_id == Station.id)
        .where(scope.condition(Station.unit_id))
    )
    return [(station, board) for station, board in session.execute(query.order_by(Station.name).limit(limit))]


def give_command(
    session: Session,
    station_id: str,
    command: str,
    *,
    slot: int | None = None,
    account_id: str | None = None,
    officer_id: str | None = None,
    body: Mapping[str, JSON] | None = None,
) -> StationCommand:
    """Ask something of a station, by a signed-in account or by an officer at its kiosk; it takes the command at its next look."""
    row = StationCommand(
        id=new_id(),
        station_id=station_id,
        slot=slot,
        command=command,
        account_id=account_id,
        officer_id=officer_id,
        body=json.dumps(dict(body or {}), ensure_ascii=False),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    details = {"command": command, "slot": slot}
    actor = account_id or officer_id
    custody.record(session, "station.command_given", object_id=station_id, actor=actor, details=details)
    return row


def take_commands(session: Session, station_id: str, *, limit: int = 50) -> list[StationCommand]:
    """Take the commands waiting for a station, oldest first; none is taken twice (in a write transaction)."""
    query = select(StationCommand).where(StationCommand.station_id == station_id, StationCommand.taken_at.is_(None))
    rows = list(session.scalars(query.order_by(StationCommand.id).limit(limit).with_for_update(skip_locked=True)))
    for row in rows:
        row.taken_at = now()
    return rows


def camera_name(camera: Camera) -> str:
    """Return what a person calls a camera: its label, or its serial when it has none."""
    return camera.label or camera.serial

"""Taking and returning cameras at a kiosk.

A camera can be taken when it is in service, in nobody's hands, of the station's unit or below, and, if it stands in a slot, done: a
camera that still uploads, is broken, or nobody registered is refused with why. What it records from now on is its new holder's.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.db import nfc
from bodycam.fleet.docking import camera_name
from bodycam.fleet.errors import CameraNotFreeError
from bodycam.fleet.models import Camera, CameraState, DockingVisit, Station, StationBoard, VisitState
from bodycam.fleet.queries import cameras_of, holders_of, visits_of
from bodycam.fleet.service import get_camera, issue_camera, return_camera
from bodycam.fleet.standing import Standing, standing_at
from bodycam.people.models import Officer, Unit

DONE = "done"
HEARTBEAT = timedelta(seconds=6)
MOST = 50
_LEAST_DIGITS = 3


@dataclass(frozen=True)
class Offer:
    """A camera in a slot, and why it can't be taken (None: it can)."""

    slot: int
    camera: Camera
    refusal: CameraNotFreeError | None


@dataclass(frozen=True)
class Held:
    """A camera in an officer's hands since a moment, and the slot of this station it stands in, if any."""

    camera: Camera
    since: datetime
    slot: int | None
    is_docked: bool


def offers(session: Session, station: Station) -> list[Offer]:
    """Return the cameras standing in the station's slots, by slot, each with whether it can be taken."""
    done = _done_slots(session, station)
    return [
        Offer(slot, row.camera, _refusal(session, station, row.camera, row, done))
        for slot, row in sorted(standing_at(session, station.id).items())
    ]


def find(session: Session, station: Station, typed: str) -> list[Camera]:
    """Return the cameras of the station's unit whose label or serial is what was typed or scanned, or ends with its digits."""
    text = nfc(typed).strip()[:100]
    if not text:
        return []
    exact = or_(Camera.label == text, Camera.label == text.upper(), Camera.serial == text.upper())
    ending = Camera.label.endswith(text, autoescape=True)
    wanted = or_(exact, ending) if text.isdigit() and len(text) >= _LEAST_DIGITS else exact
    query = select(Camera).where(wanted)
    if station.unit_id is not None:
        path = session.get_one(Unit, station.unit_id).path
        query = query.where(Camera.unit_id.in_(select(Unit.id).where(Unit.path.startswith(path, autoescape=True))))
    return list(session.scalars(query.order_by(Camera.label, Camera.id).limit(MOST)))


def take(session: Session, station: Station, camera_id: str, officer_id: str) -> Camera:
    """Put a camera into an officer's hands from now on; raises `CameraNotFreeError`."""
    camera = get_camera(session, camera_id)
    here = next((row for row in standing_at(session, station.id).values() if row.camera.id == camera_id), None)
    refusal = _refusal(session, station, camera, here, _done_slots(session, station))
    if refusal is not None:
        raise refusal
    issue_camera(session, camera_id, officer_id, starts_at=now(), actor=officer_id)
    return camera


def held_by(session: Session, station: Station, officer_id: str) -> list[Held]:
    """Return what an officer holds now, longest first."""
    rows = cameras_of(session, officer_id, limit=MOST)
    slots = {row.camera.id: slot for slot, row in standing_at(session, station.id).items()}
    docked = select(DockingVisit.camera_id).where(
        DockingVisit.camera_id.in_([camera.id for camera, _ in rows]), DockingVisit.state == VisitState.OPEN
    )
    anywhere = set(session.scalars(docked.limit(MOST)))
    return [Held(camera, since, slots.get(camera.id), camera.id in anywhere) for camera, since in rows]


def bring_back(session: Session, station: Station, camera_id: str, officer_id: str) -> Held:
    """Take a camera back from its holder; raises `CameraNotFreeError` when it isn't his. Says whether it is docked already."""
    for held in held_by(session, station, officer_id):
        if held.camera.id == camera_id:
            return_camera(session, camera_id, ends_at=now(), actor=officer_id)
            return held
    raise CameraNotFreeError(
        camera=camera_name(get_camera(session, camera_id)),
        reason_vi="không ở trong tay đồng chí",
        reason_en="it isn't in your hands",
    )


def _done_slots(session: Session, station: Station) -> set[int]:
    """Return the slots that are green now; none when the station's heart has stopped."""
    board = session.get(StationBoard, station.id)
    if board is None or now() - board.beat_at >= HEARTBEAT:
        return set()
    return {int(slot["slot"]) for slot in json.loads(board.body).get("slots", []) if slot.get("state") == DONE}


def _refusal(
    session: Session, station: Station, camera: Camera, here: Standing | None, done: set[int]
) -> CameraNotFreeError | None:
    for reason_vi, reason_en in _reasons(session, station, camera, here, done):
        return CameraNotFreeError(camera=camera_name(camera), reason_vi=reason_vi, reason_en=reason_en)
    return None


def _reasons(
    session: Session, station: Station, camera: Camera, here: Standing | None, done: set[int]
) -> list[tuple[str, str]]:
    """Return why a camera can't be taken, the weightiest first."""
    states = {
        CameraState.BROKEN: ("đang báo hỏng", "it is reported broken"),
        CameraState.QUARANTINED: ("chưa đăng ký, chờ quản trị xử lý", "it isn't registered: the administrator decides"),
        CameraState.LOST: ("đã báo mất", "it is reported lost"),
        CameraState.RETIRED: ("đã thôi dùng", "it is out of use"),
    }
    found = [words for state, words in states.items() if camera.state == state]
    holder: Officer | None = here.holder if here else _holder(session, camera)
    if holder is not None:
        found.append(
            (f"đang giao cho {holder.name}: người ấy trả máy trước", f"{holder.name} holds it: return it first")
        )
    if here is not None and here.slot not in done:
        found.append(("chưa tải xong, chờ ô chuyển xanh", "it isn't done: wait for its green tile"))
    if here is None and _is_owing(session, camera):
        found.append(("còn dữ liệu chưa tải hết: cắm vào trạm trước", "it still holds footage: dock it first"))
    if not _is_of_unit(session, station, camera):
        found.append(("của đơn vị khác", "it belongs to another unit"))
    return found


def _holder(session: Session, camera: Camera) -> Officer | None:
    held = holders_of(session, [camera.id], now()).get(camera.id)
    return held[0] if held else None


def _is_owing(session: Session, camera: Camera) -> bool:
    last = visits_of(session, camera.id, limit=1)
    return bool(last) and last[0].state in {VisitState.LOST, VisitState.FAILED, VisitState.OPEN}


def _is_of_unit(session: Session, station: Station, camera: Camera) -> bool:
    if station.unit_id is None:
        return True
    unit = session.get(Unit, camera.unit_id) if camera.unit_id else None
    return unit is not None and unit.path.startswith(session.get_one(Unit, station.unit_id).path)

"""What an order may list, and the one text of its list.

A file may be listed when it still lies on a camera of the station's unit (or below), was sealed whole, has its receipt, was
last seen at this station, and is in no other open order. A camera that nobody registered, or that is lost, is left alone: what
it holds is somebody's decision first. A legal hold ("Tạm dừng xóa") is no obstacle: it concerns the vault's copy, which wiping a
camera never touches.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVarTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bodycam.custody.canonical import JSON, canonical
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.fleet.models import Camera, CameraState, DockingVisit
from bodycam.people.models import Unit
from bodycam.recordings.models import CameraFile, CameraFileState, Recording
from bodycam.wipes.models import ItemState, OrderState, WipeItem, WipeOrder

MAX_FILES = 5_000  # of one order: what a person can still be asked to sign
OPEN_STATES = (OrderState.RAISED, OrderState.APPROVED, OrderState.ORDERED)
Columns = TypeVarTuple("Columns")
_LEFT_ALONE = (CameraState.QUARANTINED, CameraState.LOST)


@dataclass(frozen=True)
class Listed:
    """A file of an order, or one that may become one; sizes in bytes."""

    camera: Camera
    file: CameraFile
    recording: Recording
    leaf_index: int


def listable(
    session: Session, station_id: str, unit: Unit, *, camera_ids: Collection[str] | None = None
) -> list[Listed]:
    """Return the files that may be listed now, of these cameras or of all, oldest first and `MAX_FILES` at most."""
    query = _listable(station_id, unit, select(Camera, CameraFile, Recording, CustodyEvent.log_index))
    if camera_ids is not None:
        query = query.where(CameraFile.camera_id.in_(camera_ids))
    rows = session.execute(query.order_by(CameraFile.id).limit(MAX_FILES))
    return [Listed(camera, file, recording, index) for camera, file, recording, index in rows if index is not None]


def listable_by_camera(session: Session, station_id: str, unit: Unit) -> list[tuple[Camera, int, int]]:
    """Return the cameras with files that may be listed: camera, how many files, how many bytes; by label."""
    wanted = select(Camera, func.count(CameraFile.id), func.coalesce(func.sum(CameraFile.size), 0))
    query = _listable(station_id, unit, wanted).group_by(Camera.id).order_by(Camera.label, Camera.id).limit(500)
    return [(camera, files, int(size)) for camera, files, size in session.execute(query)]


def _listable(station_id: str, unit: Unit, query: Select[*Columns]) -> Select[*Columns]:
    taken = (
        select(WipeItem.camera_file_id)
        .join(WipeOrder, WipeOrder.id == WipeItem.order_id)
        .where(WipeItem.state == ItemState.WAITING, WipeOrder.state.in_(OPEN_STATES))
    )
    return (
        query.select_from(CameraFile)
        .join(Camera, Camera.id == CameraFile.camera_id)
        .join(Unit, Unit.id == Camera.unit_id)
        .join(DockingVisit, DockingVisit.id == CameraFile.last_visit_id)
        .join(Recording, Recording.id == CameraFile.recording_id)
        .join(Receipt, Receipt.event_id == Recording.sealed_event_id)
        .join(CustodyEvent, CustodyEvent.id == Recording.sealed_event_id)
        .where(
            CameraFile.state == CameraFileState.ON_CAMERA,
            Camera.state.not_in(_LEFT_ALONE),
            Unit.path.startswith(unit.path, autoescape=True),
            DockingVisit.station_id == station_id,
            Recording.camera_id == CameraFile.camera_id,
            Recording.size == CameraFile.size,
            CustodyEvent.log_index.is_not(None),
            CameraFile.id.not_in(taken),
        )
    )


def items_of(session: Session, order_id: str) -> list[tuple[WipeItem, Listed]]:
    """Return the files of an order by camera and path: the order of the minute."""
    query = (
        select(WipeItem, Camera, CameraFile, Recording)
        .join(Camera, Camera.id == WipeItem.camera_id)
        .join(CameraFile, CameraFile.id == WipeItem.camera_file_id)
        .join(Recording, Recording.id == WipeItem.recording_id)
        .where(WipeItem.order_id == order_id)
        .order_by(Camera.serial, CameraFile.path, WipeItem.id)
    )  # without a limit: an order has at most MAX_FILES, and what is hashed must be all that is wiped
    rows = session.execute(query)
    return [(item, Listed(camera, file, recording, item.leaf_index)) for item, camera, file, recording in rows]


def list_sha256(order: WipeOrder, items: Sequence[tuple[WipeItem, Listed]]) -> str:
    """Return the SHA-256 (hex) of an order's list in canonical JSON (RFC 8785): what is printed on the minute.

    It covers number, station, day, and each file's camera serial, path, size, device time as written, SHA-256 and receipt index.
    """
    files: list[JSON] = [
        {
            "camera": listed.camera.serial,
            "path": listed.file.path,
            "modified": listed.file.modified_raw,
            "size": item.size,
            "sha256": item.sha256,
            "receipt": item.leaf_index,
        }
        for item, listed in items
    ]
    told: JSON = {"number": order.number, "station": order.station_id, "day": order.day, "files": files}
    return hashlib.sha256(canonical(told).encode()).hexdigest()

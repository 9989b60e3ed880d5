"""Where cameras stand now, as their stations' boards say; a board that has been silent says nothing of its slots."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.fleet.models import Camera, Station, StationBoard

SILENCE = timedelta(seconds=6)  # PRODUCT.md, screen 1
GREEN, EMPTY = "done", "empty"
_MOST_STATIONS = 200


@dataclass(frozen=True)
class Standing:
    """A camera in a slot: the board's state of it, and how many files are still to come (None: not known yet)."""

    station: str
    slot: int
    state: str
    files_left: int | None

    @property
    def is_green(self) -> bool:
        """Whether everything on it is saved and has its receipt."""
        return self.state == GREEN


def standing_of(session: Session, cameras: Sequence[Camera]) -> dict[str, Standing]:
    """Return by camera id where each camera stands; those in no slot of a living station are left out."""
    names = {name: camera.id for camera in cameras for name in (camera.serial, camera.label) if name}
    query = select(Station.name, StationBoard.body).join(StationBoard, StationBoard.station_id == Station.id)
    query = query.where(StationBoard.beat_at > now() - SILENCE).order_by(Station.id).limit(_MOST_STATIONS)
    found: dict[str, Standing] = {}
    for station, body in session.execute(query) if names else ():
        for slot in json.loads(body).get("slots", []):
            camera_id = names.get(str(slot.get("camera") or ""))
            if camera_id is not None and slot.get("state") != EMPTY:
                total, done = slot.get("files_total") or 0, slot.get("files_done") or 0
                state = str(slot.get("state"))
                left = 0 if state == GREEN else max(int(total) - int(done), 0) if total else None
                found[camera_id] = Standing(station, int(slot["slot"]), state, left)
    return found

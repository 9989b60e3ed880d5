"""An officer of a team, his camera, and recordings of his shift."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bodycam.clock import now
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.fleet import docking
from bodycam.fleet import service as fleet
from bodycam.people import units
from bodycam.recordings.models import Recording

NOON = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
_number = count()


@dataclass(frozen=True)
class World:
    team: str
    officer: str
    camera: str
    station: str


def world(session, serial="S1", number="123-456"):
    team, _ = units.ensure_unit(session, ["Phòng CSGT", "Đội 3"], force="traffic_police")
    officer = units.create_officer(session, unit_id=team.id, number=number, name="Nguyễn Đức", force="traffic_police")
    camera = fleet.register_camera(session, serial=serial, label=f"BWC-{serial}", unit_id=team.id)
    fleet.issue_camera(session, camera.id, officer.id, starts_at=NOON - timedelta(days=30))
    station = docking.ensure_station(session, name="Trạm cắm 01", slots=8, unit_id=team.id)
    return World(team.id, officer.id, camera.id, station.id)


def filmed(session, world, start, minutes=5, *, receipt=True, leaf=True, **changes):
    """Seal a recording now, and give it its place in the log and its receipt."""
    n = next(_number)
    event = CustodyEvent(id=f"e{n}", kind="recording.sealed", object_id=f"r{n:04}", body="{}", created_at=now())
    event.log_index = n if leaf else None
    session.add(event)
    session.flush()
    if receipt:
        session.add(Receipt(event_id=event.id, object_id=event.object_id, body="-", issued_at=now()))
    values = {
        "id": f"r{n:04}",
        "object_id": f"{n:064}",
        "sha256": f"{n:064}",
        "size": 1000,
        "name": f"DCIM/{n}.MP4",
        "kind": "video",
        "origin": "dock",
        "camera_id": world.camera,
        "officer_id": world.officer,
        "unit_id": world.team,
        "sealed_at": now(),
        "sealed_event_id": event.id,
        "shown_at": start,
        "started_at": start,
        "ended_at": start + timedelta(minutes=minutes),
        "duration_s": minutes * 60.0,
    }
    made = Recording(**(values | changes))
    session.add(made)
    session.flush()
    return made


def docked(session, world, state="done", slot=3, files=(2, 2)):
    told = {"slot": slot, "state": state, "camera": "BWC-S1", "files_done": files[0], "files_total": files[1]}
    docking.put_board(session, world.station, json.loads(json.dumps({"slots": [told]})))

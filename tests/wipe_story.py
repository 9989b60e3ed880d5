"""A station of one unit, a camera whose files are sealed with their receipts, and two people who may decide."""

import hashlib
import random
from dataclasses import dataclass, field

from bodycam import clock
from bodycam.custody.sequencer import Sequencer
from bodycam.db import new_id
from bodycam.fleet import docking
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import register_camera
from bodycam.intake import service as intake
from bodycam.people.accounts import create_account
from bodycam.people.models import Force
from bodycam.people.units import create_unit
from bodycam.recordings.models import CameraFile, Origin
from bodycam.runtime import Runtime
from bodycam.settings import SignInSettings

make = random.Random(11).randbytes
PDF = b"%PDF-1.7\n" + make(2000)


@dataclass
class Unit:
    """What the tests work with; ids, and a hand to bring recordings in."""

    rt: Runtime
    unit_id: str
    other_unit_id: str
    station_id: str
    commander: str
    approver: str
    cameras: dict[str, str] = field(default_factory=dict)

    def camera(self, serial: str = "S-1", *, unit_id: str | None = None, free: int | None = None) -> str:
        with self.rt.db.write() as session:
            camera = register_camera(session, serial=serial, label=f"BWC-{serial}", unit_id=unit_id or self.unit_id)
            camera.storage_bytes, camera.storage_free_bytes = 1_000_000, free
        self.cameras[serial] = camera.id
        return camera.id

    def visit(self, camera_id: str, files: dict[str, bytes], *, station_id: str | None = None) -> str:
        """Dock the camera, seal its files, let the log issue their receipts, and note the files as still on the camera."""
        with self.rt.db.write() as session:
            visit = docking.start_visit(
                session, camera_id=camera_id, serial="x", station_id=station_id or self.station_id, slot=1
            )
        for path, data in files.items():
            self.seal(camera_id, visit.id, path, data)
        Sequencer(self.rt.db, self.rt.log).run_once()
        with self.rt.db.write() as session:
            size = sum(map(len, files.values()))
            docking.finish_visit(session, visit.id, state=VisitState.DONE, files=len(files), size=size)
        return visit.id

    def seal(self, camera_id: str, visit_id: str, path: str, data: bytes) -> str:
        attempt = intake.begin(self.rt.db, f"{camera_id}|{path}|{hashlib.sha256(data).hexdigest()}")
        with self.rt.spool.open(attempt.id) as writer:
            writer.write(data)
            spooled = writer.finish()
        facts = intake.Facts(
            origin=Origin.DOCK, name=path, actor="system", camera_id=camera_id, unit_id=self.unit_id, visit_id=visit_id
        )
        sealed = intake.finish(self.rt, attempt, spooled, facts)
        with self.rt.db.write() as session:
            session.add(
                CameraFile(
                    id=new_id(),
                    camera_id=camera_id,
                    path=path,
                    size=len(data),
                    modified_raw="20261109T072007",
                    recording_id=sealed.recording_id,
                    first_seen_at=clock.now(),
                    last_seen_at=clock.now(),
                    last_visit_id=visit_id,
                )
            )
        return sealed.recording_id


def tell(rt: Runtime) -> Unit:
    """Make units, a station and the two people in an empty installation."""
    cheap = SignInSettings(attempts=10, pause_seconds=30, argon2_memory_kib=8, argon2_time_cost=1)
    with rt.db.write() as session:
        team = create_unit(session, name="Đội 3", force=Force.TRAFFIC_POLICE)
        other = create_unit(session, name="Đội 4", force=Force.TRAFFIC_POLICE)
        station = docking.ensure_station(session, name="Trạm cắm 01", slots=8, unit_id=team.id)
        people = [
            create_account(session, username=name, display_name=name, password="mat-khau-thu-1", settings=cheap).id
            for name in ("commander", "approver")
        ]
    return Unit(rt, team.id, other.id, station.id, *people)

"""A station of one unit, a camera whose files are sealed with their receipts, and two people who may decide."""

import hashlib
import random
from dataclasses import dataclass, field

from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.custody.sequencer import Sequencer
from bodycam.db import new_id
from bodycam.fleet import docking
from bodycam.fleet.models import Camera, VisitState
from bodycam.fleet.service import register_camera
from bodycam.intake import service as intake
from bodycam.people.accounts import create_account
from bodycam.people.models import Force
from bodycam.people.units import create_unit
from bodycam.recordings.models import CameraFile, Origin, Recording
from bodycam.runtime import Runtime
from bodycam.sections import SignInSettings
from bodycam.wipes.models import WipeOrder
from bodycam.wipes.service import consider_filling_card

make = random.Random(11).randbytes
PDF = b"%PDF-1.7\n" + make(2000)


def scan() -> bytes:
    """Return a scan that no order had before."""
    return b"%PDF-1.7\n" + make(2000)


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


def lies_on_camera(rt: Runtime, story: Story, *recording_ids: str) -> None:
    """Note recordings of the staff story as still lying on its camera, with their receipts; its card is nearly full."""
    Sequencer(rt.db, rt.log).run_once()
    with rt.db.write() as session:
        visit = docking.start_visit(
            session, camera_id=story.camera_id, serial="SN0412", station_id=story.station_id, slot=1
        )
        docking.finish_visit(session, visit.id, state=VisitState.DONE, files=1, size=1)
        camera = session.get_one(Camera, story.camera_id)
        camera.storage_bytes, camera.storage_free_bytes = 64_000_000_000, 100
        for recording_id in recording_ids or (story.stop_id,):
            recording = session.get_one(Recording, recording_id)
            recording.visit_id = visit.id
            session.add(
                CameraFile(
                    id=new_id(),
                    camera_id=story.camera_id,
                    path=recording.name,
                    size=recording.size,
                    modified_raw="20261109T142007+0700",
                    recording_id=recording_id,
                    first_seen_at=clock.now(),
                    last_seen_at=clock.now(),
                    last_visit_id=visit.id,
                )
            )


def filling_card(rt: Runtime, story: Story) -> WipeOrder:
    """Let the staff story's camera fill: the system raises an order with its one file."""
    lies_on_camera(rt, story)
    with rt.db.write() as session:
        visit_id = session.scalars(select(CameraFile.last_visit_id)).one()
        order = consider_filling_card(session, story.camera_id, visit_id or "")
    assert order is not None
    return order

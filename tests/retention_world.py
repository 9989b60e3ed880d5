"""An installation with two places of copies, two units, people who may approve, and a clock that tests move and confirm."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bodycam import clock, custody
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.db import new_id
from bodycam.fleet import docking
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import register_camera
from bodycam.intake import service as intake
from bodycam.models import Base
from bodycam.people.accounts import create_account, grant
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Origin, Recording, Rendition
from bodycam.retention import batches, clockwatch, execution
from bodycam.retention.models import DispositionBatch
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.retention import may_approve

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
JUMP = timedelta(hours=72)
make = random.Random(5).randbytes


@dataclass
class World:
    """What the tests work with; ids of accounts by name, and the hands of a dock, a sequencer and a clock."""

    rt: Runtime
    now: datetime = START
    boot: str = "boot-1"
    units: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    officer_id: str = ""
    camera_id: str = ""
    made: int = 0

    def people(self) -> None:
        with self.rt.db.write() as session:
            self.units["a"] = create_unit(session, name="Phòng A", force="traffic_police").id
            self.units["b"] = create_unit(session, name="Thanh tra B", force="traffic_police").id
            wanted = {
                "monitor": ("monitor", "a"),
                "monitor2": ("monitor", "a"),
                "auditor": ("auditor", "b"),
                "admin": ("administrator", "b"),
                "head": ("head", "a"),
                "intake": ("intake", "b"),
                "commander": ("commander", "a"),
            }
            for name, (role, unit) in wanted.items():
                account = create_account(
                    session,
                    username=name,
                    display_name=f"Người {name}",
                    password="mat-khau-thu-1",
                    settings=self.rt.settings.sign_in,
                )
                grant(session, account.id, role, self.units[unit])
                self.accounts[name] = account.id
            officer = create_officer(
                session, unit_id=self.units["a"], number="184-221", name="Trần Văn Nam", force="traffic_police"
            )
            self.officer_id = officer.id
            self.camera_id = register_camera(session, serial="SN1", label="BWC-1", unit_id=self.units["a"]).id
        self.drain()

    def drain(self) -> None:
        """Let the sequencer take what waits."""
        Sequencer(self.rt.db, self.rt.log).run_once()

    def visit(self) -> str:
        """Dock the camera; what is sealed then names this visit."""
        with self.rt.db.write() as session:
            station = docking.ensure_station(session, name="Trạm 1", slots=4, unit_id=self.units["a"])
            visit = docking.start_visit(session, camera_id=self.camera_id, serial="SN1", station_id=station.id, slot=1)
            visit.state, visit.files = VisitState.DONE, 1
            return visit.id

    def seal(self, *, visit_id: str | None = None, origin: Origin = Origin.DOCK, **changes: object) -> str:
        """Bring a recording in through the one door and return its id."""
        self.made += 1
        is_dock = origin is Origin.DOCK
        facts = intake.Facts(
            origin=origin,
            name=f"DCIM/{self.made:04}.MP4",
            actor="system",
            camera_id=self.camera_id if is_dock else None,
            officer_id=self.officer_id if is_dock else None,
            unit_id=self.units["a"] if is_dock else None,
            visit_id=visit_id,
            device_time_raw=str(changes.pop("time_raw", "2026-11-22 10:00:00")),
        )
        attempt = intake.begin(self.rt.db, f"test:{self.made}")
        with self.rt.spool.open(attempt.id) as writer:
            writer.write(make(4000))
            spooled = writer.finish()
        recording_id = intake.finish(self.rt, attempt, spooled, facts).recording_id
        if changes:
            with self.rt.db.write() as session:
                row = session.get_one(Recording, recording_id)
                for name, value in changes.items():
                    setattr(row, name, value)
        self.drain()
        return recording_id

    def render(self, recording_id: str) -> str:
        """Seal something made from a recording and return its object's id."""
        attempt = new_id()
        with self.rt.spool.open(attempt) as writer:
            writer.write(make(500))
            sealed = self.rt.vault.seal(writer.finish(), {"size": 500})
        self.rt.spool.discard(attempt)
        with self.rt.db.write() as session:
            session.add(
                Rendition(
                    id=new_id(), recording_id=recording_id, kind="thumbnail", object_id=sealed.object_id,
                    sha256=sealed.sha256, size=sealed.size, mime="image/jpeg", created_at=clock.now(),
                )
            )  # fmt: skip
        return sealed.object_id

    def later(self, *, days: float, confirmed: bool = True) -> None:
        """Move the server's clock on; over such a gap a person confirms it, as after a long holiday."""
        self.now += timedelta(days=days)
        if not confirmed:
            return
        with self.rt.db.write() as session:
            clockwatch.confirm(session, JUMP, actor=self.accounts["admin"])
        self.drain()

    def tick(self) -> None:
        with self.rt.db.write() as session:
            custody.record(session, "log.tick", object_id="log", actor="system")
        self.drain()

    def propose(self) -> DispositionBatch:
        batch = batches.propose(self.rt.db, self.rt.settings.retention)
        assert batch is not None
        self.drain()
        return batch

    def approve(self, batch: DispositionBatch, name: str, unit: str) -> DispositionBatch:
        with self.rt.db.write() as session:
            done = batches.approve(
                session, batch.id, actor=self.accounts[name], units={self.units[unit]}, seen=batch.list_sha256,
                settings=self.rt.settings.retention,
            )  # fmt: skip
        self.drain()
        return done

    def approved(self) -> DispositionBatch:
        """Propose, and have two people of two units approve."""
        batch = self.propose()
        self.approve(batch, "monitor", "a")
        return self.approve(batch, "auditor", "b")

    def cool_off(self) -> None:
        for _ in range(8):  # day by day: no jump
            self.now += timedelta(days=1)
            self.tick()

    def run(self, batch: DispositionBatch) -> str:
        state = execution.run(self.rt, batch.id, may_approve)
        self.drain()
        return state.value

    def kinds(self, object_id: str) -> list[str]:
        query = select(CustodyEvent.kind).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id)
        with self.rt.db.read() as session:
            return list(session.scalars(query))


@contextmanager
def opened(folder: Path, *, url: str = "") -> Iterator[World]:
    """Open a world in a folder, and a database of its own where one is named, with its clock set."""
    environment = {
        "BODYCAM_DATA_DIR": str(folder / "data"),
        "BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8",
        "BODYCAM_SIGN_IN__ARGON2_TIME_COST": "1",
        "BODYCAM_DOCK__BUS": f"sim:{folder / 'bus'}",
        "BODYCAM_DATABASE__URL": url,
        "BODYCAM_VAULT__COPIES": f"file://{folder / 'second'}",
        "BODYCAM_VAULT__REQUIRED_COPIES": "2",
    }
    with open_runtime(load_settings(environment)) as rt:
        Base.metadata.create_all(rt.db.engine)
        world = World(rt)
        clock.set_now(lambda: world.now)
        yield world

"""PostgreSQL and RabbitMQ by settings alone: the processes as they run on many machines, each with a data folder of its own.

They share the database, the broker, the vault, the log and the keys. A camera is docked at one, its recordings are read at
another; a worker killed in the middle of a job is taken over by the next one.
"""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from films import make_film
from installation import until
from services import free_port
from sqlalchemy import ColumnElement, func, select
from virtual_dock import VirtualDock

from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.db import Database
from bodycam.fleet.models import StationBoard
from bodycam.jobs.models import Job, JobState
from bodycam.recordings.models import Recording, Rendition

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.postgres, pytest.mark.rabbitmq, pytest.mark.timeout(240)]


class Machines:
    """Machines of one installation: what they share lies in `shared`, the rest in a folder each."""

    def __init__(self, folder: Path, database: str, broker: str) -> None:
        self.folder = folder
        self.staff = free_port()
        shared = folder / "shared"
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "BODYCAM_DATABASE__URL": database,
            "BODYCAM_BROKER__URL": broker,
            "BODYCAM_WORKER__EMBEDDED": "false",
            "BODYCAM_VAULT__URL": f"file://{shared / 'vault'}",
            "BODYCAM_LOG__DIR": str(shared / "log"),
            "BODYCAM_KEYS__DIR": str(shared / "keys"),
            "BODYCAM_DOCK__BUS": f"sim:{folder / 'bus'}",
            "BODYCAM_STAFF__PORT": str(self.staff),
        }
        self.db = Database(database)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *module: str) -> "subprocess.Popen[bytes]":
        environ = {**self.environ, "BODYCAM_DATA_DIR": str(self.folder / name)}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", *module], env=environ, stdout=log, stderr=log)
        self.processes[name] = process
        return process

    def bodycam(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environ = {**self.environ, "BODYCAM_DATA_DIR": str(self.folder / "office")}
        command = [sys.executable, "-m", "bodycam", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)

    def count(self, model: type, *where: ColumnElement[bool]) -> int:
        with self.db.read() as session:
            return session.scalar(select(func.count()).select_from(model).where(*where)) or 0

    def tiles(self) -> list[str]:
        with self.db.read() as session:
            board = session.scalar(select(StationBoard.body))
        return [slot["state"] for slot in json.loads(board)["slots"]] if board else []

    def said(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.db.close()


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str, rabbitmq_url: str) -> Iterator[Machines]:
    made = Machines(tmp_path, postgres_url, rabbitmq_url)
    yield made
    made.close()


def test_a_camera_docked_at_one_machine_is_read_at_another_and_a_killed_worker_is_taken_over(
    machines: Machines, tmp_path: Path
) -> None:
    early = machines.bodycam("recordings", "list")
    assert early.returncode == 1
    assert "bodycam db upgrade" in early.stderr
    for name, module in (("worker", "bodycam.tasks.worker"), ("station", "dock_service.station")):
        assert machines.start(f"early-{name}", module).wait(60) == 1
        said = (tmp_path / f"early-{name}.log").read_text()
        assert said.count("bodycam db upgrade") == 2, said
        assert "Traceback" not in said
        del machines.processes[f"early-{name}"]
    upgraded = machines.bodycam("db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr

    films = {f"DCIM/{n}.mp4": make_film(tmp_path / f"{n}.mp4", frames=60 + 30 * n).read_bytes() for n in range(3)}
    VirtualDock(tmp_path / "bus").add({**films, "DCIM/empty.mp4": b""}, serial="BWC-0412", port=1)
    machines.start("sequencer", "bodycam.custody.sequencer")
    machines.start("beat", "bodycam.tasks.beat")
    machines.start("station", "dock_service.station")
    machines.start("staff", "webui.serve", "staff")
    until(lambda: machines.tiles().count("done") == 1, f"a green tile\n{machines.said()}")
    assert machines.count(Recording) == len(films) + 1
    assert machines.count(Receipt) == len(films) + 1
    assert machines.count(Job, Job.state == JobState.DONE) == 0

    first = machines.start("worker-1", "bodycam.tasks.worker")
    until(lambda: machines.count(Job, Job.state == JobState.RUNNING) > 0, "a job to be running")
    first.kill()
    first.wait()
    left = machines.count(Job, Job.state == JobState.RUNNING)
    machines.start("worker-2", "bodycam.tasks.worker")
    until(
        lambda: (
            machines.count(Job, Job.state != JobState.DONE) == 0
            and machines.count(Recording, Recording.state == "sealed") == 0
        ),
        f"every job to be done\n{machines.said()}",
    )
    assert left > 0, "the worker was killed between two jobs: nothing was proved"
    with machines.db.read() as session:
        renditions = session.execute(select(Rendition.recording_id, Rendition.kind)).all()
    assert len(renditions) == len(set(renditions)) >= len(films)

    listed = [json.loads(line) for line in machines.bodycam("recordings", "list", "--json").stdout.splitlines()]
    wanted = {hashlib.sha256(data).hexdigest(): data for data in [*films.values(), b""]}
    assert {row["sha256"] for row in listed} == set(wanted)
    for row in listed:
        exported = machines.bodycam("recordings", "export", row["id"], "-o", str(tmp_path / row["id"]))
        assert exported.returncode == 0, exported.stderr
        assert (tmp_path / row["id"]).read_bytes() == wanted[row["sha256"]]
    until(lambda: machines.count(CustodyEvent, CustodyEvent.log_index.is_(None)) == 0, "the log to be complete")
    for command in (("log", "verify"), ("vault", "scrub")):
        checked = machines.bodycam(*command)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    with urllib.request.urlopen(f"http://127.0.0.1:{machines.staff}/sign-in", timeout=10) as page:
        assert page.status == 200

    del machines.processes["worker-1"]
    for process in machines.processes.values():
        process.terminate()
    assert {name: process.wait(30) for name, process in machines.processes.items()} == dict.fromkeys(
        machines.processes, 0
    )

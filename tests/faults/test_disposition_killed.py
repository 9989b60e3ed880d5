"""A disposition killed without warning in the middle of a recording's copies goes on where it was, and nothing is told twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from retention_world import World, opened
from sqlalchemy import select

from bodycam import clock
from bodycam.cli.catalogues import CATALOGUES
from bodycam.custody.audit import audit
from bodycam.retention.models import DispositionItem, Tombstone

ROOT = Path(__file__).resolve().parents[2]
CHILD = """
import sys, time
from datetime import datetime
from pathlib import Path
import bodycam.models
from bodycam import clock
from bodycam.retention import execution
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.retention import may_approve
from bodycam.vault.places import LocalPlace
batch, moment, mark, stop_at = sys.argv[1], datetime.fromisoformat(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
clock.set_now(lambda: moment)
clock.boot_id = lambda: "boot-1"
clock.monotonic = moment.timestamp
remove, count = LocalPlace.remove, 0
def slow(self, object_id):
    global count
    count += 1
    if count == stop_at:
        mark.touch()
        time.sleep(60)
    remove(self, object_id)
LocalPlace.remove = slow
with open_runtime(load_settings()) as rt:
    execution.run(rt, batch, may_approve)
"""


@pytest.mark.parametrize("stop_at", [1, 2, 4])
def test_a_killed_disposition_goes_on_and_the_log_still_verifies(tmp_path: Path, monkeypatch, stop_at: int) -> None:
    with opened(tmp_path) as world:
        monkeypatch.setattr(clock, "boot_id", lambda: world.boot)
        monkeypatch.setattr(clock, "monotonic", lambda: world.now.timestamp())
        world.people()
        ids = [world.seal() for _ in range(3)]
        world.later(days=100)
        batch = world.approved()
        world.cool_off()
        _kill(tmp_path, world, batch.id, stop_at)
        world.drain()
        assert world.run(batch) == "done"
        assert [
            path
            for root in ("data/vault", "second")
            for path in (tmp_path / root / "objects").rglob("*")
            if path.is_file()
        ] == []
        for one in ids:
            assert [world.kinds(one).count(kind) for kind in ("recording.destroying", "recording.destroyed")] == [1, 1]
        with world.rt.db.read() as session:
            assert len(session.scalars(select(Tombstone)).all()) == 3
            assert set(session.scalars(select(DispositionItem.state))) == {"destroyed"}
        report = audit(world.rt.db, world.rt.log, catalogues=CATALOGUES)
        assert report.problems == []


def _kill(folder: Path, world: World, batch_id: str, stop_at: int) -> None:
    mark = folder / "reached"
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BODYCAM_DATA_DIR": str(folder / "data"),
        "BODYCAM_VAULT__COPIES": f"file://{folder / 'second'}",
        "BODYCAM_VAULT__REQUIRED_COPIES": "2",
        "BODYCAM_DOCK__BUS": f"sim:{folder / 'bus'}",
    }
    arguments = [batch_id, world.now.isoformat(), str(mark), str(stop_at)]
    child = subprocess.Popen([sys.executable, "-c", CHILD, *arguments], env=environ)
    end = time.monotonic() + 60
    while not mark.exists():
        assert child.poll() is None, "the child ended by itself"
        assert time.monotonic() < end
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait(20)

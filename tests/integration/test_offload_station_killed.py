"""The station as a process of its own, killed at any moment and started again."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import DockingVisit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from bodycam.tasks.vault import tidy_spool
from dock_service.journal_audit import JournalAudit, known_keys

make = random.Random(12).randbytes


@pytest.fixture
def environment(tmp_path):
    return {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"}


def start(environment):
    return subprocess.Popen(
        [sys.executable, "-m", "dock_service.station"], env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    )


def test_killed_in_the_middle_it_ends_with_every_byte_once(tmp_path, environment):
    dock = VirtualDock(tmp_path / "bus")
    files = {n: {f"{n}/{i}.bin": make(900_000 + i) for i in range(3)} for n in ("one", "two")}
    for port, (name, contents) in enumerate(files.items(), 1):
        dock.add(contents, name, serial=name, port=port, rate=900_000)
    expected = sorted(hashlib.sha256(data).hexdigest() for contents in files.values() for data in contents.values())
    dice = random.Random(2)
    with standalone(load_settings(environment)) as rt:
        for _ in range(3):
            station = start(environment)
            end = time.monotonic() + 1.0 + dice.random()
            while time.monotonic() < end:
                Sequencer(rt.db, rt.log).run_once()
                time.sleep(0.1)
            station.send_signal(signal.SIGKILL)
            station.wait()
        station = start(environment)
        end = time.monotonic() + 60
        hashes = []
        while time.monotonic() < end and len(hashes) < len(expected):
            Sequencer(rt.db, rt.log).run_once()
            with rt.db.read() as session:
                hashes = list(session.scalars(select(Recording.sha256)))
            time.sleep(0.1)
        station.send_signal(signal.SIGTERM)
        assert station.wait(30) == 0
        assert sorted(hashes) == expected
        assert len(list(rt.vault.iter_objects())) == len(expected)
        tomorrow = clock.now() + timedelta(days=1)
        clock.set_now(lambda: tomorrow)
        tidy_spool(rt)  # a kill right after a commit leaves the bytes of what is catalogued: the periodic job's work
        assert rt.spool.attempts() == []
        with rt.db.read() as session:
            assert "open" not in set(session.scalars(select(DockingVisit.state)))
        witness = JournalAudit(rt.settings.data_dir / "journal", known_keys(rt.db))
        witness.chain()
        assert witness.compare(rt.db).report.problems == []

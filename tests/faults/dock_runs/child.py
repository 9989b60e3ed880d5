"""The station of one run, in a process of its own that may be killed at any moment, and the judge of what it left.

Forked from a server that has everything imported, so that a process costs milliseconds. What is faked: the camera's wire (the
simulator), the dock's clock, a full disk (every write of the vault gives ENOSPC while the file `full` lies in the run's folder), and
waiting times, which are shortened.
"""

import contextlib
import errno
import functools
import hashlib
import json
import multiprocessing
import os
import shutil
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import select

from bodycam import clock
from bodycam.cli.catalogues import CATALOGUES
from bodycam.cli.standalone import standalone
from bodycam.custody.audit import audit
from bodycam.custody.models import Receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.errors import DatabaseAwayError, DiskFullError
from bodycam.fleet.models import Camera, DockingVisit, VisitState
from bodycam.process import log_to_stderr
from bodycam.recordings.models import Recording
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.vault import tidy_spool
from bodycam.vault import disk
from dock_service import board, slot, station
from dock_service.bus import open_bus
from dock_service.cameras import opening

STOP, ENDED, FULL, STEP, LOG, VERDICT = "stop", "ended", "full", "clock-step", "station.log", "verdict.json"
SLOTS, PARALLEL = 8, 3
QUICK = {
    slot: {"_POLL_S": 0.02, "_GONE_AGAIN_S": 0.1, "_BUSY_AGAIN_S": 0.1, "_DEAD_S": 0.3, "_WRITTEN_AGAIN_S": 0.5},
    board: {"WRITE_EVERY_S": 0.05, "BEAT_EVERY_S": 0.2},
}


def settings_of(folder):
    """Return the settings of a run's folder."""
    return load_settings(
        {
            "BODYCAM_DATA_DIR": str(folder / "data"),
            "BODYCAM_DOCK__BUS": f"sim:{folder / 'bus'}",
            "BODYCAM_DOCK__SLOTS": str(SLOTS),
            "BODYCAM_DOCK__PARALLEL": str(PARALLEL),
        }
    )


def make_template(folder):
    """Make the database and the keys that every run begins with."""
    folder.mkdir(parents=True)
    with standalone(settings_of(folder)):
        pass


def work(folder):
    """Be the station and the sequencer until the file `stop` appears, or somebody kills us."""
    descriptor = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 2)
    log_to_stderr()
    shorten_waits()
    fill_disk_when_asked(folder)
    settings = settings_of(folder)
    with open_runtime(settings) as rt:
        at_work = station.Station(rt, open_bus(settings.dock.bus), threading.Event())
        sequencer = Sequencer(rt.db, rt.log)
        parent = multiprocessing.parent_process()
        while not (folder / STOP).exists() and (parent is None or parent.is_alive()):
            step_clock_when_asked(folder)
            with contextlib.suppress(DatabaseAwayError, DiskFullError):
                at_work.step()
                sequencer.run_once()
            time.sleep(0.02)
        at_work.close()
        sequencer.run_once()
    (folder / ENDED).touch()


def shorten_waits():
    """Wait for tenths of a second where a station waits for seconds."""
    for module, values in QUICK.items():
        for name, seconds in values.items():
            if not hasattr(module, name):
                raise AttributeError(f"{module.__name__}.{name} is no more: mend QUICK")
            setattr(module, name, seconds)
    for module in (opening, slot):
        if hasattr(module, "MtpCamera"):
            module.MtpCamera = functools.partial(module.MtpCamera, timeout_s=0.4)


def fill_disk_when_asked(folder):
    """Give ENOSPC to every write of the vault while the file `full` is there."""
    flag = str(folder / FULL)

    def refusing(real):
        @functools.wraps(real)
        def call(*given, **named):
            if os.path.exists(flag):  # noqa: PTH110  quick
                with disk.named_errors(given[-1] if isinstance(given[-1], Path) else folder / "x"):
                    raise OSError(errno.ENOSPC, "No space left on device")
            return real(*given, **named)

        return call

    for name in ("create", "write_at", "reserve", "link"):
        setattr(disk, name, refusing(getattr(disk, name)))
    space = SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=0 if os.path.exists(flag) else 1 << 30))  # noqa: PTH110
    slot.shutil = space


def step_clock_when_asked(folder):
    """Let the dock's clock be wrong by the seconds in the file `clock-step`."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        off = timedelta(seconds=float((folder / STEP).read_text()))
        clock.set_now(lambda: datetime.now(UTC) + off)


def judge(folder, expected):
    """Write what is wrong with the end of a run, a line each: nothing, if all is well.

    `expected`: (serial, path, SHA-256, size) of every file that lies on a camera.
    """
    try:
        wrong = list(faults_of(folder, expected))
    except Exception:  # noqa: BLE001  the judge's own failure is a finding
        wrong = [traceback.format_exc()]
    (folder / VERDICT).write_text(json.dumps(wrong))


def faults_of(folder, expected):
    """Yield what is wrong: against the cards, the vault, the spool, the receipts, the log and the visits."""
    with open_runtime(settings_of(folder)) as rt:
        tomorrow = datetime.now(UTC) + timedelta(days=3)
        clock.set_now(lambda: tomorrow)
        tidy_spool(rt)  # the periodic job's work after a kill
        with rt.db.read() as session:
            query = select(Camera.serial, Recording).join(Camera, Camera.id == Recording.camera_id)
            rows = [(serial, row) for serial, row in session.execute(query)]
            receipts = set(session.scalars(select(Receipt.event_id)))
            still_open = session.scalars(select(DockingVisit.id).where(DockingVisit.state == VisitState.OPEN)).all()
        have = sorted((serial, row.name, row.sha256, row.size) for serial, row in rows)
        wanted = sorted(tuple(entry) for entry in expected)
        if have != wanted:
            yield f"sealed but not on a card, or twice: {subtract(have, wanted)}"
            yield f"on a card but not sealed: {subtract(wanted, have)}"
        for _, row in rows:
            if row.sealed_event_id not in receipts:
                yield f"{row.name}: no receipt"
            digest = hashlib.sha256()
            for piece in rt.vault.open(row.object_id).chunks():
                digest.update(piece)
            if digest.hexdigest() != row.sha256:
                yield f"{row.name}: the vault gives other bytes"
        yield from faults_of_store(rt, {row.object_id for _, row in rows})
        if still_open:
            yield f"visits open at the end: {still_open}"
        report = audit(rt.db, rt.log, catalogues=CATALOGUES)
        if report.verdict.value != "valid":
            yield f"custody log {report.verdict.value}: {report.problems[:3]}"
        yield from faults_of_journal(rt)


def faults_of_store(rt, catalogued):
    """Yield what is wrong with the vault's objects and the spool.

    To the dock a file whose listed size or time the camera changes meanwhile is another file. Cut off by a full disk, or killed between
    the link and the commit, the first one leaves a part in the spool or an object that nobody catalogued; nothing of it is deleted
    silently, and it is no loss as long as its bytes are the beginning of what was sealed.
    """
    objects = set(rt.vault.iter_objects())
    if missing := catalogued - objects:
        yield f"catalogued and not in the vault: {missing}"
    originals = [b"".join(rt.vault.open(name).chunks()) for name in catalogued & objects]
    over = {name: b"".join(rt.vault.open(name).chunks()) for name in objects - catalogued}
    over |= {name: b"".join(rt.spool.read(name)) for name in rt.spool.attempts()}
    if lost := [name for name, part in over.items() if not any(whole.startswith(part) for whole in originals)]:
        yield f"bytes in spool or vault that no recording has: {lost}"


def faults_of_journal(rt):
    """Yield what is wrong with the station's journal."""
    try:
        from dock_service import journal
    except ImportError:
        return
    seq, head = -1, journal.FIRST
    for path in journal.journal_files(rt.settings.data_dir / journal.FOLDER):
        for raw in path.read_bytes().splitlines():
            line = journal.read_line(raw)
            if (line.seq, line.previous) != (seq + 1, head):
                yield f"journal broken at line {line.seq}"
            seq, head = line.seq, line.hash
    if seq < 0:
        yield "no journal"


def subtract(some, others):
    """Return what is in `some` more often than in `others`."""
    rest = list(others)
    more = []
    for entry in some:
        if entry in rest:
            rest.remove(entry)
        else:
            more.append(entry)
    return more


def copy_template(template, folder):
    """Give a run its own copy of the installation."""
    shutil.copytree(template, folder, symlinks=True)

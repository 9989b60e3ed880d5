"""The sequencer dies at every step, as a killed process does: nothing is appended twice, nothing is lost."""

import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from sqlalchemy import select

from bodycam.custody import durable, rebuild, record, record_now, sequencer
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Base, Database
from bodycam.errors import DiskFullError


class Killed(BaseException):
    """Stands for the end of the process: nothing may catch it."""


@pytest.fixture
def db(tmp_path):
    db = Database(f"sqlite:///{tmp_path}/t.db")
    Base.metadata.create_all(db.engine)
    yield db
    db.close()


@pytest.fixture
def log(tmp_path):
    return Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")


def add(db, count):
    with db.write() as session:
        for number in range(count):
            record(session, "recording.read", object_id=f"r{number}")
    return record_now(db, "recording.sealed", object_id="rec", sha256="ee" * 32, size=3)


def check_whole(db, log, count):
    with db.read() as session:
        rows = list(session.scalars(select(CustodyEvent).order_by(CustodyEvent.log_index)))
        receipts = session.scalars(select(Receipt.event_id)).all()
    assert [row.log_index for row in rows] == list(range(count))
    leaves = [parse(entry.decode())["id"] for _, entry in log.tiles.all_entries(log.checkpoint().size)]
    assert leaves == [row.id for row in rows]
    assert max(Counter(leaves).values()) == 1
    assert set(receipts) == {row.id for row in rows if row.kind == "recording.sealed"}
    assert audit(db, log).verdict is Verdict.VALID


def test_killed_before_each_single_write_it_goes_on_without_a_double_or_a_gap(db, log, monkeypatch):
    add(db, 250)
    Sequencer(db, log).run_once()
    real = durable.write_durably
    total, died = 252, 0
    for step in range(40):
        add(db, 4)
        total += 5
        left = step

        def write(path, data):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            real(path, data)

        for module in ("tiles", "log", "keys", "receipts"):
            monkeypatch.setattr(f"bodycam.custody.{module}.write_durably", write)
        try:
            Sequencer(db, log).run_once()
        except Killed:
            died += 1
        monkeypatch.undo()
        if step % 3 == 0:  # else let the damage of several deaths pile up
            Sequencer(db, log).run_once()
            check_whole(db, log, total)
        if left:
            break
    assert died >= 6
    Sequencer(db, log).run_once()
    check_whole(db, log, total)


def test_killed_between_signing_and_marking_it_appends_nothing_twice(db, log, monkeypatch):
    add(db, 10)

    def die(*_args):
        raise Killed

    monkeypatch.setattr(sequencer, "issue", die)
    with pytest.raises(Killed):
        Sequencer(db, log).run_once()
    monkeypatch.undo()
    assert log.checkpoint().size == 12
    with db.read() as session:
        assert session.scalar(select(CustodyEvent.id).where(CustodyEvent.log_index.is_not(None))) is None
    assert audit(db, log).unmarked == 12
    add(db, 3)
    Sequencer(db, log).run_once()
    check_whole(db, log, 16)


def test_killed_while_reconciling_it_reconciles_again(db, log, monkeypatch):
    add(db, 300)
    monkeypatch.setattr(sequencer, "issue", lambda *_args: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        Sequencer(db, log).run_once()
    monkeypatch.setattr(rebuild, "issue", lambda *_args: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        Sequencer(db, log).run_once()
    monkeypatch.undo()
    Sequencer(db, log).run_once()
    check_whole(db, log, 302)


def test_a_full_disk_stops_the_log_and_nothing_is_lost(db, log, monkeypatch):
    add(db, 2)
    Sequencer(db, log).run_once()
    add(db, 2)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bodycam.custody.durable.os.fsync", full)
    with pytest.raises(DiskFullError):
        Sequencer(db, log).run_once()
    monkeypatch.undo()
    Sequencer(db, log).run_once()
    check_whole(db, log, 7)


def test_the_process_killed_again_and_again_ends_with_a_whole_log(tmp_path):
    environment = os.environ | {"BODYCAM_DATA_DIR": str(tmp_path)}
    db = Database(f"sqlite:///{tmp_path}/bodycam.db")
    Base.metadata.create_all(db.engine, tables=[CustodyEvent.__table__, Receipt.__table__])
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.local/log")
    count = size = 0
    for round_ in range(3):
        process = subprocess.Popen([sys.executable, "-m", "bodycam.custody.sequencer"], env=environment)
        deadline = time.monotonic() + 20
        while (grown := log.checkpoint().size if log.checkpoint_at() else 0) == size and time.monotonic() < deadline:
            add(db, 5)
            count += 6
        time.sleep(0.03 * round_)
        process.kill()
        process.wait()
        assert grown > size
        size = log.checkpoint().size
    Sequencer(db, log).run_once()
    with db.read() as session:
        extra = session.scalars(select(CustodyEvent.id).where(CustodyEvent.kind.in_(["log.tick", "key.created"]))).all()
    check_whole(db, log, count + len(extra))
    db.close()


def test_the_process_ends_when_its_parent_s_pipe_closes_and_when_told_to(tmp_path):
    environment = os.environ | {"BODYCAM_DATA_DIR": str(tmp_path)}
    db = Database(f"sqlite:///{tmp_path}/bodycam.db")
    Base.metadata.create_all(db.engine, tables=[CustodyEvent.__table__, Receipt.__table__])
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.local/log")
    for end in ("pipe", "terminate"):
        add(db, 1)
        command = [sys.executable, "-m", "bodycam.custody.sequencer", "--lifeline"]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        deadline = time.monotonic() + 20
        with db.read() as session:
            waiting = select(CustodyEvent.id).where(CustodyEvent.log_index.is_(None)).limit(1)
            while session.scalar(waiting) is not None and time.monotonic() < deadline:
                session.rollback()
                time.sleep(0.05)
        assert log.checkpoint().size > 0
        process.stdin.close() if end == "pipe" else process.terminate()
        assert process.wait(10) == 0
        process.stdin.close()
    assert audit(db, log).verdict is Verdict.VALID
    db.close()


def test_a_database_without_tables_ends_the_process_with_a_line_not_a_trace(tmp_path):
    command = [sys.executable, "-m", "bodycam.custody.sequencer"]
    environment = os.environ | {"BODYCAM_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "sequencer.stopped" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr

"""The dock's journal: chained, signed, and whole after whatever happens to the process or the power."""

import errno
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam import clock
from bodycam.custody.note import Signer
from bodycam.errors import DiskFullError
from dock_service import journal as module
from dock_service.errors import JournalKeyError
from dock_service.journal import FIRST, Journal, journal_files, key_file, read_line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def open_here(folder: Path, station: str = "s1") -> Journal:
    return Journal.open(folder / "data", folder / "keys", station)


def lines(folder: Path) -> list[module.Line]:
    return [
        read_line(raw) for path in journal_files(folder / "data" / "journal") for raw in path.read_bytes().splitlines()
    ]


def assert_chained(found: list[module.Line], public: bytes) -> None:
    previous = FIRST
    for number, line in enumerate(found):
        assert (line.seq, line.previous) == (number, previous)
        assert line.is_signed_by(public)
        previous = line.hash


def public_of(folder: Path) -> bytes:
    return Signer.parse(key_file(folder / "keys", "s1").read_text()).verifier.public


def test_lines_are_chained_signed_and_private(folder):
    journal = open_here(folder)
    mark = journal.append("file.sealed", path="DCIM/á.mp4", size=3)
    assert journal.append("tile.shown_done", slot=2).seq == mark.seq + 1
    found = lines(folder)
    assert [line.kind for line in found] == ["journal.begun", "file.sealed", "tile.shown_done"]
    assert found[1].hash == mark.head
    assert found[1].data == {"path": "DCIM/á.mp4", "size": 3}
    assert_chained(found, public_of(folder))
    [path] = journal_files(folder / "data" / "journal")
    assert path.stat().st_mode & 0o077 == 0
    assert key_file(folder / "keys", "s1").stat().st_mode & 0o077 == 0


def test_the_chain_goes_on_after_a_restart_and_the_key_stays(folder):
    open_here(folder).append("a.b")
    open_here(folder).append("c.d")
    assert [line.kind for line in lines(folder)] == ["journal.begun", "a.b", "c.d"]
    assert_chained(lines(folder), public_of(folder))


def test_two_processes_and_many_threads_write_one_chain(folder):
    journals = [open_here(folder), open_here(folder)]
    threads = [
        threading.Thread(target=lambda one=one: [one.append("n.m", by=i) for i in range(20)])
        for one in journals
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(lines(folder)) == 121
    assert_chained(lines(folder), public_of(folder))


@pytest.mark.parametrize("torn", [b'{"schema":"bodycam/jour', b"\0" * 4096, b"\0\0\n\n{}\nx", b"\n"])
def test_a_torn_end_is_set_aside_and_said_and_the_chain_goes_on(folder, torn):
    open_here(folder).append("a.b")
    [path] = journal_files(folder / "data" / "journal")
    with path.open("ab") as file:
        file.write(torn)
    open_here(folder).append("c.d")
    found = lines(folder)
    assert [line.kind for line in found] == ["journal.begun", "a.b", "journal.torn", "c.d"]
    assert found[2].data["bytes"] == len(torn)
    assert_chained(found, public_of(folder))
    [aside] = path.parent.glob("*.torn-*")
    assert aside.read_bytes() == torn


def test_a_file_of_which_only_a_torn_line_exists_leaves_nothing_lost(folder):
    open_here(folder)
    later = clock.now() + timedelta(days=40)
    [first] = journal_files(folder / "data" / "journal")
    (first.parent / f"2099-01-{1:012d}.jsonl").write_bytes(b"torn")
    clock.set_now(lambda: later)
    open_here(folder).append("c.d")
    assert [line.kind for line in lines(folder)] == ["journal.begun", "journal.torn", "c.d"]
    assert_chained(lines(folder), public_of(folder))


def test_it_goes_on_in_a_new_file_with_each_month_and_size(folder, monkeypatch):
    now = datetime(2026, 11, 20, tzinfo=UTC)
    clock.set_now(lambda: now)
    journal = open_here(folder)
    clock.set_now(lambda: now + timedelta(days=40))
    journal.append("a.b")
    clock.set_now(lambda: now + timedelta(days=5))  # the clock was set back: still after the last line
    journal.append("c.d")
    monkeypatch.setattr(module, "ROTATE_BYTES", 100)
    for _ in range(3):
        journal.append("e.f")
    assert len(journal_files(folder / "data" / "journal")) == 6
    assert_chained(lines(folder), public_of(folder))
    open_here(folder).append("g.h")
    assert_chained(lines(folder), public_of(folder))


def test_a_full_disk_leaves_the_journal_whole_and_the_next_line_says_what_is_missing(folder, monkeypatch):
    journal = open_here(folder)
    real, budget = os.pwrite, [100]

    def short(descriptor, data, offset):
        if not budget[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = data[: budget[0]]
        budget[0] -= len(part)
        return real(descriptor, part, offset)

    monkeypatch.setattr(module.os, "pwrite", short)
    journal.append("file.sealed", path="a")
    with pytest.raises(DiskFullError):
        journal.append("tile.shown_done", slot=1)
    monkeypatch.undo()
    journal.append("a.b")
    found = lines(folder)
    assert [line.kind for line in found] == ["journal.begun", "a.b"]
    assert found[1].data["missed"] == 2
    assert_chained(found, public_of(folder))


def test_what_a_device_says_that_is_no_text_is_written_all_the_same(folder):
    open_here(folder).append("camera.plugged", serial="A\ud800B", seen=["\udfff", {"x\ud800": 1}])
    assert lines(folder)[-1].data == {"serial": "A?B", "seen": ["?", {"x?": 1}]}


def test_another_stations_key_is_refused_by_name(folder):
    open_here(folder, "other")
    key_file(folder / "keys", "other").rename(key_file(folder / "keys", "s1"))
    with pytest.raises(JournalKeyError, match="station-other"):
        open_here(folder)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_are_taken_for_a_line_that_are_none(raw):
    with pytest.raises(ValueError):  # noqa: PT011  whatever is wrong with them
        read_line(raw)


def test_a_line_in_another_form_is_refused(folder):
    open_here(folder)
    [path] = journal_files(folder / "data" / "journal")
    raw = path.read_bytes().rstrip(b"\n")
    fields = json.loads(raw)
    for change in ({"seq": -1}, {"seq": True}, {"data": []}, {"signature": "?"}, {"kind": 3}, {"schema": "x"}):
        with pytest.raises(ValueError):  # noqa: PT011
            read_line(module.canonical({**fields, **change}).encode())
    with pytest.raises(ValueError, match="canonical"):
        read_line(json.dumps(fields).encode())


_WRITER = """
import sys
from pathlib import Path
from dock_service.journal import Journal
journal = Journal.open(Path(sys.argv[1]) / "data", Path(sys.argv[1]) / "keys", "s1")
while True:
    print(journal.append("file.sealed", path="x" * 300).seq, flush=True)
"""


def test_killed_while_it_writes_no_line_that_was_answered_for_is_lost(folder):
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
        said = [int(writer.stdout.readline()) for _ in range(50)]
        writer.kill()
        said += [int(line) for line in writer.stdout.read().splitlines() if line]
        writer.wait()
        found = lines(folder) if not torn_end(folder) else lines_after_recovery(folder)
        assert {line.seq for line in found} >= set(said)
        assert_chained(found, public_of(folder))


def torn_end(folder: Path) -> bool:
    return not journal_files(folder / "data" / "journal")[-1].read_bytes().endswith(b"\n")


def lines_after_recovery(folder: Path) -> list[module.Line]:
    open_here(folder).append("a.b")
    return lines(folder)

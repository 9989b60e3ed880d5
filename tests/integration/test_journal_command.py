"""`bodycam journal verify` over a journal that a real offload wrote."""

import json
import random

import pytest
from click.testing import CliRunner
from virtual_dock import VirtualDock
from working_station import Working, events

from bodycam.__main__ import cli
from bodycam.cli.standalone import standalone
from bodycam.custody.note import Signer
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.journal import Journal, journal_files, open_journal

make = random.Random(10).randbytes


@pytest.fixture
def environment(tmp_path, monkeypatch):
    values = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def folder(tmp_path, environment):
    """A journal of a station that made one camera green and was stopped."""
    dock = VirtualDock(tmp_path / "bus")
    dock.add({"a.bin": make(70_000), "b.bin": make(300)}, serial="BWC-1", port=1)
    with standalone(load_settings(environment)) as rt:
        working = Working(rt)
        working.until({1: "done"})
        working.station.close()
        assert events(rt, "offload.finished")[0]["details"]["journal"]["seq"] > 0
    return tmp_path / "data" / "journal"


def verify(*arguments):
    result = CliRunner().invoke(cli, ["journal", "verify", "--json", *arguments], catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)


def codes(found):
    return [problem["code"] for problem in found["problems"]]


def rewrite(folder, change):
    [path] = journal_files(folder)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_an_honest_journal_is_valid_and_says_what_the_station_did(folder):
    code, found = verify()
    assert (code, found["verdict"], found["problems"]) == (0, "valid", [])
    assert (found["shown_done"], found["compared"], found["keys_vouched"]) == (1, True, True)
    kinds = [json.loads(raw)["kind"] for raw in journal_files(folder)[0].read_bytes().splitlines()]
    for kind in (
        "station.started",
        "camera.plugged",
        "visit.opened",
        "camera.listed",
        "file.sealed",
        "receipts.came",
        "offload.finished",
        "tile.shown_done",
        "station.stopped",
    ):
        assert kind in kinds, kinds
    assert kinds.index("file.sealed") < kinds.index("receipts.came") < kinds.index("tile.shown_done")
    lines = [json.loads(raw) for raw in journal_files(folder)[0].read_bytes().splitlines()]
    [leaves] = [line["data"]["leaves"] for line in lines if line["kind"] == "receipts.came"]
    assert len(leaves) == 2
    assert all(isinstance(index, int) for index in leaves.values())
    result = CliRunner().invoke(cli, ["journal", "verify"], catch_exceptions=False)
    assert "HỢP LỆ" in result.stdout
    assert "VALID" in result.stdout


def test_alone_it_takes_the_journals_word_for_its_key_and_says_so(folder):
    code, found = verify(str(folder), "--alone")
    assert (code, found["compared"], found["keys_vouched"]) == (0, False, False)
    begun = json.loads(journal_files(folder)[0].read_bytes().splitlines()[0])
    code, found = verify(str(folder), "--alone", "--key", begun["data"]["public"])
    assert (code, found["keys_vouched"]) == (0, True)


def test_a_line_changed_in_place_is_told(folder):
    rewrite(folder, lambda lines: [line.replace(b'"a.bin"', b'"x.bin"') for line in lines])
    code, found = verify()
    assert code == 5
    assert "false_signature" in codes(found)
    assert "broken_chain" in codes(found)


def test_lines_taken_out_of_the_middle_are_told(folder):
    rewrite(folder, lambda lines: [*lines[:2], *lines[4:]])
    code, found = verify()
    assert code == 4
    assert "lines_missing" in codes(found)
    assert "2 – 3" in found["problems"][0]["vi"]


def test_a_journal_cut_off_at_its_end_is_told_by_the_custody_log(folder):
    rewrite(folder, lambda lines: lines[:5])
    assert verify(str(folder), "--alone")[0] == 0  # by itself it looks whole
    code, found = verify()
    assert code == 4
    assert "cut_off" in codes(found)


def test_a_journal_that_is_gone_is_told(folder):
    for path in journal_files(folder):
        path.unlink()
    code, found = verify()
    assert code == 4
    assert {"empty", "cut_off"} <= set(codes(found))


def test_a_journal_written_anew_with_another_key_is_told(folder, tmp_path):
    other = Journal(tmp_path / "other", Signer.generate("station-x"), "x")
    (tmp_path / "other").mkdir()
    other.append("journal.begun", public=other.public)
    other.append("tile.shown_done", slot=1, visit="none")
    code, found = verify(str(tmp_path / "other"))
    assert code == 5
    assert "unknown_key" in codes(found)
    assert "green_alone" in codes(found)
    assert folder.is_dir()


def test_a_station_that_died_before_the_log_knew_its_key_makes_it_good(environment):
    with standalone(load_settings(environment)) as rt:
        Journal.open(rt.settings.data_dir, rt.settings.keys.dir, "s1")
        assert not verify()[1]["keys_vouched"]
        for _ in range(2):
            open_journal(rt, "s1").append("a.b")
        assert len([event for event in events(rt, "key.created") if event["object"] == "station-s1"]) == 1
        code, found = verify()
        assert (code, found["keys_vouched"]) == (0, True)


def test_a_recording_that_is_not_what_was_sealed_is_told(folder, environment):
    with standalone(load_settings(environment)) as rt, rt.db.write() as session:
        session.query(Recording).filter_by(name="a.bin").update({"sha256": "0" * 64})
        session.query(Recording).filter_by(name="b.bin").update({"size": 5})
    code, found = verify()
    assert (code, codes(found)) == (5, ["recording_differs", "recording_differs"])
    assert folder.is_dir()


def test_a_torn_last_line_is_said_and_is_no_problem(folder):
    with journal_files(folder)[0].open("ab") as file:
        file.write(b'{"data"')
    code, found = verify()
    assert (code, found["torn_bytes"]) == (0, 7)


def test_garbage_between_the_lines_is_told(folder):
    rewrite(folder, lambda lines: [*lines[:3], b"\xff\xfe garbage\n", *lines[3:]])
    code, found = verify()
    assert code == 5
    assert "broken_line" in codes(found)

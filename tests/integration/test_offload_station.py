"""The station: what its board says while cameras come and go."""

import json
import random
import threading
import time
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from working_station import Working

from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent
from bodycam.errors import DatabaseAwayError, DiskFullError
from bodycam.fleet.models import DockingVisit, StationBoard
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.bus import open_bus
from dock_service.station import Station

make = random.Random(4).randbytes


@pytest.fixture
def rt(tmp_path):
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_DOCK__SLOTS": "4",
        "BODYCAM_DOCK__PARALLEL": "2",
    }
    with standalone(load_settings(environment)) as opened:
        yield opened


def events(rt):
    with rt.db.read() as session:
        return list(session.scalars(select(CustodyEvent.kind).order_by(CustodyEvent.id)))


def names(rt):
    with rt.db.read() as session:
        return sorted(session.scalars(select(Recording.name)))


def test_a_tile_turns_green_only_with_its_receipts_and_empties_when_the_camera_is_taken(rt, dock, working):
    virtual = dock.add({"a.bin": make(2_000_000)}, serial="BWC-1", port=2, rate=4_000_000)
    working.sequencing = False
    tiles = working.until({2: "waiting_receipt"})
    assert (tiles[2]["camera"], tiles[2]["battery"]) == ("BWC-1", 80)
    time.sleep(0.6)
    assert working.station.board.tile(2).state == "waiting_receipt"
    working.sequencing = True
    tiles = working.until({2: "done"})
    assert (tiles[2]["receipts"], tiles[2]["files_done"]) == (1, 1)
    assert working.seen[2][:2] == ["", "uploading"]
    virtual.unplug()
    working.until({2: "empty"})
    working.station.close()
    with rt.db.read() as session:
        assert session.scalars(select(DockingVisit.state)).all() == ["done"]
        board = session.scalars(select(StationBoard)).one()
    assert {slot["slot"] for slot in json.loads(board.body)["slots"]} == {1, 2, 3, 4}


def test_a_camera_pulled_before_green_is_lost_and_goes_on_in_any_slot(rt, dock, working):
    data = make(4 << 20)
    dock.add(
        {"a.bin": data},
        serial="BWC-2",
        port=1,
        faults={"unplug_after_bytes": 2_500_000, "replug_after_s": 1.0, "replug_port": 3},
    )
    working.until({1: "lost"})
    tiles = working.until({1: "empty", 3: "done"})
    assert tiles[3]["camera"] == "BWC-2"
    assert "camera.pulled" in events(rt)
    assert "offload.resumed" in events(rt)
    assert names(rt) == ["a.bin"]


def test_two_cameras_with_one_serial_the_second_is_refused_by_name_and_nothing_is_lost(rt, dock, working):
    dock.add({"first.bin": make(400_000)}, "one", serial="BWC-3", port=1)
    working.until({1: "done"})
    second = dock.add({"second.bin": make(400_000)}, "two", serial="BWC-3", port=2)
    tiles = working.until({1: "done", 2: "error"})
    assert tiles[2]["error_code"] == "duplicate_serial"
    assert "BWC-3" in tiles[2]["message_vi"]
    assert names(rt) == ["first.bin"]
    working.command("unplug", 1)
    working.until({1: "empty"})
    working.command("retry", 2)
    working.until({2: "done"})
    assert names(rt) == ["first.bin", "second.bin"]
    assert second.is_plugged()


def test_with_more_cameras_than_may_be_read_at_once_all_come_on_together(dock, working, monkeypatch):
    monkeypatch.setattr("dock_service.turns.TURN_BYTES", 256 << 10)
    for number in range(1, 5):
        dock.add({f"{number}.bin": make(2_400_000)}, serial=f"BWC-{number}", port=number, rate=1_200_000)
    shares = []
    end = time.monotonic() + 60
    while "waiting_receipt" not in shares and time.monotonic() < end:
        working.station.step()
        tiles = working.station.board.body()["slots"]
        if any(tile["state"] in {"waiting_receipt", "done"} for tile in tiles):
            shares = [tile["bytes_done"] / 2_400_000 for tile in tiles]
            break
        time.sleep(0.02)
    assert min(shares) > 0.2  # when the first has all its bytes, none has been kept waiting
    working.until(dict.fromkeys(range(1, 5), "done"))


def test_a_hand_in_the_demo_pulls_and_plugs(rt, dock, working, monkeypatch):
    monkeypatch.setattr("dock_service.simulator.hand.record_patrol", lambda *_: None)
    dock.add({"a.bin": make(3_000_000)}, serial="BWC-5", port=1, rate=1_000_000)
    working.until({1: "uploading"})
    working.command("unplug", 1)
    working.until({1: "lost"})
    working.command("plug", 1)
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]


def test_a_station_started_again_closes_the_visits_that_were_left_open(rt, dock):
    dock.add({"a.bin": make(1000)}, serial="BWC-6", port=1)
    first = Working(rt)
    first.until({1: "done"})
    second = Working(rt)  # the first one was killed, so to say: it never closed its visit
    with rt.db.read() as session:
        assert session.scalars(select(DockingVisit.state)).all() == ["lost"]
    first.station.close()
    second.until({1: "done"})
    second.station.close()
    assert names(rt) == ["a.bin"]


def test_a_bus_that_is_away_is_said_and_the_heart_beats_on(rt):
    stop = threading.Event()
    station = Station(rt, open_bus("usbip://127.0.0.1:1"), stop)
    station.step()
    body = station.board.body()
    assert "usbip://127.0.0.1:1" in body["message_vi"]
    with rt.db.read() as session:
        assert session.scalars(select(StationBoard)).one().beat_at
    station.close()


def test_a_full_disk_is_said_on_the_tile_and_the_slot_goes_on_by_itself_when_there_is_room(
    rt, dock, working, monkeypatch
):
    dock.add({"a.bin": make(3_000_000)}, serial="BWC-7", port=1)
    room = [10 << 20]
    monkeypatch.setattr("dock_service.slot.shutil.disk_usage", lambda _: SimpleNamespace(free=room[0]))
    monkeypatch.setattr("bodycam.vault.disk.KEPT_FREE", 1 << 60)
    tiles = working.until({1: "error"})
    assert tiles[1]["error_code"] == "vault_full"
    assert "đã đầy" in tiles[1]["message_vi"]
    assert "is full" in tiles[1]["message_en"]
    attempts = events(rt).count("offload.started")
    time.sleep(0.6)
    working.station.step()
    assert events(rt).count("offload.started") == attempts  # no try, and no row, while there is no room
    monkeypatch.setattr("bodycam.vault.disk.KEPT_FREE", 0)
    room[0] = 100 << 20
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]


@pytest.mark.parametrize(
    "error", [DiskFullError(path="/data/bodycam.db"), DatabaseAwayError(reason="x"), RuntimeError("x")]
)
def test_trouble_with_the_database_is_said_on_the_tile_and_the_slot_lives_on(rt, dock, working, monkeypatch, error):
    dock.add({"a.bin": make(1000)}, serial="BWC-8", port=1)

    def failing(*_, **__):
        raise error

    monkeypatch.setattr("dock_service.offload.open_visit", failing)
    tiles = working.until({1: "error"})
    assert tiles[1]["error_code"] == getattr(error, "code", "station_fault")
    monkeypatch.undo()
    working.command("retry", 1)
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]

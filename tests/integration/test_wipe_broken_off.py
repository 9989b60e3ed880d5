"""Wiping that is broken off by a kill, a pull, a stop or a withdrawal: nothing is lost, and it goes on at the next docking."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select
from wipe_dock import Story

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.errors import DatabaseAwayError
from bodycam.recordings.models import CameraFile
from bodycam.settings import load_settings
from bodycam.wipes import execution, service
from dock_service.bus import open_bus
from dock_service.errors import CameraGoneError, OffloadStoppedError
from dock_service.station import Station
from dock_service.wipe import Watch as WipeWatch
from dock_service.wipe import run_orders

make = random.Random(22).randbytes


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def files(*names):
    return {f"DCIM/{name}.mp4": make(3000 + n) for n, name in enumerate(names)}


def test_killed_between_the_deletion_and_its_event_the_next_docking_settles_it(rt, story, monkeypatch):
    story.tell(rt, files("a", "b"))
    camera, visit = story.docked()
    order = story.ordered()

    def killed(*_, **__):
        raise DatabaseAwayError(reason="x")

    with monkeypatch.context() as patch, pytest.raises(DatabaseAwayError):
        patch.setattr(execution, "wiped", killed)
        run_orders(rt, camera, visit, WipeWatch())
    assert (story.on_card(), story.kinds()) == (["DCIM/b.mp4"], ["wiping"])
    camera.close()
    camera, visit = story.docked()
    assert story.items(order) == {"DCIM/a.mp4": ("wiped", "reconciled"), "DCIM/b.mp4": ("waiting", "")}
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 1
    assert story.items(order) == {"DCIM/a.mp4": ("wiped", "reconciled"), "DCIM/b.mp4": ("wiped", "")}
    assert story.kinds() == ["wiping", "wiped", "wiping", "wiped"]
    assert story.kinds("camera.files_missing") == []  # nobody is told that it's gone
    with rt.db.read() as session:
        assert set(session.scalars(select(CameraFile.state))) == {"wiped"}  # never "gone by itself"


def test_an_order_taken_back_after_a_kill_still_says_what_was_wiped(rt, story, monkeypatch):
    story.tell(rt, files("a", "b"))
    camera, visit = story.docked()
    order = story.ordered()
    with monkeypatch.context() as patch, pytest.raises(DatabaseAwayError):
        patch.setattr(execution, "wiped", lambda *_, **__: (_ for _ in ()).throw(DatabaseAwayError(reason="x")))
        run_orders(rt, camera, visit, WipeWatch())
    with rt.db.write() as session:
        service.withdraw(session, order.id, actor=story.unit.commander, reason="dừng lại")
    run_orders(rt, camera, visit, WipeWatch())
    assert story.on_card() == ["DCIM/b.mp4"]
    assert story.items(order) == {"DCIM/a.mp4": ("wiped", "reconciled"), "DCIM/b.mp4": ("kept", "withdrawn")}
    assert story.state(order) == "withdrawn"


def test_a_camera_pulled_in_the_middle_loses_nothing_and_goes_on_later(rt, story):
    pulled = {"unplug_after_bytes": 4_700_000, "replug_after_s": 0.05}  # after the offload's 3 MiB, in the second file
    story.tell(rt, {f"DCIM/{name}.mp4": make(1 << 20) for name in "abc"}, faults=pulled)
    camera, visit = story.docked()
    order = story.ordered()
    with pytest.raises(CameraGoneError):
        run_orders(rt, camera, visit, WipeWatch())
    camera.close()
    assert (story.on_card(), story.state(order)) == (["DCIM/b.mp4", "DCIM/c.mp4"], "ordered")
    time.sleep(0.06)
    camera, visit = story.docked()
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 2
    assert (story.on_card(), story.state(order)) == ([], "done")


def test_a_station_that_stops_or_an_order_taken_back_ends_it_before_the_next_file(rt, story):
    story.tell(rt, files("a", "b", "c"))
    camera, visit = story.docked()
    order = story.ordered()
    with pytest.raises(OffloadStoppedError):
        run_orders(rt, camera, visit, WipeWatch(is_over=lambda: len(story.on_card()) < 3))
    assert story.on_card() == ["DCIM/b.mp4", "DCIM/c.mp4"]

    def take_back(words):
        if "2/2" in words:
            with rt.db.write() as session:
                service.withdraw(session, order.id, actor=story.unit.commander, reason="dừng lại")

    run_orders(rt, camera, visit, WipeWatch(say=take_back))
    assert story.on_card() == ["DCIM/c.mp4"]


def test_a_green_tile_says_that_its_camera_is_being_wiped_and_stays_green(rt, story, tmp_path):
    story.tell(rt, {f"DCIM/{name}.mp4": make(1 << 20) for name in "abc"}, port=1)
    stop = threading.Event()
    station = Station(rt, open_bus(f"sim:{tmp_path / 'bus'}"), stop)

    def until(wanted):
        end = time.monotonic() + 60
        while not wanted(station.board.tile(1)):
            assert time.monotonic() < end, station.board.tile(1)
            station.step()
            Sequencer(rt.db, rt.log).run_once()
            time.sleep(0.02)

    until(lambda tile: tile.state == "done")
    assert len(story.on_card()) == 3
    story.virtual = story.dock.add({}, serial="S-1", port=1, rate=2_000_000)
    order = story.ordered()
    until(lambda tile: tile.state == "done" and tile.wiping.startswith(f"{order.number} · 1/3"))
    until(lambda tile: tile.state == "done" and not tile.wiping and story.state(order) == "done")
    assert story.on_card() == []
    story.virtual.unplug()
    until(lambda tile: tile.state == "empty")
    station.close()
    journal = b"".join(path.read_bytes() for path in (tmp_path / "data" / "journal").rglob("*.jsonl"))
    assert journal.count(b'"file.wiping"') == journal.count(b'"file.wiped"') == 3


def test_a_station_killed_again_and_again_while_it_wipes_ends_with_each_file_wiped_once(rt, story, tmp_path):
    story.tell(rt, {f"DCIM/{n:02}.mp4": make(100_000) for n in range(12)}, port=1)
    camera, _ = story.docked()
    order = story.ordered()
    camera.close()
    story.dock.add({}, serial="S-1", port=1, rate=500_000)
    environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"}
    dice = random.Random(7)
    for more in (1, 3, 5, 12):
        station = subprocess.Popen(
            [sys.executable, "-m", "dock_service.station"], env={**os.environ, **environment}, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while 12 - len(story.on_card()) < more:
            assert time.monotonic() < end, story.on_card()
            time.sleep(0.005)
        if more == 12:
            while story.state(order) != "done":
                assert time.monotonic() < end, story.items(order)
                time.sleep(0.1)
        time.sleep(dice.random() * 0.02)
        station.send_signal(signal.SIGKILL)
        station.wait()
    assert {state for state, _ in story.items(order).values()} == {"wiped"}
    assert story.kinds().count("wiped") == 12
    assert story.kinds("camera.files_missing") == []

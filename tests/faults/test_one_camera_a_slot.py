"""A camera that blinks while the station is slow: its old reader ends, and never writes over the tile of the one that follows."""

import random
import threading
import time

from virtual_dock import VirtualDock

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.settings import load_settings
from dock_service.bus import open_bus
from dock_service.station import Station

make = random.Random(7).randbytes


def test_a_doubted_device_that_is_gone_at_the_next_look_has_left_and_one_that_is_there_has_arrived_anew(tmp_path):
    dock = VirtualDock(tmp_path / "bus")
    one = dock.add({}, "one", serial="ONE", port=1)
    dock.add({}, "two", serial="TWO", port=2)
    before = {found.serial: found for found in dock.bus.poll().arrived}
    dock.bus.forget(before["ONE"])
    dock.bus.forget(before["TWO"])
    one.unplug()
    changes = dock.bus.poll()
    assert [found.serial for found in changes.left] == ["ONE"]
    assert [found.serial for found in changes.arrived] == ["TWO"]
    changes = dock.bus.poll()
    assert (changes.left, changes.arrived) == ((), ())


def test_a_camera_that_came_back_under_another_address_while_the_station_slept_has_one_reader(tmp_path, monkeypatch):
    monkeypatch.setattr("dock_service.slot._DEAD_S", 0.0)
    dock = VirtualDock(tmp_path / "bus")
    first = dock.add({"a.bin": make(2_000_000)}, "first", serial="FIRST", port=1, rate=2_000_000)
    second = dock.add({"b.bin": make(1000)}, "second", serial="SECOND", port=1)
    second.unplug()
    environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"}
    with standalone(load_settings(environment)) as rt:
        station = Station(rt, open_bus(f"sim:{tmp_path / 'bus'}"), threading.Event())

        def until(condition):
            end = time.monotonic() + 40
            while not condition():
                station.step()
                Sequencer(rt.db, rt.log).run_once()
                assert time.monotonic() < end, station.board.tile(1)
                time.sleep(0.02)

        until(lambda: station.board.tile(1).bytes_done > 0)
        [slot] = station._slots.values()
        first.unplug()
        end = time.monotonic() + 20
        while not slot.is_dead() and time.monotonic() < end:
            time.sleep(0.02)  # its reader found out; the station itself has not looked yet
        second.plug()
        until(lambda: station.board.tile(1).state == "done")
        assert not slot.is_here()
        assert len(station._slots) == 1
        tile = station.board.tile(1)
        assert (tile.camera, tile.files_done) == ("SECOND", 1)
        station.close()


def test_a_simulated_camera_that_was_pulled_stays_pulled_whoever_asks_at_that_moment(tmp_path):
    dock = VirtualDock(tmp_path / "bus")
    dock.add({})
    [device] = dock.backend.enumerate_devices()
    device.camera.is_plugged = lambda: device.pulled() is None  # learned in the middle of the question
    device.is_there()
    assert device.is_there() is False

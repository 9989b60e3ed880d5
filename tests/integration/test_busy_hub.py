"""Hubs that reset, plugs pulled and back in a blink, cameras that come back as others, and the dock's own clock."""

import random
import time
from datetime import timedelta

import pytest
from sqlalchemy import select
from working_station import events

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.fleet.models import DockingVisit
from bodycam.fleet.service import register_camera
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.journal import journal_files
from dock_service.simulator.profile import write_profile

make = random.Random(11).randbytes


@pytest.fixture
def rt(tmp_path):
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_DOCK__SLOTS": "6",
    }
    with standalone(load_settings(environment)) as opened:
        with opened.db.write() as session:
            for number in range(1, 7):
                register_camera(session, serial=f"BWC-{number}")
        yield opened


def names(rt):
    with rt.db.read() as session:
        return sorted(session.scalars(select(Recording.name)))


def test_a_hub_that_resets_takes_its_cameras_for_a_moment_and_the_others_go_on(rt, dock, working):
    cameras = [dock.add({f"{n}.bin": make(2_000_000)}, serial=f"BWC-{n}", port=n, rate=1_500_000) for n in range(1, 5)]
    working.until_bytes(1, 2, 3, 4)
    for camera in cameras[:3]:
        camera.unplug()
    working.step()
    for camera in cameras[:3]:
        camera.plug()
    working.until(dict.fromkeys(range(1, 5), "done"), 40)
    assert names(rt) == [f"{n}.bin" for n in range(1, 5)]
    assert working.seen[4][-1] == "done"
    assert "lost" not in working.seen[4]
    assert working.station.board.body()["alarms"] == []


def test_a_plug_pulled_and_back_before_anybody_looked_is_noticed_and_goes_on(rt, dock, working):
    camera = dock.add({"a.bin": make(3_000_000)}, serial="BWC-1", port=1, rate=2_000_000)
    working.until_bytes(1)
    camera.unplug()
    time.sleep(0.3)  # the copying finds out, the bus isn't looked at
    camera.plug()
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]
    assert [event["kind"] for event in events(rt)].count("offload.resumed") == 1


def test_a_camera_back_under_the_same_address_is_asked_for_anew(rt, dock, working, monkeypatch):
    monkeypatch.setattr("dock_service.slot._DEAD_S", 0.2)
    camera = dock.add({"a.bin": make(3_000_000)}, serial="BWC-1", port=1, rate=2_000_000)
    working.until_bytes(1)
    backend = working.bus._backend
    before = backend.device(camera.folder)
    before.pulled()  # the hub was reset: the device behind the same port and address is another one

    def renewed():
        for device in list(backend._devices.values()):
            if device is not before and device.camera.folder == camera.folder:
                device.address = before.address

    real = backend.enumerate_devices

    def enumerate_devices():
        found = list(real())
        renewed()
        return iter(found)

    monkeypatch.setattr(backend, "enumerate_devices", enumerate_devices)
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]


def test_a_camera_that_comes_back_as_another_is_another(rt, dock, working):
    camera = dock.add({"a.bin": make(2_500_000)}, "one", serial="BWC-1", port=1, rate=2_000_000)
    working.until_bytes(1)
    camera.unplug()
    working.until({1: "lost"})
    profile = camera.profile().model_copy(update={"serial": "BWC-2"})
    write_profile(camera.folder, profile)
    camera.plug()
    working.until({1: "done"})
    assert names(rt) == ["a.bin"]
    with rt.db.read() as session:
        visits = {visit.serial: visit.state for visit in session.scalars(select(DockingVisit))}
    assert visits == {"BWC-1": "lost", "BWC-2": "open"}
    [alarm] = working.station.board.body()["alarms"]
    assert (alarm["kind"], alarm["serial"]) == ("pulled", "BWC-1")  # what it holds is still owed


def test_a_green_camera_that_records_on_is_no_longer_green_and_what_is_new_comes(rt, dock, working, monkeypatch):
    monkeypatch.setattr("dock_service.offload._LOOK_AGAIN_S", 0.5)
    monkeypatch.setattr("dock_service.slot._ORDERS_AGAIN_S", 0.2)
    camera = dock.add({"a.mp4": make(1000)}, serial="BWC-1", port=1)
    working.until({1: "done"})
    (camera.card / "b.mp4").write_bytes(make(3000))
    end = time.monotonic() + 20
    while names(rt) != ["a.mp4", "b.mp4"] and time.monotonic() < end:
        working.step()
        time.sleep(0.02)
    working.until({1: "done"})
    assert names(rt) == ["a.mp4", "b.mp4"]
    assert b"camera.recorded_on" in journal_files(rt.settings.data_dir / "journal")[-1].read_bytes()
    (camera.card / "system.log").write_bytes(b"on and on")  # the camera's own: no reason to keep it busy
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert working.step()[1]["state"] == "done"
        time.sleep(0.05)


def test_a_step_of_the_docks_own_clock_is_written_down_and_the_work_goes_on(rt, dock, working):
    dock.add({"a.bin": make(2_000_000)}, serial="BWC-1", port=1, rate=1_500_000)
    working.until_bytes(1)
    clock.set_now(lambda: clock.datetime.now(clock.UTC) + timedelta(days=400))
    working.until({1: "done"})
    [event] = events(rt, "clock.stepped")
    assert event["details"]["step_ms"] == pytest.approx(400 * 86_400_000, abs=2000)
    assert names(rt) == ["a.bin"]


def test_back_in_another_slot_the_first_new_byte_comes_soon_and_little_is_read_twice(rt, dock, working):
    camera = dock.add({"a.bin": make(16 << 20)}, serial="BWC-1", port=1, rate=6_000_000)
    working.until_bytes(1)
    time.sleep(0.9)
    device = working.bus._backend.device(camera.folder)
    camera.unplug()
    sent = device._served
    working.until({1: "lost"})
    write_profile(camera.folder, camera.profile().model_copy(update={"port": 4}))
    camera.plug()
    began = time.monotonic()
    working.until_bytes(4)
    took = time.monotonic() - began
    working.until({4: "done"})
    [resumed] = events(rt, "offload.resumed")
    assert resumed["details"]["offset"] >= sent - (1 << 20)  # what was read ahead when the plug was pulled is kept, too
    assert took < 10  # the figure itself is measured by bench/, on an idle machine

"""Cameras over the network: `usbip://host:port` for the commands and the station, and a server that goes away."""

import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select
from usbip_server import Server, Store, mtp_device, serving

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.bus import open_bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import BusUnavailableError, CameraGoneError
from dock_service.station import Station

make = random.Random(8).randbytes
FILES = {"DCIM/a.bin": make(700_000), "DCIM/empty.bin": b"", "DCIM/b.bin": make(65_524)}


def run(tmp_path, *arguments):
    environment = {**os.environ, "BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_LANGUAGE": "en"}
    done = subprocess.run(
        [sys.executable, "-m", "bodycam", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_commands_list_and_offload_a_camera_of_another_machine(tmp_path):
    with serving(FILES, busy_after_s=0.3) as server:
        code, out, err = run(tmp_path, "usb", "list", "--bus", server.url, "--json")
        assert code == 0, err
        listed = json.loads(out)
        assert (listed["port"], listed["kind"], listed["serial"]) == ("1-1", "mtp", "CAM00001")
        code, out, err = run(tmp_path, "offload", f"{server.url}/1-1", "--json")
        assert code == 0, err
        recordings = {entry["path"]: entry["sha256"] for entry in json.loads(out)["recordings"]}
        assert recordings == {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
        code, out, err = run(tmp_path, "offload", server.url, "--json")  # every camera there
        assert code == 0, err
        assert json.loads(out)["skipped"] == len(FILES)
        code, out, err = run(tmp_path, "offload", f"{server.url}/7-7", "--json")
        assert json.loads(out)["problems"][0]["code"] == "source_unknown"
    code, out, err = run(tmp_path, "offload", f"{server.url}/1-1", "--json")
    assert json.loads(out)["problems"][0]["code"] == "bus_unavailable"
    assert code != 0


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.03)
    pytest.fail("not in time")


def test_a_station_reads_a_networked_dock_and_goes_on_when_its_server_is_back(tmp_path):
    data = make(3_000_000)
    with serving({"DCIM/a.bin": data}, slow_s=0.25) as server:
        environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": server.url}
        with standalone(load_settings(environment)) as rt:
            station = Station(rt, open_bus(server.url), threading.Event())

            def step():
                station.step()
                Sequencer(rt.db, rt.log).run_once()
                body = station.board.body()
                return {tile["slot"]: tile for tile in body["slots"]}[1], body.get("message_en", "")

            until(lambda: step()[0]["bytes_done"] > 0)
            server.stop()
            until(lambda: "can't be used" in step()[1])
            until(lambda: step()[0]["state"] == "lost")
            assert server.url in step()[1]
            server.start()
            until(lambda: step()[0]["state"] == "done")
            assert step()[1] == ""
            with rt.db.read() as session:
                assert session.scalars(select(Recording.sha256)).all() == [hashlib.sha256(data).hexdigest()]
            station.close()


def test_a_camera_in_use_that_its_server_no_longer_lists_is_still_there():
    with serving(FILES) as server:
        bus = open_bus(server.url)
        [found] = bus.devices()
        camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
        for _ in range(3):
            assert bus.poll().left == ()
        assert {file.path for file in camera.list_files()} == set(FILES)
        camera.close()
        until(lambda: bus.poll().left == () and len(bus.devices()) == 1)
        server.stop()
        with pytest.raises(BusUnavailableError):
            bus.devices()


def test_a_camera_that_was_given_back_just_now_is_asked_for_until_the_server_has_reset_it():
    with serving(FILES, busy_after_s=0.5) as server:
        bus = open_bus(server.url)
        [found] = bus.devices()
        for _ in range(2):
            camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
            assert len(camera.list_files()) == len(FILES)
            camera.close()


def test_a_server_that_dies_while_a_file_is_read_is_a_camera_that_is_gone():
    with serving(FILES, slow_s=0.1) as server:
        [found] = open_bus(server.url).devices()
        camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
        [file, *_] = camera.list_files()
        pieces = camera.read(file)
        server.stop()
        with pytest.raises(CameraGoneError):
            b"".join(pieces)
        camera.close()


def test_a_server_that_says_nothing_costs_seconds_and_is_named():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bus = open_bus(f"usbip://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(BusUnavailableError):
            bus.devices()
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "answer", [b"", b"\0" * 12, bytes.fromhex("011100050000000000ffffff"), b"HTTP/1.1 400 no\r\n\r\n"]
)
def test_a_server_that_talks_nonsense_is_a_bus_that_can_not_be_used(answer):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def talk():
            connection, _ = listening.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        threading.Thread(target=talk, daemon=True).start()
        bus = open_bus(f"usbip://localhost:{listening.getsockname()[1]}")
        try:
            assert bus.devices() == []  # an empty list is what twelve zeros say
            assert answer == b"\0" * 12
        except BusUnavailableError:
            assert answer != b"\0" * 12


def test_one_device_that_can_not_be_imported_does_not_hide_the_bus():
    device = mtp_device(Store(FILES))
    server = Server(device)
    try:
        other = open_bus(server.url)
        [found] = other.devices()
        holder = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
        server._free.set()  # this server lists it although it is in use, and then refuses it
        device.reset_io = lambda: (_ for _ in ()).throw(OSError)
        assert open_bus(server.url).devices() == []
        holder.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    "setting", ["usbip://host:port", "usbip://", "usbip://[::1", "usbip://host:99999", "usbip://a/1-1"]
)
def test_an_address_that_is_none_is_refused_by_name(setting):
    with pytest.raises(BusUnavailableError) as refused:
        open_bus(setting)
    assert setting in refused.value.text("vi")

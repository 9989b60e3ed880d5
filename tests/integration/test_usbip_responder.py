"""Our client against the `usbip` package's MTP device: a responder that nobody here wrote, over USB/IP."""

import os
import time
from pathlib import Path

import pytest
from usbip.transport import Loopback
from usbip_server import Store, mtp_device

from bodycam import clock
from dock_service.bus import Bus, DeviceKind, open_bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import BusUnavailableError, CameraGoneError
from dock_service.ptp.codes import Operation
from dock_service.ptp.containers import Fields, pack_text
from dock_service.usbip import UsbIpBackend

FILES = {
    "DCIM/100MEDIA/a.mp4": os.urandom(3_000_017),
    "DCIM/100MEDIA/b.mp4": os.urandom((1 << 20) - 12),
    "DCIM/empty.mp4": b"",
    "DCIM/packet.bin": os.urandom(512 - 12),
    "Tệp có dấu.txt": b"ID",
}


@pytest.fixture
def store():
    return Store(FILES, read_only=False)


@pytest.fixture
def device(store):
    loopback = Loopback()
    with mtp_device(store, "OTHER1").plug(via=loopback):
        yield Bus(UsbIpBackend(loopback), "usbip")


def test_it_is_listed_with_its_strings_and_kind(device):
    [found] = device.devices()
    assert (found.vendor_id, found.product_id, found.kind) == (0x1209, 0x0001, DeviceKind.MTP)
    assert (found.manufacturer, found.product, found.serial) == ("Other", "Other MTP", "OTHER1")
    assert found.port == "1-1"


def test_every_file_comes_whole_and_from_any_offset(device):
    [found] = device.devices()
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
    files = camera.list_files()
    assert [file.path for file in files] == sorted(FILES)
    for file in files:
        assert file.size == len(FILES[file.path])
        assert b"".join(camera.read(file)) == FILES[file.path]
        assert b"".join(camera.read(file, 7)) == FILES[file.path][7:]
    assert camera.identity.make == "Maker"
    assert camera.identity.serial.startswith("OTHER1")
    assert camera.clock() is None
    assert camera.refresh(files[0]) == files[0]
    camera.close()


def test_a_question_without_answer_times_out_and_the_next_one_works(device):
    [found] = device.devices()
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
    started = time.monotonic()
    camera._link.drain()
    assert time.monotonic() - started < 1
    assert camera.storage().capacity == 32 << 30
    camera.close()


def test_a_file_is_deleted_and_its_event_is_heard(device, store):
    [found] = device.devices()
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
    first, *others = camera.list_files()
    assert camera.changed() is False
    camera.delete(first)
    assert camera.changed() is True
    assert camera.changed() is False
    assert sorted(store.files) == [file.path for file in others] == [file.path for file in camera.list_files()]
    camera.close()


def test_a_property_is_set_with_a_data_phase_of_any_length(device):
    [found] = device.devices()
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
    for length in (
        1,
        120,
        249,
        250,
        251,
    ):  # below and above a packet of 512
        name = "x" * length
        camera._session.send(Operation.SET_DEVICE_PROP_VALUE, 0xD402, data=pack_text(name))
        assert Fields(camera._session.fetch(Operation.GET_DEVICE_PROP_VALUE, 0xD402)).text() == name
    assert camera.set_clock(clock.now()) is False  # it offers no DateTime
    camera.close()


def test_a_dead_server_is_a_bus_that_is_not_there():
    bus = open_bus("usbip://127.0.0.1:1")
    with pytest.raises(BusUnavailableError):
        bus.devices()


def test_a_broken_connection_is_a_camera_that_is_gone(device):
    [found] = device.devices()
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=2)
    files = camera.list_files()
    found.device._ctx.handle._socket.shutdown(2)
    with pytest.raises(CameraGoneError):
        b"".join(camera.read(files[0]))


def test_an_unknown_kind_of_bus_is_refused_by_name(tmp_path: Path):
    with pytest.raises(BusUnavailableError, match="bluetooth"):
        open_bus("bluetooth:x")
    assert open_bus(f"sim:{tmp_path}").devices() == []

"""Our client against the `usbip` package's MTP device: a responder that nobody here wrote, over USB/IP."""

import os
import time
from pathlib import Path

import pytest
from usbip.classes.device.mtp import MTP
from usbip.core import SPEED_HIGH
from usbip.device import USBDevice
from usbip.transport import Loopback

from dock_service.bus import Bus, DeviceKind, open_bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import BusUnavailableError, CameraGoneError
from dock_service.usbip import UsbIpBackend

FILES = {
    "DCIM/100MEDIA/a.mp4": os.urandom(3_000_017),
    "DCIM/100MEDIA/b.mp4": os.urandom((1 << 20) - 12),
    "DCIM/empty.mp4": b"",
    "DCIM/packet.bin": os.urandom(512 - 12),
    "Tệp có dấu.txt": b"ID",
}


class Store:
    """A file tree in memory, as the package's own example keeps one on disk."""

    read_only = True
    description = "Card"

    def listdir(self, path):
        inside = [name[len(path) + 1 if path else 0 :] for name in FILES if name.startswith(path + "/" if path else "")]
        return sorted({name.split("/")[0] for name in inside})

    def stat(self, path):
        return (False, len(FILES[path]), 1_790_000_000) if path in FILES else (True, 0, 1_790_000_000)

    def read(self, path, off=0, size=None):
        return FILES[path][off : None if size is None else off + size]

    def disk_usage(self):
        return 32 << 30, 30 << 30


@pytest.fixture
def device():
    found = USBDevice(0x1209, 0x0001, manufacturer="Other", product="Other MTP", serial="OTHER1")
    found.speed = SPEED_HIGH
    found.add(MTP(Store(), name="Model", manufacturer="Maker", serial="CAM00001"))
    loopback = Loopback()
    with found.plug(via=loopback):
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
    assert camera.identity.serial.startswith("CAM00001")
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

"""SCSI commands against the `usbip` package's mass-storage device: a bulk-only responder that nobody here wrote."""

import pytest
from usbip.classes.device.msc import MSC, OP_INQUIRY, OP_READ_10, OP_READ_CAPACITY_10
from usbip.core import SPEED_HIGH
from usbip.device import USBDevice
from usbip.transport import Loopback

from bodycam.settings import load_settings
from dock_service.bus import Bus, DeviceKind
from dock_service.cameras.bulk_only import BulkOnly
from dock_service.cameras.dv16 import Dv16, is_dv16
from dock_service.cameras.opening import match_device, open_camera
from dock_service.errors import CameraGoneError, CameraRefusedError, ModeSwitchFailedError, StorageUnreachableError
from dock_service.profiles import load_profiles
from dock_service.usbip import UsbIpBackend

BLOCKS = bytes(range(256)) * 64


class Store:
    block_size, num_blocks, read_only = 512, len(BLOCKS) // 512, True

    def read(self, lba, count):
        return BLOCKS[lba * 512 : (lba + count) * 512]


@pytest.fixture
def bus():
    found = USBDevice(0x1209, 0x0002, manufacturer="Other", product="DV16", serial="DRIVE1")
    found.speed = SPEED_HIGH
    found.add(MSC([Store(), Store()], vendor="DV16", product="DEVICE V1.00"))
    loopback = Loopback()
    with found.plug(via=loopback):
        yield Bus(UsbIpBackend(loopback), "usbip")


def cdb(*head, length=10):
    return bytes(head).ljust(length, b"\0")


def test_commands_with_and_without_data_are_answered(bus):
    [found] = bus.devices()
    assert found.kind is DeviceKind.MASS_STORAGE
    with BulkOnly(found.device, found.port) as drive:
        drive.tell(cdb(0, length=6))  # TEST UNIT READY
        assert drive.ask(cdb(OP_INQUIRY, 0, 0, 0, 36, length=6), 36)[8:32] == b"DV16    DEVICE V1.00    "
        last, size = drive.ask(cdb(OP_READ_CAPACITY_10), 8)[:4], 512
        assert int.from_bytes(last, "big") + 1 == len(BLOCKS) // size
        assert drive.ask(cdb(OP_READ_10, 0, 0, 0, 0, 2, 0, 0, 3), 3 * 512, unit=1) == BLOCKS[1024 : 5 * 512]


def test_a_refused_command_is_named_and_the_next_one_works(bus):
    [found] = bus.devices()
    with BulkOnly(found.device, found.port) as drive:
        for _ in range(2):
            with pytest.raises(CameraRefusedError):  # it halts the data phase and says so in its status
                drive.ask(cdb(0xFD, 0x81, length=16), 94)
        with pytest.raises(CameraRefusedError):
            drive.tell(cdb(0xFB, 0x82, length=16))
        with pytest.raises(CameraRefusedError):
            drive.ask(cdb(OP_READ_10, 0, 0xFF, 0xFF, 0, 0, 0, 0, 1), 512)
        drive.tell(cdb(0, length=6))
        assert drive.ask(cdb(OP_INQUIRY, 0, 0, 0, 36, length=6), 255)[8:12] == b"DV16"


def test_a_drive_that_only_calls_itself_so_refuses_the_commands_by_name(bus):
    [found] = bus.devices()
    with BulkOnly(found.device, found.port) as drive:
        assert is_dv16(drive)
        camera = Dv16(drive)
        assert (camera.info(), camera.id_code(), camera.battery(), camera.has_card()) == (None, "", None, True)
        with pytest.raises(CameraRefusedError):
            camera.begin()


def test_a_lost_connection_is_a_camera_that_is_gone(bus):
    [found] = bus.devices()
    with BulkOnly(found.device, found.port) as drive:
        found.device._ctx.handle._socket.shutdown(2)
        with pytest.raises(CameraGoneError):
            drive.tell(cdb(0, length=6))


def test_its_blocks_are_out_of_reach_over_the_network_and_that_is_said(bus, tmp_path):
    settings = load_settings({"BODYCAM_DATA_DIR": str(tmp_path)})
    [found] = bus.devices()
    plain = load_profiles().match_usb(1, 1, None, None, "mass-storage")
    with pytest.raises(StorageUnreachableError):
        open_camera(found, plain, settings)
    with pytest.raises((StorageUnreachableError, ModeSwitchFailedError)):
        open_camera(found, match_device(load_profiles(), found), settings)

"""Which disks a USB port shows, in a made-up sysfs of the kernel's shape."""

import os
import threading

import pytest

from dock_service.cameras.blocks import Disks
from dock_service.errors import CameraGoneError, StorageNotReadyError


class Sysfs:
    """A tree as the kernel shows it: the device by its port, the disk below its interface, links between."""

    def __init__(self, root):
        self.root = root
        self.host = 5

    def plug(self, port="1-2.3", address=7):
        self.device = self.root / "devices/pci0000:00/usb1" / port
        (self.device / f"{port}:1.0").mkdir(parents=True)
        (self.device / "devnum").write_text(f"{address}\n")
        links = self.root / "bus/usb/devices"
        links.mkdir(parents=True, exist_ok=True)
        for name, place in ((port, self.device), (f"{port}:1.0", self.device / f"{port}:1.0")):
            (links / name).symlink_to(place)
        self.port = port
        self.host += 1

    def unit(self, lun=0, kind="0"):
        unit = self.device / f"{self.port}:1.0/host{self.host}/target{self.host}:0:0/{self.host}:0:0:{lun}"
        unit.mkdir(parents=True)
        (unit / "type").write_text(f"{kind}\n")
        (unit / "state").write_text("running\n")
        (unit / "ioerr_cnt").write_text("0x2\n")
        return unit

    def disk(self, name, lun=0, size=1 << 20, parts=(), number="8:0"):
        disk = self.unit(lun) / "block" / name
        disk.mkdir(parents=True)
        (disk / "dev").write_text(f"{number}\n")
        (disk / "size").write_text(f"{size}\n")
        for n, sectors in parts:
            place = disk / f"{name}{n}"
            place.mkdir()
            (place / "partition").write_text(f"{n}\n")
            (place / "dev").write_text(f"8:{n}\n")
            (place / "size").write_text(f"{sectors}\n")
        return disk

    def pull(self):
        for link in (self.root / "bus/usb/devices").iterdir():
            link.unlink()
        self.device.rename(self.device.with_name("gone"))


@pytest.fixture
def sysfs(tmp_path):
    return Sysfs(tmp_path)


def disks(sysfs, address=7):
    return Disks("1-2.3", address, sysfs.root)


def test_partitions_and_bare_disks_of_several_units_are_told_apart(sysfs):
    sysfs.plug()
    sysfs.disk("sda", parts=[(1, 1 << 20), (2, 1 << 18), (3, 2)])
    sysfs.disk("sdb", lun=1)
    sysfs.disk("sdc", lun=2, size=0)  # an empty card reader
    found = disks(sysfs).volumes()
    assert [(v.name, v.prefix) for v in found] == [("sda1", ""), ("sda2", "lun0-2"), ("sdb", "lun1")]
    assert found[0].size == 512 << 20
    assert found[0].number == os.makedev(8, 1)
    assert found[0].read_errors() == 2


def test_a_drive_of_programs_is_no_disk_and_another_port_is_not_ours(sysfs):
    sysfs.plug()
    sysfs.unit(lun=0, kind="5")
    sysfs.disk("sda", lun=1)
    assert [v.name for v in disks(sysfs).volumes()] == ["sda"]
    sysfs.plug("1-2.30")
    sysfs.disk("sdz")
    assert [v.name for v in disks(sysfs).volumes()] == ["sda"]


def test_it_waits_for_the_disk_and_for_the_second_unit(sysfs):
    sysfs.plug()
    first = threading.Timer(0.3, lambda: sysfs.disk("sda"))
    second = threading.Timer(0.45, lambda: sysfs.disk("sdb", lun=1))
    first.start()
    second.start()
    assert [v.name for v in disks(sysfs).wait(20)] == ["sda", "sdb"]


def test_a_device_without_disk_or_medium_is_named_after_the_time(sysfs):
    sysfs.plug()
    with pytest.raises(StorageNotReadyError, match="no block device"):
        disks(sysfs).wait(0.2)
    sysfs.disk("sda", size=0)
    with pytest.raises(StorageNotReadyError, match="no medium"):
        disks(sysfs).wait(0.2)


def test_a_pulled_device_is_gone_and_its_volume_never_comes_back(sysfs):
    sysfs.plug()
    sysfs.disk("sda")
    looked = disks(sysfs)
    [volume] = looked.volumes()
    assert volume.is_there()
    sysfs.pull()
    assert not volume.is_there()
    with pytest.raises(CameraGoneError):
        looked.volumes()
    sysfs.plug(address=8)
    sysfs.disk("sda")
    assert not volume.is_there()
    with pytest.raises(CameraGoneError):  # another plugging-in on the same port
        looked.volumes()


def test_a_unit_the_kernel_gave_up_is_gone(sysfs):
    sysfs.plug()
    disk = sysfs.disk("sda")
    [volume] = disks(sysfs).volumes()
    (disk.parent.parent / "state").write_text("offline\n")
    assert not volume.is_there()

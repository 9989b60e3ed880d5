"""Which block devices a USB port shows, through sysfs: a disk for each logical unit, and its partitions or bare file system.

`<sysfs>/bus/usb/devices/<bus>-<port.port>:*/host*/target*/<h:c:t:lun>/block/<disk>` ties a port to its disks. They appear more
than a second after the device (the kernel's `delay_use`), one after the other: `wait` waits until nothing new comes for a moment,
and what comes later is seen at the next look. A volume's folder in sysfs carries a host number that is never given again: once
it is gone, so is that plugging-in.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from bodycam import clock
from dock_service.errors import CameraGoneError, StorageNotReadyError

SYSFS = Path("/sys")
READY_S = 12.0  # a slow card reader inside a camera takes five
_STEADY_S = 0.3  # a disk is there before its partitions
_STEADY_PARTS_S = 0.1  # partitions come together
_POLL_S = 0.05
_SECTOR = 512  # sysfs counts in these, whatever the disk's own sector is
_LEAST = 64 << 10  # bytes; smaller (an extended partition's table) holds none of the file systems
_GIVEN_UP = {"offline", "transport-offline", "cancel", "deleted"}  # of a unit's states; a reset is none of them
_DISK = "0"  # SCSI peripheral type: direct access; 5 is a CD-ROM with a vendor's programs


@dataclass(frozen=True)
class Volume:
    """A partition, or a whole disk without partitions (`partition` 0); `number` is what st_dev says of its files."""

    name: str
    lun: int
    partition: int
    size: int
    number: int
    place: Path

    @property
    def prefix(self) -> str:
        """Return the folder its files are listed under: none for the first one of the first unit, so that it never changes."""
        if self.lun == 0 and self.partition <= 1:
            return ""
        return f"lun{self.lun}" if self.partition <= 1 else f"lun{self.lun}-{self.partition}"

    @property
    def _unit(self) -> Path:
        disk = self.place.parent if self.partition else self.place
        return disk.parent.parent

    def is_there(self) -> bool:
        """Tell whether it is still the device that was plugged in, and the kernel has not given it up."""
        return (self.place / "dev").exists() and _text(self._unit / "state") not in _GIVEN_UP

    def read_errors(self) -> int:
        """Return how many commands of its unit have failed so far; 0 when the kernel does not say."""
        try:
            return int(_text(self._unit / "ioerr_cnt") or "0", 0)
        except ValueError:
            return 0


class Disks:
    """The disks of the device at one port, for as long as it is the same plugging-in."""

    def __init__(self, port: str, address: int, sysfs: Path = SYSFS) -> None:
        """Take a device by its port ("1-2.3") and its address on the bus."""
        self.port = port
        self._address = address
        self._sysfs = sysfs

    def volumes(self) -> list[Volume]:
        """List its volumes by unit and partition, those without a medium left out; raises CameraGoneError."""
        self._check()
        found = [volume for disk in self._disks() for volume in _volumes(disk)]
        return sorted(found, key=lambda volume: (volume.lun, volume.partition))

    def wait(self, seconds: float = READY_S) -> list[Volume]:
        """Wait until its volumes are there and no more come; raises CameraGoneError, StorageNotReadyError."""
        end = clock.monotonic() + seconds
        seen: list[Volume] = []
        since = clock.monotonic()
        while True:
            found = self.volumes()
            if found != seen:
                seen, since = found, clock.monotonic()
            steady = _STEADY_PARTS_S if all(volume.partition for volume in seen) else _STEADY_S
            if seen and clock.monotonic() - since >= steady and not self._is_coming():
                return seen
            if clock.monotonic() >= end:
                if seen:
                    return seen
                raise StorageNotReadyError(port=self.port, seconds=round(seconds), detail=self._missing())
            time.sleep(_POLL_S)

    def is_waiting(self) -> bool:
        """Tell whether one of its units has shown no medium so far: an empty slot, or a card that takes its time."""
        return self._is_coming() or any(_text(disk / "size") == "0" for disk in self._disks())

    def _check(self) -> None:
        device = self._sysfs / "bus/usb/devices" / self.port
        number = _text(device / "devnum")
        if not device.exists() or (number and number != str(self._address)):
            raise CameraGoneError(camera=f"usb:{self.port}")

    def _units(self) -> list[Path]:
        """List its SCSI units that are disks."""
        found = (self._sysfs / "bus/usb/devices").glob(f"{self.port}:*/host*/target*/*:*:*:*")
        return [unit for unit in found if _text(unit / "type") in {_DISK, ""}]

    def _disks(self) -> list[Path]:
        return [disk.resolve() for unit in self._units() for disk in (unit / "block").glob("*")]

    def _is_coming(self) -> bool:
        """Tell whether a unit is known whose disk is not there yet."""
        return any(not list((unit / "block").glob("*")) for unit in self._units())

    def _missing(self) -> str:
        return "no medium" if self._disks() else "no block device"


def _volumes(disk: Path) -> list[Volume]:
    lun = disk.parent.parent.name.rpartition(":")[2]
    parts = [part.parent for part in disk.glob("*/partition")]
    found = [_volume(place, int(lun) if lun.isdecimal() else 0) for place in parts or [disk]]
    return [volume for volume in found if volume is not None and volume.size >= _LEAST]


def _volume(place: Path, lun: int) -> Volume | None:
    major, _, minor = _text(place / "dev").partition(":")
    size, partition = _text(place / "size"), _text(place / "partition")
    if not (major.isdecimal() and minor.isdecimal() and size.isdecimal()):  # it left while it was looked at
        return None
    number = os.makedev(int(major), int(minor))
    return Volume(place.name, lun, int(partition or "0"), int(size) * _SECTOR, number, place)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""

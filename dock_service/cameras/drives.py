"""The volumes of a camera that this machine's kernel sees, mounted, and whether the device still answers."""

import errno
import mmap
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bodycam import clock
from dock_service.cameras.blocks import READY_S, Disks, Volume
from dock_service.cameras.mass_storage import Card
from dock_service.cameras.medium import Medium
from dock_service.cameras.mounting import Mounts
from dock_service.errors import CameraGoneError, FileSystemUnknownError, MountFailedError

_PROBE = 4096
_SETTLE_S = 5.0  # the kernel asks removable drives every two seconds whether a medium has come
_POLL_S = 0.1
_LOST = {errno.ENODEV, errno.ENOTCONN, errno.ESTALE, errno.ENXIO, errno.ENOMEDIUM}


class VolumeMedium(Medium):
    """A mounted volume: an input error is one file's as long as the device answers."""

    def __init__(self, volume: Volume, devices: Path) -> None:
        """Take a volume and the folder of its device's node."""
        self._volume = volume
        self._device = devices / volume.name

    def is_gone(self, error: OSError) -> bool:
        """Tell whether the device is gone, or does not answer any more."""
        if error.errno in _LOST:
            return True
        if error.errno != errno.EIO:
            return False
        try:
            self.check()
        except OSError:
            return True
        return False

    def begin(self, descriptor: int, offset: int) -> None:
        """Forget what is cached, so that a file that is read again before it is wiped comes from the card."""
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        super().begin(descriptor, offset)

    def check(self) -> None:
        """Raise OSError unless it is there and gives its first block, read past the cache."""
        if not self._volume.is_there():
            raise OSError(errno.ENODEV, "the device is gone")
        try:
            handle = os.open(self._device, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        except PermissionError:  # without the udev rule only sysfs tells
            return
        try:
            with mmap.mmap(-1, _PROBE) as page:  # a page of its own: direct reads must be aligned
                os.preadv(handle, [page], 0)
        finally:
            os.close(handle)


class Drives:
    """What the kernel shows of one camera."""

    def __init__(self, disks: Disks, mounts: Mounts, seconds: float = READY_S, devices: Path = Path("/dev")) -> None:
        """Take its disks and a way to mount; `seconds` is how long the first disk may take."""
        self._disks = disks
        self._mounts = mounts
        self._seconds = seconds
        self._devices = devices
        self._mounted: dict[str, tuple[Volume, Card]] = {}
        self._since = clock.monotonic()

    def cards(self) -> Sequence[Card]:
        """Wait for the disks the first time, and mount what is new."""
        volumes = self._disks.volumes() if self._mounted else self._disks.wait(self._seconds)
        names = {volume.name for volume in volumes}
        if any(name not in names for name in self._mounted):
            raise CameraGoneError(camera=f"usb:{self._disks.port}")
        for volume in volumes:
            if volume.name not in self._mounted:
                self._mounted[volume.name] = (volume, self._card(volume))
        cards = [card for _, card in self._mounted.values()]
        errors = [card.error for card in cards if card.error is not None]
        if errors and len(errors) == len(cards):
            raise errors[0]
        return cards

    def _card(self, volume: Volume) -> Card:
        try:
            root = self._mounts.mount(volume)
        except (FileSystemUnknownError, MountFailedError) as error:
            return Card(volume.name, volume.prefix, error=error)
        return Card(volume.name, volume.prefix, root, VolumeMedium(volume, self._devices))

    def settle(self) -> None:
        """Give a unit without a medium its time to show one, counted from when the camera was opened."""
        end = self._since + _SETTLE_S
        while clock.monotonic() < end and self._disks.is_waiting():
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Ask every mounted volume's device."""
        for _, card in self._mounted.values():
            try:
                if card.medium is not None:
                    card.medium.check()
            except OSError as error:
                raise CameraGoneError(camera=f"usb:{self._disks.port}") from error

    def read_errors(self) -> int:
        """Sum the errors of its units."""
        return sum(volume.read_errors() for volume, _ in self._mounted.values())

    def writable(self, card: Card) -> AbstractContextManager[None]:
        """Remount a card read-write while the block runs."""
        return self._mounts.writable(self._mounted[card.name][0])

    def close(self) -> None:
        """Unmount everything."""
        for volume, card in self._mounted.values():
            if card.root is not None:
                self._mounts.unmount(volume)
        self._mounted = {}

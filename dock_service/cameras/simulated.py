"""A simulated mass-storage camera's cards: folders on this disk that stand for its mounted volumes.

They behave as the kernel's mounts do: a pulled camera's folders list empty and its open files give EIO.
"""

import errno
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from dock_service.bus import BusDevice
from dock_service.cameras.mass_storage import Card
from dock_service.cameras.medium import Medium
from dock_service.errors import CameraGoneError, StorageNotReadyError
from dock_service.simulator.backend import SimBackend
from dock_service.simulator.device import SimDevice


class SimulatedMedium(Medium):
    """A card of a camera on a simulated bus."""

    def __init__(self, device: SimDevice, card: Path) -> None:
        """Take the camera as it is plugged in, and the folder of one of its cards."""
        self._device = device
        self._bad = {str((card / path).resolve()): at for path, at in device.profile.faults.bad_sectors.items()}

    def is_gone(self, error: OSError) -> bool:
        """Tell whether it was pulled."""
        return not self._device.is_there() or (error.errno != errno.EIO and super().is_gone(error))

    def check(self) -> None:
        """Raise OSError when it was pulled."""
        if not self._device.is_there():
            raise OSError(errno.ENODEV, "No such device")

    def entries(self, folder: Path) -> list[os.DirEntry[str]]:
        """List a folder; an empty one once the camera is pulled."""
        return super().entries(folder) if self._device.is_there() else []

    def read(self, descriptor: int, count: int, offset: int) -> bytes:
        """Read at the camera's rate."""
        bad_at = self._bad.get(str(Path(f"/proc/self/fd/{descriptor}").readlink())) if self._bad else None
        if bad_at is not None and offset + count > bad_at:
            count = bad_at - offset
            if count <= 0:
                raise OSError(errno.EIO, "Input/output error")
        data = super().read(descriptor, count, offset)
        return data[: self._device.serve(len(data))] if data else b""


class SimulatedStorage:
    """The cards of one camera on a simulated bus; see `Storage`."""

    def __init__(self, backend: SimBackend, device: BusDevice) -> None:
        """Take the bus and a device on it."""
        self._port = device.port
        self._device = backend.at(device.address)

    def _here(self) -> SimDevice:
        if self._device is None or not self._device.is_there():
            raise CameraGoneError(camera=f"usb:{self._port}")
        return self._device

    def cards(self) -> Sequence[Card]:
        """Return its one or two cards; StorageNotReadyError before it changed over."""
        device = self._here()
        if device.profile.switch and not device.camera.has_changed_over():
            raise StorageNotReadyError(port=self._port, seconds=0, detail="no medium")
        first, second = device.camera.card, device.camera.second_card
        cards = [Card("card", "", first, SimulatedMedium(device, first))]
        if second.is_dir():
            cards.append(Card("card-2", "lun1", second, SimulatedMedium(device, second)))
        return cards

    def settle(self) -> None:
        """Do nothing: its cards are there at once."""

    def check(self) -> None:
        """Raise CameraGoneError when it was pulled."""
        self._here()

    def read_errors(self) -> int:
        """Return 0: its card never fails by itself."""
        return 0

    def writable(self, card: Card) -> AbstractContextManager[None]:  # noqa: ARG002  the shape of every storage
        """Change nothing: a folder can be written to."""
        self._here()
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""

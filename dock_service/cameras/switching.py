"""What a camera said before it changed over to drives, kept for the device that comes back on its port."""

import threading
from dataclasses import dataclass

from bodycam import clock
from dock_service.bus import BusDevice
from dock_service.profiles.switch import ModeSwitch, UsbIdentifier


@dataclass(frozen=True)
class Before:
    """Who the camera said it was ("" when it did not), its battery in percent, and whether its clock was set then."""

    serial: str = ""
    make: str = ""
    model: str = ""
    battery: int | None = None
    clock_set: bool = False
    officer: str = ""  # the number somebody once set in it


@dataclass
class _Change:
    since: float
    before: Before
    bus: object
    address: int  # of the device that was told
    becomes: UsbIdentifier
    back_s: float
    became: int | None = None  # the address it came back under


class Switched:
    """The ports whose camera changes over, for this process; safe for several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._changes: dict[str, _Change] = {}

    def remember(self, device: BusDevice, switch: ModeSwitch, before: Before) -> None:
        """Keep what a device said when it was told to change over."""
        change = _Change(
            clock.monotonic(), before, _bus_of(device), device.address, becomes(device, switch), switch.back_s
        )
        with self._lock:
            self._changes[device.port] = change

    def before(self, device: BusDevice) -> Before | None:
        """Return what a camera said before it became this device: the next at its port, soon, with the ids it was to have."""
        with self._lock:
            change = self._changes.get(device.port)
            if change is None or change.bus is not _bus_of(device):
                return None
            is_next = change.became is None and device.address != change.address
            is_soon = clock.monotonic() - change.since < change.back_s
            if is_next and is_soon and change.becomes.fits(device.vendor_id, device.product_id):
                change.became = device.address
            if device.address in {change.became, change.address}:
                return change.before
            del self._changes[device.port]
            return None


def becomes(device: BusDevice, switch: ModeSwitch) -> UsbIdentifier:
    """Return the ids a device is to come back with: its own where the profile names none."""
    return switch.becomes or UsbIdentifier(device.vendor_id, device.product_id)


def _bus_of(device: BusDevice) -> object:
    return device.device.backend

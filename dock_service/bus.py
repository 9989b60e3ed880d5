"""What hangs on the USB bus, through pyusb, whichever bus `dock.bus` names: `libusb`, `sim:FOLDER` or `usbip://host:port`.

Listing opens a device only to read its strings and survives every way a device can vanish meanwhile. A device is named by
its port ("1-2.3", as in sysfs), since its address changes at every plug.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import usb.backend
import usb.core
import usb.util

from dock_service.errors import BusUnavailableError
from dock_service.ptp.link import find_interface

MASS_STORAGE, HUB = 0x08, 0x09
_SPEEDS = {1: "1.5M", 2: "12M", 3: "480M", 4: "5G", 5: "10G"}
_USBIP_PORT = 3240


class DeviceKind(StrEnum):
    """What a device is to a dock."""

    MTP = "mtp"
    MASS_STORAGE = "mass-storage"
    OTHER = "other"


@dataclass(frozen=True)
class BusDevice:
    """One device on the bus; the strings are None when it would not tell."""

    port: str
    address: int
    vendor_id: int
    product_id: int
    serial: str | None
    manufacturer: str | None
    product: str | None
    speed: str | None
    kind: DeviceKind
    device: usb.core.Device = field(compare=False, repr=False)

    def as_json(self) -> dict[str, str | int | None]:
        """Return what `bodycam usb list --json` prints."""
        return {
            "port": self.port,
            "kind": self.kind.value,
            "vendor_id": f"{self.vendor_id:04x}",
            "product_id": f"{self.product_id:04x}",
            "serial": self.serial,
            "manufacturer": self.manufacturer,
            "product": self.product,
            "speed": self.speed,
        }


@dataclass(frozen=True)
class Changes:
    """What came and went between two looks at the bus."""

    arrived: tuple[BusDevice, ...]
    left: tuple[BusDevice, ...]


class Bus:
    """One USB bus, polled."""

    def __init__(self, backend: usb.backend.IBackend, name: str) -> None:
        """Take a pyusb backend and the setting that named it."""
        self.name = name
        self._backend = backend
        self._known: dict[tuple[str, int], BusDevice] = {}
        self._doubted: set[tuple[str, int]] = set()  # to be asked anew at the next look

    def devices(self) -> list[BusDevice]:
        """List the devices plugged in now, hubs left out, by port; devices seen before are not asked again.

        Raises BusUnavailableError when the bus itself does not answer.
        """
        known: dict[tuple[str, int], BusDevice] = {}
        try:
            for device in usb.core.find(find_all=True, backend=self._backend):
                if device.bDeviceClass == HUB:
                    continue
                key = (port_of(device), device.address)
                found = (None if key in self._doubted else self._known.get(key)) or describe(device)
                if found is not None:
                    known[key] = found
        except usb.core.USBError as error:
            raise BusUnavailableError(bus=self.name, detail=str(error)) from error
        self._known = known
        self._doubted = set()
        return sorted(known.values(), key=lambda found: _by_number(found.port))

    def poll(self) -> Changes:
        """List the bus again and say what changed since the last look."""
        before, doubted = self._known, self._doubted
        self.devices()
        arrived = tuple(found for key, found in self._known.items() if key not in before or key in doubted)
        left = tuple(found for key, found in before.items() if key not in self._known)
        return Changes(arrived, left)

    def forget(self, device: BusDevice) -> None:
        """Ask for a device anew at the next look: its session died, so it may be another behind the same address.

        If it is there it counts as arrived then, and as left if it is not.
        """
        self._doubted.add((device.port, device.address))


def open_bus(setting: str) -> Bus:
    """Open the bus a `dock.bus` setting names; raises BusUnavailableError saying what is wrong with it."""
    kind, _, rest = setting.partition(":")
    if setting == "libusb":
        return Bus(_libusb(), setting)
    if kind == "sim" and rest:
        # late: only a simulated bus pays for the simulator
        from dock_service.simulator.backend import SimBackend

        return Bus(SimBackend(Path(rest).expanduser()), setting)
    if kind == "usbip" and rest.startswith("//"):
        # late: only a networked bus pays for USB/IP
        from dock_service.usbip import UsbIpBackend

        server = _server(rest)
        if server is not None:
            return Bus(UsbIpBackend.over_tcp(*server), setting)
    raise BusUnavailableError(bus=setting, detail="unknown kind of bus")


def _server(address: str) -> tuple[str, int] | None:
    """Read "//host", "//host:port" or "//[v6]:port"; None when it is neither."""
    try:
        parts = urlsplit(address)
        return (parts.hostname, parts.port or _USBIP_PORT) if parts.hostname and not parts.path.strip("/") else None
    except ValueError:  # a port that is no number, brackets that do not close
        return None


def _libusb() -> usb.backend.IBackend:
    # late: libusb is loaded only when real hardware is asked for
    import libusb_package

    try:
        backend = libusb_package.get_libusb1_backend()
    except OSError as error:
        raise BusUnavailableError(bus="libusb", detail=str(error)) from error
    if backend is None:
        raise BusUnavailableError(bus="libusb", detail="libusb did not load")
    return backend


def port_of(device: usb.core.Device) -> str:
    """Return a device's place as sysfs names it: bus, "-", the ports of the hubs down to it."""
    ports = device.port_numbers or (device.port_number or 0,)
    return f"{device.bus}-{'.'.join(str(number) for number in ports)}"


def describe(device: usb.core.Device) -> BusDevice | None:
    """Ask a device who it is; None when it left while it was asked."""
    try:
        kind = _kind(device)
        texts = [_text(device, index) for index in (device.iSerialNumber, device.iManufacturer, device.iProduct)]
    except (usb.core.USBError, NotImplementedError):
        return None
    finally:
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(device)
    return BusDevice(
        port_of(device),
        device.address,
        device.idVendor,
        device.idProduct,
        texts[0],
        texts[1],
        texts[2],
        _SPEEDS.get(device.speed),
        kind,
        device,
    )


def _kind(device: usb.core.Device) -> DeviceKind:
    for configuration in _configurations(device):
        if find_interface(configuration) is not None:
            return DeviceKind.MTP
        if any(interface.bInterfaceClass == MASS_STORAGE for interface in configuration):
            return DeviceKind.MASS_STORAGE
    return DeviceKind.OTHER


def _configurations(device: usb.core.Device) -> Iterator[usb.core.Configuration]:
    yield from device


def _text(device: usb.core.Device, index: int) -> str | None:
    try:
        text = usb.util.get_string(device, index) if index else None
    except (ValueError, usb.core.USBError):  # pyusb: ValueError without rights, or for a device that has just left
        return None
    return text.replace("\0", "").strip() or None if text else None


def _by_number(port: str) -> list[int]:
    return [int(part) for part in port.replace("-", ".").split(".")]

"""A pyusb backend over USB/IP: docks reached over the network, and the second responder in tests."""

import errno
import struct
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import structlog
import usb.backend
import usb.core

from dock_service.usbip.remote import RemoteDevice, Tcp, Transport, exported, usb_error

log = structlog.get_logger()

_CONFIGURATION, _INTERFACE, _ENDPOINT = 2, 4, 5
_TO_HOST = 0x80
_ASK_AGAIN_S = 10.0  # a device that would not describe itself is left alone so long


class UsbIpBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb is not typed
    """The devices one USB/IP server exports."""

    def __init__(self, transport: Transport) -> None:
        """Take the `usbip` package's transport: TCP, or its in-process loopback."""
        super().__init__()
        self._transport = transport
        self._devices: dict[tuple[str, int], RemoteDevice] = {}
        self._refused: dict[tuple[str, int], float] = {}  # when a device would not describe itself

    @classmethod
    def over_tcp(cls, host: str, port: int) -> "UsbIpBackend":
        """Make a backend for a server on the network."""
        return cls(Tcp(host, port))

    def enumerate_devices(self) -> Iterator[RemoteDevice]:
        """Ask the server what it exports; a device seen before keeps its object, and so its open connection.

        Some servers leave out a device that is in use: one that we hold open is still there. One that does not describe itself
        is left out, and the others are not.
        """
        try:
            listed = exported(self._transport)
        except (OSError, UnicodeError) as error:
            raise usb_error(errno.EHOSTUNREACH, str(error)) from error
        devices = {key: device for key, device in self._devices.items() if device.is_open()}
        for info in listed:
            key = (info["busid"], info["devnum"])
            device = devices.get(key) or self._devices.get(key) or RemoteDevice(self._transport, info)
            if self._is_described(key, device):
                devices[key] = device
        self._devices = devices
        return iter(list(devices.values()))

    def _is_described(self, key: tuple[str, int], device: RemoteDevice) -> bool:
        if time.monotonic() - self._refused.get(key, -_ASK_AGAIN_S) < _ASK_AGAIN_S:
            return False
        try:
            device.describe()
        except usb.core.USBError as error:
            self._refused[key] = time.monotonic()
            log.warning("usbip.not_described", busid=key[0], error=str(error))
            return False
        self._refused.pop(key, None)
        return True

    def get_parent(self, dev: RemoteDevice) -> None:
        """Give no hub."""

    def get_device_descriptor(self, dev: RemoteDevice) -> SimpleNamespace:
        """Return the device descriptor and where it is plugged in at the server."""
        descriptor, _ = dev.describe()
        bus, _, path = dev.busid.partition("-")
        ports = tuple(int(part) for part in path.split(".") if part.isdecimal()) or (1,)
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, **vars(descriptor),
            bus=int(bus) if bus.isdecimal() else 1, address=dev.info["devnum"],
            port_number=ports[-1], port_numbers=ports, speed={1: 1, 2: 2, 3: 3, 5: 4}.get(dev.info["speed"]),
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: RemoteDevice, config: int) -> SimpleNamespace:
        """Return the first configuration, the only one a dock uses."""
        if config:
            raise IndexError(config)
        raw = _of_kind(dev.describe()[1], _CONFIGURATION)[0]
        names = "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration bmAttributes bMaxPower"
        return _named(names, "<BBHBBBBB", raw)

    def get_interface_descriptor(self, dev: RemoteDevice, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Return an interface; alternate settings are not offered."""
        if alt or config:
            raise IndexError(alt)
        raw = _of_kind(dev.describe()[1], _INTERFACE)[intf]
        names = (
            "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass bInterfaceSubClass "
            "bInterfaceProtocol iInterface"
        )
        return _named(names, "<BBBBBBBBB", raw)

    def get_endpoint_descriptor(self, dev: RemoteDevice, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Return an endpoint of an interface."""
        pieces = dev.describe()[1]
        start = [n for n, piece in enumerate(pieces) if piece[1] == _INTERFACE and not piece[3]][intf]
        following = [n for n, piece in enumerate(pieces) if piece[1] == _INTERFACE and n > start]
        raw = _of_kind(pieces[start : following[0] if following else None], _ENDPOINT)[ep]
        found = _named("bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval", "<BBBBHB", raw)
        found.bRefresh = found.bSynchAddress = 0
        return found

    def open_device(self, dev: RemoteDevice) -> RemoteDevice:
        """Import it; the device is its own handle."""
        dev.open()
        return dev

    def close_device(self, dev_handle: RemoteDevice) -> None:
        """Give it back to the server."""
        dev_handle.close()

    def set_configuration(self, dev_handle: RemoteDevice, config_value: int) -> None:
        """Run SET_CONFIGURATION."""
        dev_handle.control(0, 9, config_value, 0, 0)

    def get_configuration(self, dev_handle: RemoteDevice) -> int:
        """Return the configured value, setting the first configuration when there is none."""
        current = dev_handle.control(_TO_HOST, 8, 0, 0, 1)
        if current and current[0]:
            return current[0]
        value = int(self.get_configuration_descriptor(dev_handle, 0).bConfigurationValue)
        self.set_configuration(dev_handle, value)
        return value

    def set_interface_altsetting(self, dev_handle: RemoteDevice, intf: int, altsetting: int) -> None:
        """Run SET_INTERFACE."""
        dev_handle.control(1, 11, altsetting, intf, 0)

    def claim_interface(self, dev_handle: RemoteDevice, intf: int) -> None:
        """Nothing to do: an import is exclusive."""

    def release_interface(self, dev_handle: RemoteDevice, intf: int) -> None:
        """Nothing to do."""

    def is_kernel_driver_active(self, dev_handle: RemoteDevice, intf: int) -> bool:
        """Say that no kernel driver of this machine is in the way."""
        return False

    def bulk_write(self, dev_handle: RemoteDevice, ep: int, intf: int, data: Any, timeout: int) -> int:
        """Send a bulk transfer."""
        return dev_handle.submit(ep, 0, bytes(data), memoryview(bytearray()), timeout)

    def bulk_read(self, dev_handle: RemoteDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Receive a bulk transfer."""
        return dev_handle.submit(ep, _TO_HOST, b"", memoryview(buff).cast("B"), timeout)

    intr_read = bulk_read

    def ctrl_transfer(
        self,
        dev_handle: RemoteDevice,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: Any,
        timeout: int,
    ) -> int:
        """Run a control transfer."""
        view = memoryview(data).cast("B")
        body = b"" if bmRequestType & _TO_HOST else bytes(view)
        answer = dev_handle.control(bmRequestType, bRequest, wValue, wIndex, len(view), body, timeout)
        if not bmRequestType & _TO_HOST:
            return len(view)
        count = min(len(answer), len(view))
        view[:count] = answer[:count]
        return count

    def clear_halt(self, dev_handle: RemoteDevice, ep: int) -> None:
        """Clear the halt of an endpoint (CLEAR_FEATURE)."""
        dev_handle.control(2, 1, 0, ep, 0)

    def reset_device(self, dev_handle: RemoteDevice) -> None:
        """Import it anew: USB/IP carries no port reset."""
        dev_handle.close()
        dev_handle.open()


def _of_kind(pieces: list[bytes], kind: int) -> list[bytes]:
    return [piece for piece in pieces if piece[1] == kind and not (kind == _INTERFACE and piece[3])]


def _named(names: str, layout: str, raw: bytes) -> SimpleNamespace:
    try:
        values = struct.unpack_from(layout, raw)
    except struct.error:
        raise usb_error(errno.EPROTO, "descriptor too short") from None
    return SimpleNamespace(**dict(zip(names.split(), values, strict=True)), extra_descriptors=[])

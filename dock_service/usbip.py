"""A pyusb backend over USB/IP: docks reached over the network, and the second responder in tests.

The `usbip` package does the handshake (device list, import); transfers are submitted here, because its client knows no
timeouts and no unlinking. One connection per opened device; the protocol is the Linux kernel's (usbip_protocol.rst).
"""

import errno
import socket
import struct
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core
from usbip import protocol
from usbip.core import DeviceDescriptor, NotFound, USBError, iter_descriptors
from usbip.host import list_devices
from usbip.transport import USBIP, Transport

_HEADER = struct.Struct(">IIIII")
_RESULT = struct.Struct(">iiiii")
_HEADER_BYTES = 48
_CONNECT_S = 5.0
_MOST = 64 << 20  # bytes of one answer; more is nonsense
_CONFIGURATION, _INTERFACE, _ENDPOINT = 2, 4, 5
_TO_HOST = 0x80


def _error(number: int, text: str) -> usb.core.USBError:
    if number == errno.ETIMEDOUT:
        return usb.core.USBTimeoutError(text, -7, number)
    return usb.core.USBError(text, -1, number)


class RemoteDevice:
    """One exported device; opened, it holds its connection."""

    def __init__(self, transport: Transport, info: dict[str, Any]) -> None:
        """Take the server's line about it."""
        self.busid: str = info["busid"]
        self.info = info
        self._transport = transport
        self._socket: socket.socket | None = None
        self._number = 0
        self._lock = threading.RLock()
        self._described: tuple[DeviceDescriptor, list[bytes]] | None = None

    def open(self) -> None:
        """Import the device unless it is open."""
        with self._lock:
            if self._socket is not None:
                return
            try:
                connection = self._transport.connect()
                connection.settimeout(_CONNECT_S)
                protocol.client_import(connection, self.busid.encode())
            except (OSError, USBError) as error:
                raise _error(errno.ENODEV, f"import of {self.busid}: {error}") from error
            self._socket = connection

    def close(self) -> None:
        """Give it back to the server."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def describe(self) -> tuple[DeviceDescriptor, list[bytes]]:
        """Return its device descriptor and those of its configuration, asked for once."""
        with self._lock:
            if self._described is None:
                self.open()
                device = DeviceDescriptor.parse(self.control(_TO_HOST, 6, 0x0100, 0, 18, b"", 1000))
                whole = int.from_bytes(self.control(_TO_HOST, 6, 0x0200, 0, 9, b"", 1000)[2:4], "little")
                blob = self.control(_TO_HOST, 6, 0x0200, 0, whole, b"", 1000)
                self._described = device, [bytes(piece) for piece in iter_descriptors(blob)]
            return self._described

    def control(
        self, kind: int, request: int, value: int, index: int, length: int, body: bytes, timeout_ms: int
    ) -> bytes:
        """Run a control transfer; returns the bytes read."""
        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        return self.submit(0, kind & _TO_HOST, body, length, timeout_ms, setup)[1]

    def submit(
        self, endpoint: int, direction: int, body: bytes, length: int, timeout_ms: int, setup: bytes = bytes(8)
    ) -> tuple[int, bytes]:
        """Submit one transfer and wait for it; returns the count and the bytes read. Timeouts unlink it."""
        with self._lock:
            if self._socket is None:
                raise _error(errno.ENODEV, "not open")
            self._number += 1
            number, devid = self._number, self.info["busnum"] << 16 | self.info["devnum"]
            towards = int(bool(direction))
            head = _HEADER.pack(protocol.CMD_SUBMIT, number, devid, towards, endpoint & 0x0F)
            head += struct.pack(">Iiiii", 0, length, 0, 0, 0) + setup
            deadline = time.monotonic() + timeout_ms / 1000 if timeout_ms else None
            try:
                self._socket.settimeout(_CONNECT_S)
                self._socket.sendall(head + body)
                return self._result(self._socket, number, towards, deadline)
            except TimeoutError:
                return self._unlink(number, devid, towards)
            except OSError as error:
                self.close()
                raise _error(errno.ENODEV, str(error)) from error

    def _result(
        self, connection: socket.socket, number: int, towards: int, deadline: float | None
    ) -> tuple[int, bytes]:
        while True:
            head = _receive(connection, _HEADER_BYTES, deadline)
            command, answered, _, _, _ = _HEADER.unpack_from(head)
            status, count, *_ = _RESULT.unpack_from(head, _HEADER.size)
            if not 0 <= count <= _MOST:
                raise OSError(errno.EPROTO, f"answer of {count} bytes")
            data = _receive(connection, count, None) if towards and command == protocol.RET_SUBMIT else b""
            if answered != number:
                continue  # the late end of a transfer that was unlinked
            if command == protocol.RET_UNLINK or status in {-errno.ECONNRESET, -errno.ENOENT}:
                raise _error(errno.ETIMEDOUT, "Operation timed out")
            if status < 0:
                raise _error(-status, f"transfer status {status}")
            return count, data

    def _unlink(self, number: int, devid: int, towards: int) -> tuple[int, bytes]:
        """Take a transfer back; what it had brought meanwhile still counts."""
        assert self._socket is not None
        head = _HEADER.pack(protocol.CMD_UNLINK, self._number + 1, devid, 0, 0) + struct.pack(">I", number) + bytes(24)
        self._number += 1
        try:
            self._socket.sendall(head)
            while True:
                answer = _receive(self._socket, _HEADER_BYTES, time.monotonic() + _CONNECT_S)
                command, answered, _, _, _ = _HEADER.unpack_from(answer)
                _, count, *_ = _RESULT.unpack_from(answer, _HEADER.size)
                if command == protocol.RET_UNLINK:
                    raise _error(errno.ETIMEDOUT, "Operation timed out")
                data = _receive(self._socket, count, None) if towards and 0 < count <= _MOST else b""
                if answered == number:  # it ended while we took it back; the server's answer to the unlink comes later
                    return count, data
        except usb.core.USBError:
            raise
        except OSError as error:
            self.close()
            raise _error(errno.ENODEV, str(error)) from error


def _receive(connection: socket.socket, count: int, deadline: float | None) -> bytes:
    """Read exactly `count` bytes; TimeoutError only before the first one, so that no answer is left half read."""
    whole = bytearray(count)
    view, got = memoryview(whole), 0
    while got < count:
        if got or deadline is None:
            connection.settimeout(_CONNECT_S)
        else:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            n = connection.recv_into(view[got:])
        except TimeoutError:
            if got:
                raise OSError(errno.EPROTO, "half an answer") from None
            raise
        if n == 0:
            raise OSError(errno.ENODEV, "connection closed")
        got += n
    return bytes(whole)


class UsbIpBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb is not typed
    """The devices one USB/IP server exports."""

    def __init__(self, transport: Transport) -> None:
        """Take the `usbip` package's transport: TCP, or its in-process loopback."""
        super().__init__()
        self._transport = transport
        self._devices: dict[tuple[str, int], RemoteDevice] = {}

    @classmethod
    def over_tcp(cls, host: str, port: int) -> "UsbIpBackend":
        """Make a backend for a server on the network."""
        return cls(USBIP(host, port))

    def enumerate_devices(self) -> Iterator[RemoteDevice]:
        """Ask the server what it exports; a device seen before keeps its object, and so its open connection."""
        try:
            listed = list_devices(self._transport)
        except (OSError, NotFound) as error:
            raise _error(errno.EHOSTUNREACH, str(error)) from error
        devices = {(info["busid"], info["devnum"]): info for info in listed}
        self._devices = {
            key: self._devices.get(key) or RemoteDevice(self._transport, info) for key, info in devices.items()
        }
        return iter(list(self._devices.values()))

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
        start = [n for n, piece in enumerate(pieces) if piece[1] == _INTERFACE][intf]
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
        dev_handle.control(0, 9, config_value, 0, 0, b"", 1000)

    def get_configuration(self, dev_handle: RemoteDevice) -> int:
        """Return the configured value, setting the first configuration when there is none."""
        current = dev_handle.control(_TO_HOST, 8, 0, 0, 1, b"", 1000)
        if current and current[0]:
            return current[0]
        value = int(self.get_configuration_descriptor(dev_handle, 0).bConfigurationValue)
        self.set_configuration(dev_handle, value)
        return value

    def set_interface_altsetting(self, dev_handle: RemoteDevice, intf: int, altsetting: int) -> None:
        """Run SET_INTERFACE."""
        dev_handle.control(1, 11, altsetting, intf, 0, b"", 1000)

    def claim_interface(self, dev_handle: RemoteDevice, intf: int) -> None:
        """Nothing to do: an import is exclusive."""

    def release_interface(self, dev_handle: RemoteDevice, intf: int) -> None:
        """Nothing to do."""

    def is_kernel_driver_active(self, dev_handle: RemoteDevice, intf: int) -> bool:
        """Say that no kernel driver of this machine is in the way."""
        return False

    def bulk_write(self, dev_handle: RemoteDevice, ep: int, intf: int, data: Any, timeout: int) -> int:
        """Send a bulk transfer."""
        body = bytes(data)
        return dev_handle.submit(ep, 0, body, len(body), timeout)[0]

    def bulk_read(self, dev_handle: RemoteDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Receive a bulk transfer."""
        view = memoryview(buff).cast("B")
        _, data = dev_handle.submit(ep, _TO_HOST, b"", len(view), timeout)
        if len(data) > len(view):
            raise _error(errno.EOVERFLOW, "Overflow")
        view[: len(data)] = data
        return len(data)

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
        dev_handle.control(2, 1, 0, ep, 0, b"", 1000)

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
        raise _error(errno.EPROTO, "descriptor too short") from None
    return SimpleNamespace(**dict(zip(names.split(), values, strict=True)), extra_descriptors=[])

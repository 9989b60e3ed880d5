"""One device that a USB/IP server exports, and the server's list of them.

The protocol is the Linux kernel's (usbip_protocol.rst). The `usbip` package does the import; transfers are submitted here,
because its client knows no timeouts and no unlinking. Everything has its time: a server that is away or hangs costs the caller
`CONNECT_S`, and is then ENODEV (a device) or an OSError (the list).
"""

import contextlib
import errno
import select
import socket
import struct
import threading
import time
from typing import Any, Protocol

import usb.core
from usbip import protocol
from usbip.core import DeviceDescriptor, USBError, iter_descriptors

CONNECT_S = 2.0  # for a connection, and for a server's next byte: less than the kiosk's patience with a station
_HEADER = struct.Struct(">IIIII")
_RESULT = struct.Struct(">iiiii")
_HEADER_BYTES = 48
_DEVICE_BYTES = 312
_MOST_DEVICES = 255
_AGAIN_S = 3.0  # how long after we gave it back a device may still be refused: the kernel resets it first
_TO_HOST = 0x80


class Transport(Protocol):
    """A way to a server: TCP, or the `usbip` package's loopback in this process."""

    def connect(self) -> socket.socket:
        """Return a connected socket; raises OSError."""
        ...


class Tcp:
    """A server on the network."""

    def __init__(self, host: str, port: int) -> None:
        """Take a name or an address of either kind, and a port."""
        self._address = (host, port)

    def connect(self) -> socket.socket:
        """Connect within `CONNECT_S`."""
        connection = socket.create_connection(self._address, CONNECT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def usb_error(number: int, text: str) -> OSError:
    """Return what pyusb raises for an errno."""
    error: OSError = usb.core.USBError(text, -1, number)
    if number == errno.ETIMEDOUT:
        error = usb.core.USBTimeoutError(text, -7, number)
    return error


def exported(transport: Transport) -> list[dict[str, Any]]:
    """Ask a server what it exports; raises OSError when it is away, slow or talks nonsense."""
    connection = transport.connect()
    deadline = time.monotonic() + 2 * CONNECT_S

    def take(count: int) -> bytes:
        raw = bytearray(count)
        _receive(connection, memoryview(raw), CONNECT_S)
        if time.monotonic() > deadline:
            raise OSError(errno.ETIMEDOUT, "the list takes too long")
        return bytes(raw)

    with contextlib.closing(connection):
        connection.settimeout(CONNECT_S)
        connection.sendall(struct.pack(">HHI", protocol.VERSION, protocol.OP_REQ_DEVLIST, 0))
        _, _, status, count = struct.unpack(">HHII", take(12))
        if status or count > _MOST_DEVICES:
            raise OSError(errno.EPROTO, f"list of {count} devices, status {status}")
        found = []
        for _ in range(count):
            info = protocol.parse_usb_device(take(_DEVICE_BYTES))
            take(4 * info["bNumInterfaces"])
            found.append(info)
        return found


class RemoteDevice:
    """One exported device; opened, it holds its connection."""

    def __init__(self, transport: Transport, info: dict[str, Any]) -> None:
        """Take the server's line about it."""
        self.busid: str = info["busid"]
        self.info = info
        self._transport = transport
        self._socket: socket.socket | None = None
        self._number = 0
        self._abandoned: dict[int, int] = {}  # transfers taken back whose end was not seen yet -> their direction
        self._lock = threading.RLock()
        self._described: tuple[DeviceDescriptor, list[bytes]] | None = None
        self._closed_at = -_AGAIN_S

    def open(self) -> None:
        """Import the device unless it is open; one that was given back just now is asked for again for a moment."""
        with self._lock:
            while self._socket is None:
                try:
                    self._socket = self._import()
                except (OSError, USBError, UnicodeError, struct.error) as error:
                    if time.monotonic() - self._closed_at > _AGAIN_S:
                        raise usb_error(errno.ENODEV, f"import of {self.busid}: {error}") from error
                    time.sleep(0.1)

    def _import(self) -> socket.socket:
        connection = self._transport.connect()
        try:
            connection.settimeout(CONNECT_S)
            protocol.client_import(connection, self.busid.encode())
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Give it back to the server."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
                self._abandoned.clear()
                self._closed_at = time.monotonic()

    def is_open(self) -> bool:
        """Tell whether it is imported by us and its connection stands: a server does not list a device that is in use."""
        connection = self._socket
        if connection is None:
            return False
        try:
            ready = select.poll()
            ready.register(connection, select.POLLIN)
            if not ready.poll(0):
                return True
            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True  # another thread has just read it
        except (OSError, ValueError):
            return False

    def describe(self) -> tuple[DeviceDescriptor, list[bytes]]:
        """Return its device descriptor and those of its configuration, asked for once; it is left open or not, as it was."""
        if self._described is not None:  # without the lock: who lists the bus waits for no transfer
            return self._described
        with self._lock:
            was_open = self._socket is not None
            self.open()
            try:
                device = DeviceDescriptor.parse(self.control(_TO_HOST, 6, 0x0100, 0, 18))
                whole = int.from_bytes(self.control(_TO_HOST, 6, 0x0200, 0, 9)[2:4], "little")
                blob = self.control(_TO_HOST, 6, 0x0200, 0, whole)
                pieces = [bytes(piece) for piece in iter_descriptors(blob)]
            except (struct.error, IndexError, ValueError, USBError) as error:
                raise usb_error(errno.EPROTO, f"descriptors of {self.busid}: {error}") from error
            finally:
                if not was_open:
                    self.close()
            self._described = device, [piece for piece in pieces if len(piece) > 3]  # noqa: PLR2004  as far as we look
            return self._described

    def control(
        self, kind: int, request: int, value: int, index: int, length: int, body: bytes = b"", timeout_ms: int = 1000
    ) -> bytes:
        """Run a control transfer; returns the bytes read."""
        setup = struct.pack("<BBHHH", kind, request, value, index, length)
        into = bytearray(length if kind & _TO_HOST else 0)
        count = self.submit(0, kind & _TO_HOST, body, memoryview(into), timeout_ms, setup)
        return bytes(into[:count])

    def submit(
        self,
        endpoint: int,
        direction: int,
        body: bytes,
        into: memoryview,
        timeout_ms: int,
        setup: bytes = bytes(8),
    ) -> int:
        """Submit one transfer, wait for it and return its count; what it reads lies in `into`. A timeout takes it back."""
        with self._lock:
            if self._socket is None:
                raise usb_error(errno.ENODEV, "not open")
            self._number += 1
            number, towards = self._number, int(bool(direction))
            head = _HEADER.pack(protocol.CMD_SUBMIT, number, self._devid(), towards, endpoint & 0x0F)
            head += struct.pack(">Iiiii", 0, len(into) if towards else len(body), 0, 0, 0) + setup
            self._send(head + body)
            try:
                return self._wait(number, towards, into, timeout_ms / 1000 if timeout_ms else None)
            except TimeoutError:
                return self._take_back(number, towards, into)
            except OSError as error:
                raise self._broken(error) from error

    def _send(self, data: bytes) -> None:
        try:
            self._connection().settimeout(CONNECT_S)
            self._connection().sendall(data)
        except OSError as error:  # a part of it may have gone out
            raise self._broken(error) from error

    def _devid(self) -> int:
        devid: int = self.info["busnum"] << 16 | self.info["devnum"]
        return devid

    def _broken(self, error: OSError) -> OSError:
        """Return what to raise: what is one of pyusb's errors already, else the device is gone with its connection."""
        if not isinstance(error, usb.core.USBError):
            self.close()
            error = usb_error(errno.ENODEV, str(error))
        return error

    def _wait(self, number: int, towards: int, into: memoryview, seconds: float | None) -> int:
        """Wait for the end of a transfer; TimeoutError when it has not come in time."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            command, answered, status, count = self._answer(deadline)
            if answered != number:
                self._skip(command, answered, count)
                continue
            self._fill(towards, into, count)
            if status in {-errno.ECONNRESET, -errno.ENOENT}:
                raise usb_error(errno.ETIMEDOUT, "Operation timed out")
            if status < 0:
                raise usb_error(-status, f"transfer status {status}")
            return count

    def _fill(self, towards: int, into: memoryview, count: int) -> None:
        """Read the data that follow an answer's head."""
        if not towards:
            return
        if not 0 <= count <= len(into):
            raise OSError(errno.EPROTO, f"answer of {count} bytes, asked for {len(into)}")
        _receive(self._connection(), into[:count], CONNECT_S)

    def _take_back(self, number: int, towards: int, into: memoryview) -> int:
        """Unlink a transfer; what it had brought meanwhile still counts."""
        self._number += 1
        unlink = self._number
        head = _HEADER.pack(protocol.CMD_UNLINK, unlink, self._devid(), 0, 0) + struct.pack(">I", number) + bytes(24)
        self._send(head)
        try:
            deadline = time.monotonic() + CONNECT_S
            while True:
                command, answered, status, count = self._answer(deadline)
                if answered == unlink:
                    raise usb_error(errno.ETIMEDOUT, "Operation timed out")
                if answered != number:
                    self._skip(command, answered, count)
                    continue
                self._abandoned[unlink] = 0  # it ended while we took it back; the answer to the unlink comes later
                self._fill(towards, into, count)
                if status < 0:
                    raise usb_error(errno.ETIMEDOUT, "Operation timed out")
                return count
        except OSError as error:
            raise self._broken(error) from error

    def _answer(self, deadline: float | None) -> tuple[int, int, int, int]:
        """Read an answer's head: command, number, status and count of bytes."""
        seconds = CONNECT_S if deadline is None else max(deadline - time.monotonic(), 0.001)
        head = bytearray(_HEADER_BYTES)
        while True:
            try:
                _receive(self._connection(), memoryview(head), seconds)
                break
            except TimeoutError:
                if deadline is not None:
                    raise
        command, answered, _, _, _ = _HEADER.unpack_from(head)
        status, count, *_ = _RESULT.unpack_from(head, _HEADER.size)
        return command, answered, status, 0 if command == protocol.RET_UNLINK else count

    def _skip(self, command: int, answered: int, count: int) -> None:
        """Pass over the late answer to an unlink; any other one is not ours, and what follows it can't be told."""
        if command != protocol.RET_UNLINK or self._abandoned.pop(answered, None) is None:
            raise OSError(errno.EPROTO, f"answer to {answered}, which nobody asked ({count} bytes)")

    def _connection(self) -> socket.socket:
        if self._socket is None:
            raise OSError(errno.ENODEV, "not open")
        return self._socket


def _receive(connection: socket.socket, view: memoryview, seconds: float) -> None:
    """Fill the view; TimeoutError only before the first byte, so that no answer is left half read."""
    got = 0
    while got < len(view):
        connection.settimeout(CONNECT_S if got else seconds)
        try:
            count = connection.recv_into(view[got:])
        except TimeoutError:
            if got:
                raise OSError(errno.EPROTO, "half an answer") from None
            raise
        if count == 0:
            raise OSError(errno.ENODEV, "connection closed")
        got += count

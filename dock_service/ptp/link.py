"""The two bulk pipes of one PTP device and its interrupt pipe, over pyusb.

Knows endpoints, packets and errno; knows no operation. pyusb's errors become `CameraGoneError` (errno 19, 2, 108),
`UsbAccessError`, or one of three signals that only `session` sees: `LinkStallError`, `LinkTimeoutError`, `LinkMemoryError`.
"""

import array
import contextlib
import errno
import struct
from collections.abc import Iterator

import usb.core
import usb.util

from dock_service.errors import CameraGoneError, ProtocolError, UsbAccessError
from dock_service.ptp.codes import ClassRequest, Response

STILL_IMAGE = 0x06
VENDOR = 0xFF
_GONE = {errno.ENODEV, errno.ENOENT, errno.ESHUTDOWN}
_STALLED = {errno.EPIPE, errno.EIO, errno.EPROTO, errno.EILSEQ}
_BUFFERS = 3  # a large read, the rest of a file, and a response
_EVENT_BYTES = 64  # a container with three parameters has 24; more room, so that a padded one does not overflow
_TO_INTERFACE, _FROM_INTERFACE = 0x21, 0xA1  # class requests to an interface


class LinkStallError(Exception):
    """An endpoint is halted (EPIPE) or the transfer failed on the wire (EIO, EPROTO)."""


class LinkTimeoutError(Exception):
    """Nothing came within the time."""


class LinkMemoryError(Exception):
    """The kernel had no memory for a transfer of this size (ENOMEM)."""


class Link:
    """Opens, reads and writes the bulk pipes; one transaction at a time is the caller's duty."""

    def __init__(self, device: usb.core.Device, name: str, timeout_s: float = 10.0) -> None:
        """Take a device that is not opened yet; `name` is how people know it (its port)."""
        self.name = name
        self.packet = 512
        self._device = device
        self._timeout_ms = int(timeout_s * 1000)
        self._interface = 0
        self._in = self._out = self._events = 0
        self._out_packet = 512
        self._buffers: dict[int, array.array[int]] = {}  # by size, the one used last at the end

    def open(self) -> None:
        """Detach the kernel's drivers from every interface, claim the still-image one and find its bulk endpoints."""
        with self._errors():
            configuration = self._configuration()
            for interface in configuration:
                self._detach(interface.bInterfaceNumber)
            interface = find_interface(configuration)
            if interface is None:
                raise ProtocolError(detail="no PTP interface")
            self._interface = interface.bInterfaceNumber
            self._find_pipes(interface)
            usb.util.claim_interface(self._device, self._interface)

    def _find_pipes(self, interface: usb.core.Interface) -> None:
        self._in = self._out = self._events = 0
        for endpoint in interface:
            kind = usb.util.endpoint_type(endpoint.bmAttributes)
            is_in = usb.util.endpoint_direction(endpoint.bEndpointAddress) == usb.util.ENDPOINT_IN
            if kind == usb.util.ENDPOINT_TYPE_INTR and is_in:
                self._events = endpoint.bEndpointAddress
            elif kind == usb.util.ENDPOINT_TYPE_BULK and is_in:
                self._in, self.packet = endpoint.bEndpointAddress, endpoint.wMaxPacketSize or 512
            elif kind == usb.util.ENDPOINT_TYPE_BULK:
                self._out, self._out_packet = endpoint.bEndpointAddress, endpoint.wMaxPacketSize or 512
        if not (self._in and self._out):
            raise ProtocolError(detail="no bulk endpoints")

    def _configuration(self) -> usb.core.Configuration:
        try:
            return self._device.get_active_configuration()
        except usb.core.USBError as error:
            if error.errno in _GONE or error.errno == errno.EACCES:
                raise
            self._device.set_configuration()
            return self._device.get_active_configuration()

    def _detach(self, number: int) -> None:
        # a backend without kernel drivers has nothing to detach
        with contextlib.suppress(NotImplementedError):
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)

    def close(self) -> None:
        """Give the device back; a camera that is gone needs no goodbye."""
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(self._device)
        self._buffers.clear()

    def write(self, data: bytes) -> None:
        """Send one transfer; one that ends on a full packet is ended by an empty one (USB 2.0, 5.8.3)."""
        with self._errors():
            self._device.write(self._out, data, self._timeout_ms)
            if len(data) % self._out_packet == 0:
                self._device.write(self._out, b"", self._timeout_ms)

    def read(self, size: int, timeout_ms: int | None = None) -> memoryview:
        """Receive one transfer of at most `size` bytes, rounded up to whole packets; it may be empty or short.

        A buffer that is no multiple of the packet could overflow, so there is never one. What is returned holds until the
        next read: the buffer is used again.
        """
        buffer = self._buffer(-(-max(size, 1) // self.packet) * self.packet)
        with self._errors():
            count = self._device.read(self._in, buffer, timeout_ms or self._timeout_ms)
        return memoryview(buffer)[:count]

    def _buffer(self, size: int) -> "array.array[int]":
        """Return a buffer of exactly this size, the one used for that size before if it was among the last.

        A fresh one would cost its pages, its zeros and a copy of them at every read, more than the transfer itself on a slow
        machine; pyusb fills a buffer to its end, so that one large one can't serve every size.
        """
        buffer = self._buffers.pop(size, None) or array.array("B", bytes(size))
        if len(self._buffers) >= _BUFFERS:
            self._buffers.pop(next(iter(self._buffers)))
        self._buffers[size] = buffer
        return buffer

    def rest(self) -> None:
        """Give the memory of large reads back until the next one."""
        self._buffers = {size: buffer for size, buffer in self._buffers.items() if size <= self.packet}

    def event(self, timeout_ms: int) -> bytes:
        """Return the next event container, or nothing: none came, there is no such pipe, or it is halted (then cleared)."""
        if not self._events:
            return b""
        try:
            with self._errors():
                return bytes(self._device.read(self._events, _EVENT_BYTES, timeout_ms))
        except (LinkTimeoutError, LinkMemoryError, ProtocolError):
            return b""
        except LinkStallError:
            with contextlib.suppress(LinkStallError, LinkTimeoutError, ProtocolError), self._errors():
                self._device.clear_halt(self._events)
            return b""

    def cancel(self, transaction: int) -> None:
        """Ask the camera to give up a transaction, and wait until it says it is ready (still image class 1.0, 5.2)."""
        with self._errors():
            body = struct.pack("<HI", 0x4001, transaction)
            self._device.ctrl_transfer(_TO_INTERFACE, ClassRequest.CANCEL, 0, self._interface, body, 1000)

    def is_ready(self) -> bool:
        """Ask the camera's status; true when it is ready for a command."""
        with self._errors():
            answer = self._device.ctrl_transfer(_FROM_INTERFACE, ClassRequest.STATUS, 0, self._interface, 32, 1000)
        raw = bytes(answer)
        return len(raw) >= 4 and int.from_bytes(raw[2:4], "little") == Response.OK  # noqa: PLR2004  length, then code

    def clear(self) -> None:
        """Clear a halt on both pipes."""
        for endpoint in (self._in, self._out):
            with self._errors():
                self._device.clear_halt(endpoint)

    def drain(self, limit: int = 64 << 20) -> None:
        """Throw away what the camera still sends; ends at silence, after `limit` bytes, or a thousand empty packets."""
        while limit > 0:
            try:
                limit -= max(len(self.read(1 << 20, timeout_ms=150)), 64 << 10)
            except (LinkTimeoutError, LinkStallError):
                return
            except LinkMemoryError:
                limit -= 1 << 20

    def reset(self) -> None:
        """Reset the device on the bus and claim it again."""
        with self._errors():
            self._device.reset()
            usb.util.dispose_resources(self._device)
        self.open()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except usb.core.USBTimeoutError as error:
            raise LinkTimeoutError from error
        except usb.core.USBError as error:
            if error.errno in _GONE:
                raise CameraGoneError(camera=self.name) from error
            if error.errno in _STALLED:
                raise LinkStallError(str(error)) from error
            if error.errno == errno.ENOMEM:
                raise LinkMemoryError from error
            if error.errno == errno.ETIMEDOUT:
                raise LinkTimeoutError from error
            if error.errno in {errno.EACCES, errno.EPERM, errno.EBUSY}:
                raise UsbAccessError(port=self.name, detail=error.strerror) from error
            raise ProtocolError(detail=f"USB: {error}") from error


def find_interface(configuration: usb.core.Configuration) -> usb.core.Interface | None:
    """Return the PTP/MTP interface: of still image class, or a vendor's one whose own string is "MTP" (older Android)."""
    for interface in configuration:
        if interface.bInterfaceClass == STILL_IMAGE:
            return interface
    for interface in configuration:
        if interface.bInterfaceClass == VENDOR and interface.iInterface and _text(interface) == "MTP":
            return interface
    return None


def _text(interface: usb.core.Interface) -> str | None:
    # pyusb raises ValueError for a string of a device that is gone or tells no language
    with contextlib.suppress(ValueError, usb.core.USBError):
        text: str | None = usb.util.get_string(interface.device, interface.iInterface)
        return text
    return None

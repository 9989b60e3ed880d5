"""SCSI commands over a mass-storage interface, for what the kernel's driver does not send: a vendor's mode switch.

USB Mass Storage Class, Bulk-Only Transport 1.0: command and status wrappers (5.1, 5.2), a halted data phase (6.7), reset
recovery (5.3.4). The kernel's driver is taken off while this holds the interface and put back afterwards.
"""

import array
import contextlib
import errno
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import usb.core
import usb.util

from dock_service.errors import CameraGoneError, CameraRefusedError, CameraStalledError, ProtocolError, UsbAccessError

MASS_STORAGE, VENDOR = 0x08, 0xFF
BULK_ONLY = 0x50
MOST = 64 << 10  # bytes of one data phase; a mode switch needs a few
_CBW, _CSW = struct.Struct("<IIIBBB16s"), struct.Struct("<IIIB")
_CBW_SIGNATURE, _CSW_SIGNATURE = 0x43425355, 0x53425355
_DATA_IN = 0x80
_RESET = 0xFF
_PASSED, _FAILED = 0, 1
GONE = {errno.ENODEV, errno.ENOENT, errno.ESHUTDOWN}
REFUSED = {errno.EACCES, errno.EPERM, errno.EBUSY}


class BulkOnly:
    """Holds the interface while it is open, as a context manager; one command at a time."""

    def __init__(self, device: usb.core.Device, port: str, timeout_s: float = 5.0) -> None:
        """Take a device that is not open; `port` is how people know it."""
        self._device = device
        self._port = port
        self._timeout_ms = int(timeout_s * 1000)
        self._interface = self._in = self._out = -1
        self._detached = False
        self._tag = 0

    def __enter__(self) -> Self:
        """Claim the interface; raises CameraGoneError, UsbAccessError, ProtocolError."""
        try:
            with self._errors():
                self._claim()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the interface back."""
        self.close()

    def _claim(self) -> None:
        interface = self._find()
        self._interface = interface.bInterfaceNumber
        for endpoint in interface:
            if usb.util.endpoint_type(endpoint.bmAttributes) != usb.util.ENDPOINT_TYPE_BULK:
                continue
            if usb.util.endpoint_direction(endpoint.bEndpointAddress) == usb.util.ENDPOINT_IN:
                self._in = endpoint.bEndpointAddress
            else:
                self._out = endpoint.bEndpointAddress
        if self._in < 0 or self._out < 0:
            raise ProtocolError(detail="no bulk endpoints")
        with contextlib.suppress(NotImplementedError):  # a bus without kernel drivers
            if self._device.is_kernel_driver_active(self._interface):
                self._device.detach_kernel_driver(self._interface)
                self._detached = True
        usb.util.claim_interface(self._device, self._interface)

    def _find(self) -> usb.core.Interface:
        try:
            configuration = self._device.get_active_configuration()
        except usb.core.USBError as error:
            if error.errno in GONE | REFUSED:
                raise
            self._device.set_configuration()
            configuration = self._device.get_active_configuration()
        interfaces = list(configuration)
        for wanted in (MASS_STORAGE, VENDOR):
            for interface in interfaces:
                if interface.bInterfaceClass == wanted and interface.bInterfaceProtocol == BULK_ONLY:
                    return interface
        raise ProtocolError(detail="no bulk-only interface")

    def close(self) -> None:
        """Release the interface and give it back to the kernel; a camera that is gone needs no goodbye."""
        with contextlib.suppress(usb.core.USBError, NotImplementedError):
            usb.util.release_interface(self._device, self._interface)
            if self._detached:
                self._device.attach_kernel_driver(self._interface)
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(self._device)
        self._detached = False

    def ask(self, command: bytes, length: int, unit: int = 0) -> bytes:
        """Run a command that returns up to `length` bytes; CameraRefusedError when it fails."""
        return self._run(command, unit, min(length, MOST), None)

    def tell(self, command: bytes, data: bytes = b"", unit: int = 0) -> None:
        """Run a command that takes `data`, or none; CameraRefusedError when it fails."""
        self._run(command, unit, len(data), data)

    def _run(self, command: bytes, unit: int, length: int, data: bytes | None) -> bytes:
        self._tag = self._tag % 0xFFFFFFFF + 1
        flags = _DATA_IN if data is None and length else 0
        wrapper = _CBW.pack(_CBW_SIGNATURE, self._tag, length, flags, unit, len(command), command)
        with self._errors():
            self._write(wrapper)
            answer = self._data(length, data)
            status, residue = self._status()
        if status == _FAILED:
            raise CameraRefusedError(operation=f"SCSI 0x{command[0]:02X}", response=status)
        return answer[: max(length - residue, 0)] if flags else b""

    def _data(self, length: int, data: bytes | None) -> bytes:
        """Move the data phase; a device that halts it has said all it will, and its status follows."""
        if not length:
            return b""
        try:
            if data is None:
                return self._read(length)
            self._write(data)
        except usb.core.USBError as error:
            if error.errno != errno.EPIPE:
                raise
            self._device.clear_halt(self._in if data is None else self._out)
        return b""

    def _status(self) -> tuple[int, int]:
        """Read the command status wrapper, once more after a halt; anything but a good one ends in a reset recovery."""
        try:
            raw = self._read(_CSW.size)
        except usb.core.USBError as error:
            if error.errno != errno.EPIPE:
                raise
            self._device.clear_halt(self._in)
            raw = self._read(_CSW.size)
        if len(raw) == _CSW.size:
            signature, tag, residue, status = _CSW.unpack(raw)
            if (signature, tag) == (_CSW_SIGNATURE, self._tag) and status in {_PASSED, _FAILED}:
                return status, residue
        self._recover()
        raise ProtocolError(detail=f"bad command status: {raw.hex()}")

    def _recover(self) -> None:
        """Reset recovery (5.3.4): class reset, then clear both halts."""
        with contextlib.suppress(usb.core.USBError):
            self._device.ctrl_transfer(0x21, _RESET, 0, self._interface, None, self._timeout_ms)
            self._device.clear_halt(self._in)
            self._device.clear_halt(self._out)

    def _write(self, data: bytes) -> None:
        self._device.write(self._out, data, self._timeout_ms)

    def _read(self, length: int) -> bytes:
        buffer = array.array("B", bytes(-(-length // 512) * 512))  # whole packets: a shorter buffer could overflow
        count = self._device.read(self._in, buffer, self._timeout_ms)
        return buffer[:count].tobytes()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except usb.core.USBError as error:
            if error.errno in GONE:
                raise CameraGoneError(camera=self._port) from error
            if error.errno in REFUSED:
                raise UsbAccessError(port=self._port, detail=error.strerror) from error
            self._recover()
            raise CameraStalledError(camera=self._port, detail=str(error)) from error

"""A pyusb backend whose devices are the folders of a simulated bus.

It behaves as libusb does: a read ends on a short packet, a buffer that is no multiple of the packet overflows, a timeout with
bytes received returns them, a pulled device is ENODEV for ever and comes back with a new address. `get_*_descriptor` raise
IndexError to end pyusb's iteration. One lock per device; safe for several threads and, since all state is in the folder,
several processes.
"""

import array
import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import structlog
import usb.backend
import usb.core

from dock_service.errors import BadCameraFileError
from dock_service.ptp.codes import ClassRequest, Response
from dock_service.simulator.profile import Profile, VirtualCamera, cameras
from dock_service.simulator.responder import PACKET, HaltError, Responder
from dock_service.simulator.transfers import FromFile, Transfer

log = structlog.get_logger()

BUS = 1
IN, OUT, EVENTS = 0x81, 0x02, 0x83
_GET_DESCRIPTOR, _STRING, _LANGUAGE = 0x06, 0x03, 0x0409
_TYPE_MASK, _TO_HOST = 0x60, 0x80


def _error(number: int, text: str) -> usb.core.USBError:
    if number == errno.ETIMEDOUT:
        return usb.core.USBTimeoutError(text, -7, number)
    return usb.core.USBError(text, -1, number)


class SimDevice:
    """One plugging-in of a virtual camera: from the plug to the pull."""

    def __init__(self, camera: VirtualCamera, profile: Profile, address: int) -> None:
        """Start plugged in, with a responder that has no session."""
        self.camera = camera
        self.profile = profile
        self.address = address
        self.responder = Responder(camera, profile)
        self._lock = threading.RLock()
        self._gone = False
        self._halted = False
        self._hung = False
        self._at = 0  # bytes read of the transfer at the head of the queue
        self._served = 0

    def is_there(self) -> bool:
        """Tell whether it is still the device that was plugged in."""
        self._gone = self._gone or not self.camera.is_plugged()
        return not self._gone

    def pulled(self) -> None:
        """Be gone for good; a camera plugged in again is another device."""
        self._gone = True

    def present(self) -> None:
        """Raise ENODEV when it was pulled out."""
        if not self.is_there():
            raise _error(errno.ENODEV, "No such device (it may have been disconnected)")

    def write(self, data: bytes) -> int:
        """Take a command, or the data it announced."""
        with self._lock:
            self.present()
            if self._halted:
                raise _error(errno.EPIPE, "Pipe error")
            try:
                self.responder.take(data)
            except HaltError:
                self._halt()
            return len(data)

    def event(self, timeout_ms: int) -> bytes:
        """Return the event that is due, or time out."""
        with self._lock:
            self.present()
            event = b"" if self._hung else self.responder.event()
        if not event:
            self._wait(timeout_ms / 1000)
            raise _error(errno.ETIMEDOUT, "Operation timed out")
        return event

    def _halt(self) -> None:
        self._halted = True
        raise _error(errno.EPIPE, "Pipe error")

    def read(self, buffer: memoryview, timeout_ms: int) -> int:
        """Fill the buffer as one bulk transfer would."""
        with self._lock:
            self.present()
            limit = self.profile.faults.no_memory_above
            if limit is not None and len(buffer) > limit:
                raise _error(errno.ENOMEM, "Insufficient memory")
            if self._halted:
                raise _error(errno.EPIPE, "Pipe error")
            if self._hung or not self.responder.queue:
                self._wait(timeout_ms / 1000)
                raise _error(errno.ETIMEDOUT, "Operation timed out")
            deadline = time.monotonic() + timeout_ms / 1000
            return self._fill(buffer, deadline)

    def _fill(self, buffer: memoryview, deadline: float) -> int:
        got = 0
        while got < len(buffer) and self.responder.queue:
            transfer = self.responder.queue[0]
            room, left = len(buffer) - got, transfer.length - self._at
            if left > room and len(buffer) % PACKET:
                raise _error(errno.EOVERFLOW, "Overflow")
            wanted = min(left, room)
            count = self._throttle(self._until_fault(transfer, wanted), deadline)
            if count:
                transfer.read_into(self._at, buffer[got : got + count])
            self._at, got = self._at + count, got + count
            if isinstance(transfer, FromFile):
                self._served += count
            if count < wanted:
                return self._stopped(got, deadline)
            if count < left:
                return got
            ends_full = transfer.length % PACKET == 0
            if ends_full and self.profile.zero_length_packets and got == len(buffer):
                return got  # the empty packet that ends the transfer is the next read
            self._next()
            if not ends_full or self.profile.zero_length_packets:
                return got
        return got

    def _next(self) -> None:
        self.responder.queue.popleft()
        self._at = 0

    def _stopped(self, got: int, deadline: float) -> int:
        """Act out the fault, or the timeout, that ended a transfer early."""
        fault = self._due_fault()
        if fault == "unplug":
            self.camera.happens(fault)
            self.camera.unplug(self.profile.faults.replug_after_s)
            self._gone = True
            self.present()
        if fault == "stall":
            self.camera.happens(fault)
            self._halt()
        if fault == "hang":
            self.camera.happens(fault)
            self._hung = True
        if not got:
            self._wait(max(deadline - time.monotonic(), 0))
            raise _error(errno.ETIMEDOUT, "Operation timed out")
        return got

    def _pending_faults(self) -> Iterator[tuple[str, int]]:
        faults = self.profile.faults
        pairs = (
            ("unplug", faults.unplug_after_bytes),
            ("stall", faults.stall_after_bytes),
            ("hang", faults.hang_after_bytes),
        )
        for name, after in pairs:
            if after is not None and not self.camera.happened(name):
                yield name, after

    def _until_fault(self, transfer: Transfer, count: int) -> int:
        if not isinstance(transfer, FromFile):
            return count
        for _, after in self._pending_faults():
            left = max(after - self._served, 0)
            if left < count:
                count = left // PACKET * PACKET
        return count

    def _due_fault(self) -> str | None:
        return next((name for name, after in self._pending_faults() if after - self._served < PACKET), None)

    def _throttle(self, count: int, deadline: float) -> int:
        """Sleep as long as `count` bytes take at the camera's rate, or give what fits before the deadline."""
        rate = self.profile.rate
        if rate is None or count == 0:
            return count
        room = max(deadline - time.monotonic(), 0)
        if count / rate > room:
            count = int(rate * room) // PACKET * PACKET
        self._wait(count / rate)
        return count

    def _wait(self, seconds: float) -> None:
        """Sleep, but notice a pulled plug within 50 ms."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.present()

    def clear_halt(self) -> None:
        """Take a halt away; what was queued is dropped with it."""
        with self._lock:
            self.present()
            if self._halted:
                self._drop()
            self._halted = False

    def _drop(self) -> None:
        self.responder.queue.clear()
        self._at = 0

    def reset(self) -> None:
        """Reset on the bus."""
        with self._lock:
            self.present()
            self._halted = self._hung = False
            self._drop()
            self.responder.reset()

    def control(self, kind: int, request: int, value: int, data: "array.array[int]") -> int:
        """Answer a control transfer: string descriptors and the still image class's requests."""
        with self._lock:
            self.present()
            if kind & _TYPE_MASK == 0 and request == _GET_DESCRIPTOR and value >> 8 == _STRING:
                return _answer(data, self._string(value & 0xFF))
            if request == ClassRequest.CANCEL:
                self._hung = False
                self._drop()
                self.responder.cancelled()
                return len(data)
            if request == ClassRequest.RESET:
                self.reset()
                return 0
            if request == ClassRequest.STATUS and kind & _TO_HOST:
                return _answer(data, b"\x04\x00" + int(Response.OK).to_bytes(2, "little"))
            raise _error(errno.EPIPE, "Pipe error")

    def _string(self, index: int) -> bytes:
        texts = {1: self.profile.make, 2: self.profile.model, 3: self.profile.serial, 4: "MTP"}
        body = _LANGUAGE.to_bytes(2, "little") if index == 0 else texts.get(index, "").encode("utf-16-le")[:252]
        return bytes([len(body) + 2, _STRING]) + body


def _answer(data: "array.array[int]", body: bytes) -> int:
    count = min(len(body), len(data))
    memoryview(data).cast("B")[:count] = body[:count]
    return count


class SimBackend(usb.backend.IBackend):  # type: ignore[misc]  # pyusb is not typed
    """The bus: enumerates the folders that are plugged in and passes transfers to their devices."""

    def __init__(self, bus: Path) -> None:
        """Take the bus folder; it may be empty or not there yet."""
        super().__init__()
        self._bus = bus
        self._lock = threading.Lock()
        self._devices: dict[Path, SimDevice] = {}
        self._address = 0

    def enumerate_devices(self) -> Iterator[SimDevice]:
        """Give the devices that are plugged in now; one that was pulled meanwhile comes back as a new one."""
        with self._lock:
            present: dict[Path, SimDevice] = {}
            for camera in cameras(self._bus):
                device = self._devices.get(camera.folder)
                if not camera.is_plugged():
                    continue
                if device is None or not device.is_there():
                    device = self._arrive(camera)
                if device is not None:
                    present[camera.folder] = device
            for folder, device in self._devices.items():
                if present.get(folder) is not device:
                    device.pulled()
            self._devices = present
            return iter(list(present.values()))

    def _arrive(self, camera: VirtualCamera) -> SimDevice | None:
        try:
            profile = camera.profile()
        except BadCameraFileError as error:
            log.warning("sim.bad_camera_file", error=str(error))
            return None
        self._address = self._address % 127 + 1
        if profile.faults.replug_port and camera.happened("unplug"):
            profile = profile.model_copy(update={"port": profile.faults.replug_port})
        return SimDevice(camera, profile, self._address)

    def device(self, folder: Path) -> SimDevice | None:
        """Return the device of a camera's folder while it is plugged in (tests look at what was asked of it)."""
        return self._devices.get(folder)

    def get_parent(self, dev: SimDevice) -> None:
        """Give no hub."""

    def get_device_descriptor(self, dev: SimDevice) -> SimpleNamespace:
        """Describe a high-speed device with a serial number."""
        profile = dev.profile
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x0200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=profile.vendor_id, idProduct=profile.product_id, bcdDevice=0x0100,
            iManufacturer=1, iProduct=2, iSerialNumber=3, bNumConfigurations=1,
            bus=BUS, address=dev.address, port_number=profile.port, port_numbers=(profile.port,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: SimDevice, config: int) -> SimpleNamespace:
        """Describe the only configuration."""
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=39, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0x80, bMaxPower=250, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: SimDevice, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Describe the still image interface."""
        if intf or alt or config:
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2 + dev.profile.events,
            bInterfaceClass=6,
            bInterfaceSubClass=1, bInterfaceProtocol=1, iInterface=4, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: SimDevice, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        """Describe the two bulk pipes and the interrupt pipe."""
        address, kind, size = ((IN, 2, PACKET), (OUT, 2, PACKET), (EVENTS, 3, 28))[ep]
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=address, bmAttributes=kind, wMaxPacketSize=size,
            bInterval=6 if kind == 3 else 0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],  # noqa: PLR2004  interrupt
        )  # fmt: skip

    def open_device(self, dev: SimDevice) -> SimDevice:
        """Open it; the device is its own handle."""
        dev.present()
        return dev

    def close_device(self, dev_handle: SimDevice) -> None:
        """Do nothing."""

    def set_configuration(self, dev_handle: SimDevice, config_value: int) -> None:
        """Accept the only configuration."""
        dev_handle.present()

    def get_configuration(self, dev_handle: SimDevice) -> int:
        """Return the only configuration."""
        dev_handle.present()
        return 1

    def set_interface_altsetting(self, dev_handle: SimDevice, intf: int, altsetting: int) -> None:
        """Accept the only setting."""

    def claim_interface(self, dev_handle: SimDevice, intf: int) -> None:
        """Let the interface be claimed."""
        dev_handle.present()

    def release_interface(self, dev_handle: SimDevice, intf: int) -> None:
        """Let it go."""

    def is_kernel_driver_active(self, dev_handle: SimDevice, intf: int) -> bool:
        """Say that no kernel driver is in the way."""
        dev_handle.present()
        return False

    def bulk_write(self, dev_handle: SimDevice, ep: int, intf: int, data: Any, timeout: int) -> int:
        """Send a command to the camera."""
        return dev_handle.write(bytes(data))

    def bulk_read(self, dev_handle: SimDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Receive from the camera."""
        return dev_handle.read(memoryview(buff).cast("B"), timeout)

    def intr_read(self, dev_handle: SimDevice, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """Wait for an event."""
        return _answer(buff, dev_handle.event(timeout))

    def ctrl_transfer(
        self,
        dev_handle: SimDevice,
        bmRequestType: int,
        bRequest: int,
        wValue: int,
        wIndex: int,
        data: Any,
        timeout: int,
    ) -> int:
        """Pass a control transfer on."""
        return dev_handle.control(bmRequestType, bRequest, wValue, data)

    def clear_halt(self, dev_handle: SimDevice, ep: int) -> None:
        """Clear a halt."""
        dev_handle.clear_halt()

    def reset_device(self, dev_handle: SimDevice) -> None:
        """Reset the device."""
        dev_handle.reset()

"""One simulated camera while it is plugged in: its pipes and its card, its rate, its faults, and the pull.

Knows USB (packets, timeouts, halts) and leaves what is said over it to a responder.
"""

import array
import errno
import threading
import time
from collections.abc import Iterator

import usb.core

from dock_service.ptp.codes import ClassRequest, Response
from dock_service.simulator.drive import DriveResponder
from dock_service.simulator.profile import Profile, VirtualCamera
from dock_service.simulator.responder import PACKET, HaltError, Responder
from dock_service.simulator.transfers import FromFile, Transfer

_GET_DESCRIPTOR, _STRING, _LANGUAGE = 0x06, 0x03, 0x0409
_TYPE_MASK, _TO_HOST = 0x60, 0x80


def usb_error(number: int, text: str) -> usb.core.USBError:
    """Make the error that libusb's backend raises."""
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
        self.responder = Responder(camera, profile)  # what a camera of files answers; `drive` is None then
        self.drive = DriveResponder(camera, profile) if profile.kind == "mass-storage" else None
        self._changed_over = camera.has_changed_over()
        self._lock = threading.RLock()
        self._gone = False
        self._halted = False
        self._hung = False
        self._at = 0  # bytes read of the transfer at the head of the queue
        self._served = 0

    @property
    def _answering(self) -> Responder | DriveResponder:
        return self.drive or self.responder

    def is_there(self) -> bool:
        """Tell whether it is still the device that was plugged in."""
        if self.camera.has_changed_over() != self._changed_over or not self.camera.is_plugged():
            self._gone = True  # never back to False: another thread may have learned of the pull meanwhile
        return not self._gone

    def pulled(self) -> None:
        """Be gone for good; a camera plugged in again is another device."""
        self._gone = True

    def present(self) -> None:
        """Raise ENODEV when it was pulled out."""
        if not self.is_there():
            raise usb_error(errno.ENODEV, "No such device (it may have been disconnected)")

    def write(self, data: bytes) -> int:
        """Take a command, or the data it announced."""
        with self._lock:
            self.present()
            if self._halted:
                raise usb_error(errno.EPIPE, "Pipe error")
            try:
                self._answering.take(data)
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
            raise usb_error(errno.ETIMEDOUT, "Operation timed out")
        return event

    def _halt(self) -> None:
        self._halted = True
        raise usb_error(errno.EPIPE, "Pipe error")

    def read(self, buffer: memoryview, timeout_ms: int) -> int:
        """Fill the buffer as one bulk transfer would."""
        with self._lock:
            self.present()
            limit = self.profile.faults.no_memory_above
            if limit is not None and len(buffer) > limit:
                raise usb_error(errno.ENOMEM, "Insufficient memory")
            if self._halted:
                raise usb_error(errno.EPIPE, "Pipe error")
            if self._hung or not self._answering.queue:
                self._wait(timeout_ms / 1000)
                raise usb_error(errno.ETIMEDOUT, "Operation timed out")
            deadline = time.monotonic() + timeout_ms / 1000
            return self._fill(buffer, deadline)

    def _fill(self, buffer: memoryview, deadline: float) -> int:
        got = 0
        while got < len(buffer) and self._answering.queue:
            transfer = self._answering.queue[0]
            room, left = len(buffer) - got, transfer.length - self._at
            if left > room and len(buffer) % PACKET:
                raise usb_error(errno.EOVERFLOW, "Overflow")
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

    def serve(self, count: int) -> int:
        """Tell how many of `count` bytes of its card come now, at its rate; OSError (EIO) once it is pulled."""
        with self._lock:
            due = next((after for name, after in self._pending_faults() if name == "unplug"), None)
            left = count if due is None else min(count, max(due - self._served, 0))
            if due is not None and not left:
                self.camera.happens("unplug")
                self.camera.unplug(self.profile.faults.replug_after_s)
            if not self.is_there():
                raise OSError(errno.EIO, "Input/output error")
            if self.profile.rate:
                self._wait(left / self.profile.rate)
            self._served += left
            return left

    def _next(self) -> None:
        self._answering.queue.popleft()
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
            raise usb_error(errno.ETIMEDOUT, "Operation timed out")
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
        self._answering.queue.clear()
        self._at = 0

    def reset(self) -> None:
        """Reset on the bus."""
        with self._lock:
            self.present()
            self._halted = self._hung = False
            self._drop()
            self._answering.reset()

    def control(self, kind: int, request: int, value: int, data: "array.array[int]") -> int:
        """Answer a control transfer: string descriptors and the still image class's requests."""
        with self._lock:
            self.present()
            if kind & _TYPE_MASK == 0 and request == _GET_DESCRIPTOR and value >> 8 == _STRING:
                return fill_answer(data, self._string(value & 0xFF))
            if self.drive is not None and kind & _TYPE_MASK:
                try:
                    return fill_answer(data, self.drive.control(kind, request))
                except HaltError:
                    raise usb_error(errno.EPIPE, "Pipe error") from None
            if request == ClassRequest.CANCEL:
                self._hung = False
                self._drop()
                self._answering.cancelled()
                return len(data)
            if request == ClassRequest.RESET:
                self.reset()
                return 0
            if request == ClassRequest.STATUS and kind & _TO_HOST:
                return fill_answer(data, b"\x04\x00" + int(Response.OK).to_bytes(2, "little"))
            raise usb_error(errno.EPIPE, "Pipe error")

    def _string(self, index: int) -> bytes:
        texts = {1: self.profile.make, 2: self.profile.model, 3: self.profile.serial, 4: "MTP"}
        body = _LANGUAGE.to_bytes(2, "little") if index == 0 else texts.get(index, "").encode("utf-16-le")[:252]
        return bytes([len(body) + 2, _STRING]) + body


def fill_answer(data: "array.array[int]", body: bytes) -> int:
    """Copy an answer into the host's buffer, as much as fits; returns how much."""
    count = min(len(body), len(data))
    memoryview(data).cast("B")[:count] = body[:count]
    return count

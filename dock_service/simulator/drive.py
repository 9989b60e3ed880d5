"""A simulated camera's bulk-only mass-storage end: enough SCSI to be asked who it is, and the DV16's commands.

The blocks of its card are not served: in a simulation the card's folder stands for the mounted drive. One that changes over
(`switch`) has no medium until it is told to.
"""

import struct
from collections import deque
from datetime import datetime

from bodycam import clock
from dock_service.simulator.profile import Profile, VirtualCamera
from dock_service.simulator.responder import HaltError
from dock_service.simulator.transfers import Packed, Transfer

_CBW, _CSW = struct.Struct("<4sIIBBB16s"), struct.Struct("<4sIIB")
_INQUIRY, _TEST_UNIT_READY = 0x12, 0x00
_READ, _WRITE = b"\xfd\x81", b"\xfb\x82"
_GET_MAX_LUN = 0xFE
_VENDOR = 0x40
_MASK = 0x60


class DriveResponder:
    """Takes command wrappers and queues data and status."""

    def __init__(self, camera: VirtualCamera, profile: Profile) -> None:
        """Start with nothing queued."""
        self.queue: deque[Transfer] = deque()
        self.commands: list[bytes] = []
        self.clock_set: datetime | None = None
        self._camera = camera
        self._profile = profile
        self._awaited: tuple[int, int, bytes] | None = None  # tag, length and command whose data is still to come

    def reset(self) -> None:
        """Forget what is queued or awaited."""
        self.queue.clear()
        self._awaited = None

    cancelled = reset

    def event(self) -> bytes:
        """Have none to tell."""
        return b""

    def control(self, kind: int, request: int) -> bytes:
        """Answer a class or vendor request; one that changes over by any vendor's request does so."""
        if kind & _MASK == _VENDOR:
            if self._profile.switch != "control":
                raise HaltError
            self._camera.change_over()
            return b""
        if request == _GET_MAX_LUN:
            return bytes([int(self._camera.second_card.is_dir())])
        self.reset()
        return b""

    def take(self, data: bytes) -> None:
        """Take a command wrapper, or the data that one announced."""
        if self._awaited is not None:
            (tag, length, command), self._awaited = self._awaited, None
            self._end(tag, length - len(data), is_good=self._told(command, data))
            return
        if self.queue or len(data) != _CBW.size:
            raise HaltError
        signature, tag, length, flags, _, size, raw = _CBW.unpack(data)
        if signature != b"USBC":
            raise HaltError
        command = raw[:size]
        self.commands.append(command)
        if length and not flags & 0x80:
            self._awaited = (tag, length, command)
            return
        answer = self._asked(command) if flags & 0x80 else None
        if answer is not None:
            sent = answer[:length]
            self.queue.append(Packed(sent))
            self._end(tag, length - len(sent), is_good=True)
        elif length:
            self.queue.append(Packed(b""))
            self._end(tag, length, is_good=False)
        else:
            self._end(tag, 0, is_good=self._told(command, b""))

    def _end(self, tag: int, residue: int, *, is_good: bool) -> None:
        self.queue.append(Packed(_CSW.pack(b"USBS", tag, residue, int(not is_good))))

    def _asked(self, command: bytes) -> bytes | None:
        """Return the data of a reading command, None when it is refused."""
        if command[0] == _INQUIRY:
            name = b"DV16    DEVICE V1.00    " if self._profile.switch == "dv16" else b"SIM     CARD            "
            return bytes([0, 0x80, 4, 2, 31, 0, 0, 0]) + name + b"1.00"
        if self._profile.switch != "dv16" or command[:2] != _READ:
            return None
        answers = {
            2: b"JL0016",
            3: self._record(),
            8: self._profile.battery.to_bytes(4, "little", signed=True),
            12: bytes([self._camera.card.is_dir(), 0, 0, 0]),
            14: bytes(4),
        }
        return answers.get(command[5])

    def _record(self) -> bytes:
        texts = (self._profile.serial, self._profile.officer_number, self._profile.officer, "PC08", "Đội 1")
        sizes = (8, 7, 33, 13, 33)
        pieces = zip((text.encode("gbk", "replace") for text in texts), sizes, strict=True)
        return b"".join(piece[: size - 1].ljust(size, b"\0") for piece, size in pieces)

    def _told(self, command: bytes, data: bytes) -> bool:
        """Obey a command without data, or one that came with it; false when it is refused."""
        if command[0] == _TEST_UNIT_READY:
            return not self._profile.switch or self._camera.has_changed_over()
        if self._profile.switch != "dv16" or command[:2] != _WRITE:
            return False
        if command[5] == 5:  # noqa: PLR2004  its clock
            year, month, day, hour, minute, second = struct.unpack("<HBBBBBx", data)
            self.clock_set = datetime(year, month, day, hour, minute, second, tzinfo=clock.VIETNAM)
        elif command[5] == 6:  # noqa: PLR2004  be a drive
            self._camera.change_over()
        return command[5] in {1, 5, 6}

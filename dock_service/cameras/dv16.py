"""JieLi DV16 body cameras: what they say, and are told, by vendor SCSI commands before they become a drive.

A command is 16 bytes: [0] 0xFD to read or 0xFB to write, [1] 0x81 or 0x82, [5] the command, [6:8] the length, big-endian. After
a read, command 14 says whether it went well (0). Layouts are packed; the info record is 94 bytes on cameras whose fields end
in NUL and 89 on others. Their clock can be set but not read. Not tried on a real camera.
"""

import struct
from datetime import datetime, tzinfo
from enum import IntEnum

from bodycam import clock
from dock_service.cameras.bulk_only import BulkOnly
from dock_service.cameras.switching import Before
from dock_service.errors import CameraGoneError, CameraRefusedError, CameraStalledError, ProtocolError
from dock_service.profiles.identity import RECORD_BYTES, IdentityRecord, read_record

NAME = b"DV16 DEVICE V1.00"
READ, WRITE = (0xFD, 0x81), (0xFB, 0x82)
_SHORT = (7, 6, 32, 12, 32)  # the 89-byte record's fields; the long one has a NUL after each
_INQUIRY = bytes([0x12, 0, 0, 0, 36, 0])
_TIME = struct.Struct("<HBBBBBx")  # year, month, day, hour, minute, second; a C compiler pads it to 8


class Command(IntEnum):
    """The fifth byte."""

    INIT = 1
    ID_CODE = 2
    GET_INFO = 3
    SYNC_TIME = 5
    SWITCH = 6
    BATTERY = 8
    CARD_STATUS = 12
    RESULT = 14


def is_dv16(drive: BulkOnly) -> bool:
    """Tell by INQUIRY whether it is one; spaces count for nothing, as with the vendor's own program."""
    try:
        said = drive.ask(_INQUIRY, 36)[8:]
    except (CameraRefusedError, CameraStalledError, ProtocolError):
        return False
    return said.replace(b" ", b"").startswith(NAME.replace(b" ", b""))


class Dv16:
    """One camera, its interface held by the caller."""

    def __init__(self, drive: BulkOnly, zone: tzinfo = clock.VIETNAM) -> None:
        """Take a camera and the zone its clock keeps."""
        self._drive = drive
        self._zone = zone

    def begin(self) -> None:
        """Open the conversation."""
        self._drive.tell(_command(WRITE, Command.INIT))

    def id_code(self) -> str:
        """Return the maker's and model's code, six letters; "" when it does not say."""
        return _ascii(self._ask(Command.ID_CODE, 6) or b"")

    def info(self) -> IdentityRecord | None:
        """Return who it is and whose, in UTF-8 or GBK; None when it names no serial."""
        raw = self._ask(Command.GET_INFO, RECORD_BYTES)
        return read_info(raw) if raw is not None else None

    def battery(self) -> int | None:
        """Return its battery in percent; None when it does not say or says nonsense."""
        raw = self._ask(Command.BATTERY, 4)
        percent = int.from_bytes(raw[:4], "little", signed=True) if raw is not None and len(raw) >= 4 else -1  # noqa: PLR2004
        return percent if 0 <= percent <= 100 else None  # noqa: PLR2004

    def has_card(self) -> bool:
        """Tell whether a card is in it; true when it does not say."""
        raw = self._ask(Command.CARD_STATUS, 4)
        return raw is None or raw[:1] != b"\0"

    def set_clock(self, to: datetime) -> bool:
        """Set its clock to an aware time; false when it refuses."""
        local = to.astimezone(self._zone)
        data = _TIME.pack(local.year, local.month, local.day, local.hour, local.minute, local.second)
        try:
            self._drive.tell(_command(WRITE, Command.SYNC_TIME, len(data)), data)
        except CameraRefusedError:
            return False
        return self._went_well()

    def switch(self) -> None:
        """Make it a drive; it may leave the bus before it has answered."""
        try:
            self._drive.tell(_command(WRITE, Command.SWITCH))
        except (CameraGoneError, CameraStalledError, ProtocolError):
            return

    def before(self, to: datetime | None) -> Before:
        """Ask everything there is to know, and set its clock when `to` says so."""
        self.begin()
        info, code = self.info(), self.id_code()
        return Before(
            serial=info.serial if info is not None else "",
            make="JieLi",
            model=code or "DV16",
            battery=self.battery(),
            clock_set=to is not None and self.set_clock(to),
            officer=info.officer if info is not None else "",
        )

    def _ask(self, command: Command, length: int) -> bytes | None:
        try:
            raw = self._drive.ask(_command(READ, command, length), length)
        except CameraRefusedError:
            return None
        return raw if self._went_well() else None

    def _went_well(self) -> bool:
        try:
            return not any(self._drive.ask(_command(READ, Command.RESULT, 4), 4)[:1])
        except CameraRefusedError:
            return True  # it knows no such question


def read_info(raw: bytes) -> IdentityRecord | None:
    """Read the info record in either of its lengths; None when it names no serial or is too short."""
    at, fields = 0, b""
    if len(raw) >= RECORD_BYTES and _ends_in_nul(raw):
        return read_record(raw)
    for size in _SHORT:
        fields += raw[at : at + size].split(b"\0", 1)[0].ljust(size + 1, b"\0")
        at += size
    return read_record(fields) if len(raw) >= at else None


def _ends_in_nul(raw: bytes) -> bool:
    """Tell whether every field of the long record ends in NUL, as it does wherever it is the long one."""
    at = 0
    for size in _SHORT:
        at += size + 1
        if raw[at - 1]:
            return False
    return True


def _command(way: tuple[int, int], command: Command, length: int = 0) -> bytes:
    return bytes([*way, 0, 0, 0, command, length >> 8, length & 0xFF]).ljust(16, b"\0")


def _ascii(raw: bytes) -> str:
    return "".join(chr(byte) for byte in raw.split(b"\0", 1)[0] if 0x20 <= byte < 0x7F).strip()  # noqa: PLR2004

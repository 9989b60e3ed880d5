"""The datasets a camera describes itself with: DeviceInfo, StorageInfo, ObjectInfo, and its date-times.

Parsers only: bounded by `Fields`, no I/O. Times are kept as the raw text too, since a camera's clock and zone are claims.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from dock_service.ptp.codes import ASSOCIATION
from dock_service.ptp.containers import Fields

_DATE_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:\.(\d))?(Z|[+-]\d{4})?\Z")


@dataclass(frozen=True)
class DeviceInfo:
    """Who the camera says it is, and what it can do (ISO 15740, 5.5.1)."""

    manufacturer: str
    model: str
    version: str
    serial: str
    operations: frozenset[int]
    properties: frozenset[int]


@dataclass(frozen=True)
class PropertyDescription:
    """What a device property is (ISO 15740, 13.3.3), as far as we need it: its code, data type, and whether it can be set."""

    code: int
    type: int
    is_settable: bool


@dataclass(frozen=True)
class StorageInfo:
    """One card or memory: bytes in all and free (ISO 15740, 5.5.3)."""

    capacity: int
    free: int
    description: str
    label: str


@dataclass(frozen=True)
class ObjectInfo:
    """One file or folder (ISO 15740, 5.5.2); `size` is 0xFFFFFFFF when it does not fit 32 bits."""

    storage: int
    format: int
    size: int
    parent: int
    name: str
    captured: str
    modified: str

    @property
    def is_folder(self) -> bool:
        """Tell whether it is a folder (an "association")."""
        return self.format == ASSOCIATION


def parse_device_info(data: bytes | memoryview) -> DeviceInfo:
    """Read a DeviceInfo dataset."""
    fields = Fields(data)
    fields.u16(), fields.u32(), fields.u16(), fields.text(), fields.u16()  # versions, vendor extension, mode
    operations = frozenset(fields.u16s())
    fields.u16s()  # events
    properties = frozenset(fields.u16s())
    fields.u16s(), fields.u16s()  # capture and playback formats
    manufacturer, model, version, serial = (fields.text() for _ in range(4))
    return DeviceInfo(manufacturer, model, version, serial.strip(), operations, properties)


def parse_property_description(data: bytes | memoryview) -> PropertyDescription:
    """Read the head of a DevicePropDesc dataset; its values and their allowed range follow and are left alone."""
    fields = Fields(data)
    return PropertyDescription(fields.u16(), fields.u16(), fields.u8() == 1)


def parse_storage_info(data: bytes | memoryview) -> StorageInfo:
    """Read a StorageInfo dataset."""
    fields = Fields(data)
    fields.u16(), fields.u16(), fields.u16()  # storage type, file system type, access
    capacity, free = fields.u64(), fields.u64()
    fields.u32()  # free space in objects
    return StorageInfo(capacity, free, fields.text(), fields.text())


def parse_object_info(data: bytes | memoryview) -> ObjectInfo:
    """Read an ObjectInfo dataset; the dates may be missing at its end."""
    fields = Fields(data)
    storage, kind, _protection, size = fields.u32(), fields.u16(), fields.u16(), fields.u32()
    fields.u16()  # thumbnail format
    for _ in range(6):  # thumbnail size, width, height; image width, height, depth
        fields.u32()
    parent = fields.u32()
    fields.u16(), fields.u32(), fields.u32()  # association type and description, sequence number
    return ObjectInfo(storage, kind, size, parent, fields.text(), fields.text(), fields.text())


def parse_handles(data: bytes | memoryview) -> tuple[int, ...]:
    """Read an array of object handles or storage ids."""
    return Fields(data).u32s()


def parse_date_time(raw: str, zone: tzinfo) -> datetime | None:
    """Read "YYYYMMDDThhmmss[.s][Z|±hhmm]" (ISO 15740, 5.3.5.1) as UTC; without a zone it is `zone`'s; None if no date.

    A date that does not exist (month 13) is None, not an error: the raw text is kept beside it.
    """
    found = _DATE_TIME.fullmatch(raw.strip())
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    tenths, stated = found.group(7), found.group(8)
    if stated:
        there = parse_zone(stated)
        if there is None:
            return None
        zone = there
    try:
        moment = datetime(year, month, day, hour, minute, second, int(tenths or 0) * 100_000, tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def write_date_time(moment: datetime, like: str, zone: tzinfo) -> str:
    """Return a moment the way a camera writes its own time: with the zone of its text `like`, or without one in `zone`.

    To the nearest second: cameras that take no tenths refuse them.
    """
    found = _DATE_TIME.fullmatch(like.strip())
    stated = (found.group(8) if found else None) or ""
    there = parse_zone(stated) if stated else None
    nearest = (moment + timedelta(microseconds=500_000)).astimezone(there or zone)
    return nearest.strftime("%Y%m%dT%H%M%S") + (stated if there else "")


def parse_zone(stated: str) -> tzinfo | None:
    """Read "Z" or "±hhmm"; None when it is no zone that exists."""
    if stated == "Z":
        return UTC
    minutes = int(stated[1:3]) * 60 + int(stated[3:5])
    if minutes >= 24 * 60:
        return None
    return timezone((-1 if stated[0] == "-" else 1) * timedelta(minutes=minutes))

"""GPMF: the telemetry track of GoPro cameras, and of the recordings our simulated cameras make.

Layout (github.com/gopro/gpmf-parser, README): key (4 letters), type (1), size (1), repeat (2, big-endian), payload padded to
4 bytes; type 0 nests. In a STRM: GPSF fix, GPSU time of the payload's first fix (yymmddhhmmss.sss, UTC), GPSP dilution x 100,
SCAL divisors, then GPS5 (lat, lon, alt, 2D and 3D speed) or GPS9 (the same, then days since 2000, seconds, dilution, fix).
Lengths are cut at the enclosing element; nothing in a payload raises.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bodycam.media.info import clean
from bodycam.telemetry.packets import Packet
from bodycam.telemetry.track import Collector, Point, PointTime, Track

MAGIC = b"DEVC"
_MAX_ELEMENTS = 20_000
_CODES = {"b": "b", "B": "B", "s": "h", "S": "H", "l": "i", "L": "I", "f": "f", "d": "d", "j": "q", "J": "Q"}
_GPS9_FIELDS = "lllllllSS"
_EPOCH_2000 = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_STEP_S = 10.0  # between two payloads, nominally 1 s; beyond it no time is interpolated


@dataclass(frozen=True)
class Element:
    """One key, length, value triple."""

    key: bytes
    type: str
    size: int
    data: bytes


@dataclass
class _Stream:
    """What a STRM holds about positions."""

    fix: int | None = None
    clock: str = ""
    dop: float | None = None
    scales: list[float] = field(default_factory=list)
    types: str = ""
    rows: list[list[float]] = field(default_factory=list)
    has_times: bool = False


def read(packets: Iterable[Packet]) -> Track | None:
    """Return the track of GPMF payloads in order, or None when none holds a position."""
    collector = Collector("gpmf")
    waiting: tuple[Packet, _Stream] | None = None
    for packet in packets:
        device, stream = _positions(packet.data)
        collector.device = collector.device or device
        if stream is None:
            continue
        if waiting is not None:
            _collect(collector, *waiting, _time_of(stream.clock))
        waiting = (packet, stream)
    if waiting is not None:
        _collect(collector, *waiting, None)
    return collector.track()


def elements(data: bytes) -> Iterator[Element]:
    """Yield the elements of a payload, at most `_MAX_ELEMENTS`; stops where the bytes make no sense."""
    position = 0
    for _ in range(_MAX_ELEMENTS):
        if position + 8 > len(data):
            return
        key, kind, size, repeat = struct.unpack_from(">4scBH", data, position)
        position += 8
        if not key.strip(b"\0"):
            return  # padding at the end
        length = size * repeat
        yield Element(key, kind.decode("latin-1"), size, data[position : position + length])
        position += (length + 3) & ~3


def _positions(data: bytes) -> tuple[str | None, _Stream | None]:
    """Return the device's name and its stream of positions (GPS9 where there are both)."""
    name: str | None = None
    best: _Stream | None = None
    for device in elements(data):
        if device.key != MAGIC:
            continue
        for element in elements(device.data):
            if element.key == b"DVNM":
                name = clean(element.data.split(b"\0")[0].decode("latin-1"))
            if element.key == b"STRM" and element.type == "\0":
                stream = _stream(element.data)
                if stream.rows and (best is None or stream.has_times):
                    best = stream
    return name, best


def _stream(data: bytes) -> _Stream:
    stream = _Stream()
    for element in elements(data):
        match element.key:
            case b"GPSF":
                fix = _numbers(element)
                stream.fix = int(fix[0]) if fix else None
            case b"GPSU":
                stream.clock = element.data[:16].decode("latin-1").strip("\0 ")
            case b"GPSP":
                dop = _numbers(element)
                stream.dop = dop[0] / 100 if dop else None
            case b"SCAL":
                stream.scales = _numbers(element)
            case b"TYPE":
                stream.types = element.data.decode("latin-1").strip("\0")
            case b"GPS5":
                stream.rows = _rows(element, element.type * 5, stream.scales)
            case b"GPS9":
                stream.rows = _rows(element, stream.types or _GPS9_FIELDS, stream.scales)
                stream.has_times = True
    return stream


def _numbers(element: Element) -> list[float]:
    code = _CODES.get(element.type)
    if code is None:
        return []
    width = struct.calcsize(">" + code)
    count = len(element.data) // width
    return [float(value) for value in struct.unpack_from(f">{count}{code}", element.data)]


def _rows(element: Element, types: str, scales: list[float]) -> list[list[float]]:
    if not types or any(letter not in _CODES for letter in types) or len(types) > 16:  # noqa: PLR2004  more fields than any GPMF stream of positions has
        return []
    row = struct.Struct(">" + "".join(_CODES[letter] for letter in types))
    if row.size != element.size:
        return []
    whole = len(element.data) // row.size * row.size
    divisors = [scales[min(index, len(scales) - 1)] if scales else 1.0 for index in range(len(types))]
    return [
        [float(value) / (divisor or 1.0) for value, divisor in zip(values, divisors, strict=True)]
        for values in row.iter_unpack(element.data[:whole])
    ]


def _time_of(clock: str) -> datetime | None:
    try:
        return datetime.strptime(clock, "%y%m%d%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None


def _collect(collector: Collector, packet: Packet, stream: _Stream, following: datetime | None) -> None:
    count = len(stream.rows)
    start = _time_of(stream.clock)
    lasts = packet.duration_s or 1.0
    if start is not None and following is not None and 0 < (following - start).total_seconds() <= _LONGEST_STEP_S:
        step = (following - start).total_seconds() / count
    else:
        step = lasts / count
    for index, row in enumerate(stream.rows):
        offset = None if packet.start_s is None else round(packet.start_s + lasts * index / count, 4)
        if stream.has_times and len(row) >= 9:  # noqa: PLR2004  the fields of a GPS9
            collector.add(_gps9(row, offset))
        elif len(row) >= 5:  # noqa: PLR2004  the fields of a GPS5
            time = start + timedelta(seconds=step * index) if start else None
            kind = PointTime.GPS if index == 0 else PointTime.DERIVED
            collector.add(
                Point(
                    row[0],
                    row[1],
                    time=time,
                    offset_s=offset,
                    raw=stream.clock,
                    kind=kind,
                    alt=row[2],
                    speed_mps=row[3],
                    fix=stream.fix,
                    dop=stream.dop,
                ),
            )


def _gps9(row: list[float], offset: float | None) -> Point:
    lat, lon, alt, speed, _, days, seconds, dop, fix = row[:9]
    try:
        time = _EPOCH_2000 + timedelta(days=days, seconds=seconds)
    except (OverflowError, ValueError):
        time = None
    raw = f"{days:.0f} {seconds:.3f}"
    fix_kind = int(fix) if 0 <= fix <= 5 else None  # noqa: PLR2004  0, 2, 3; later firmware adds kinds
    return Point(lat, lon, time=time, offset_s=offset, raw=raw, alt=alt, speed_mps=speed, fix=fix_kind, dop=dop)

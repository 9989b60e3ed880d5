"""NMEA 0183 sentences, from sidecar files and from text tracks: RMC and GGA, of any talker.

Sentences with a wrong or missing checksum are kept and counted (field loggers write them; pynmeagps with validate=0 reads
them). RMC carries date, speed and course, GGA fix quality, satellites and height: two of one second become one point.
Source: NMEA 0183 v4.11 as pynmeagps reads it.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import xor

import pynmeagps.exceptions as refused
from pynmeagps import NMEAReader

from bodycam.telemetry.track import Collector, Point, PointTime, Track

KNOT_MPS = 1852 / 3600
_MAX_LINE = 200  # the standard says 82; loggers add fields
_ERRORS = (
    refused.NMEAParseError,
    refused.NMEAMessageError,
    refused.NMEATypeError,
    refused.NMEAStreamError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
)


class _Assembler:
    """Joins the sentences of one second and gives them to the collector in order."""

    def __init__(self) -> None:
        self.collector = Collector("nmea")
        self._pending: Point | None = None
        self._clock: time | None = None
        self._day: date | None = None
        self._first: datetime | None = None

    def take(self, offset: float | None, line: bytes) -> None:
        """Read one line; lines that are no RMC or GGA are passed over."""
        start = line.find(b"$")
        sentence = line[start:].strip() if start >= 0 else b""
        if not 10 < len(sentence) <= _MAX_LINE or sentence[3:6] not in {b"RMC", b"GGA"}:  # noqa: PLR2004  "$GPRMC,…"
            return
        if not has_valid_checksum(sentence):
            self.collector.bad_checksums += 1
        try:
            message = NMEAReader.parse(sentence.split(b"*")[0] + b"*00\r\n", validate=0)
        except _ERRORS:
            message = None
        clock, day = _field(message, "time"), _field(message, "date")
        clock = clock if isinstance(clock, time) else None
        if sentence[3:6] == b"RMC" and isinstance(day, date):
            self._day = day
        self._merge(clock, self._point(message, sentence, clock, offset))

    def finish(self) -> Track | None:
        """Give the last point away and return the track."""
        self._flush()
        return self.collector.track()

    def _point(self, message: object, sentence: bytes, clock: time | None, offset: float | None) -> Point | None:
        lat, lon = _number(_field(message, "lat")), _number(_field(message, "lon"))
        if lat is None or lon is None:
            self.collector.rejected += message is None
            return None
        raw = sentence.decode("latin-1")
        point = Point(lat, lon, time=self._moment(clock), offset_s=offset, raw=raw)
        if sentence[3:6] == b"RMC":
            speed = _number(_field(message, "spd"))
            return replace(
                point,
                speed_mps=None if speed is None else speed * KNOT_MPS,
                course=_number(_field(message, "cog")),
                fix=None if _field(message, "status") == "A" else 0,
            )
        satellites = _number(_field(message, "numSV"))
        return replace(
            point,
            alt=_number(_field(message, "alt")),
            satellites=None if satellites is None else int(satellites),
            dop=_number(_field(message, "HDOP")),
            fix=0 if _number(_field(message, "quality")) == 0 else None,
        )

    def _moment(self, clock: time | None) -> datetime | None:
        if clock is None or self._day is None:
            return None
        moment = datetime.combine(self._day, clock, tzinfo=UTC)
        last = self._pending.time if self._pending else None
        if last is not None and last - moment > timedelta(hours=12):
            moment += timedelta(days=1)  # a GGA after midnight, before its RMC brings the new date
        return moment

    def _merge(self, clock: time | None, point: Point | None) -> None:
        if point is None:
            return
        pending = self._pending
        if pending is None or clock is None or clock != self._clock:
            self._flush()
            self._pending, self._clock = point, clock
            return
        values = {
            name: value if value is not None else getattr(pending, name)
            for name, value in vars(point).items()
            if name not in {"offset_s", "raw", "kind", "fix"}
        }
        no_fix = 0 in (pending.fix, point.fix)
        self._pending = replace(pending, **values, raw=f"{pending.raw}\n{point.raw}", fix=0 if no_fix else point.fix)

    def _flush(self) -> None:
        if self._pending is None:
            return
        point, self._pending = self._pending, None
        if point.offset_s is None and point.time is not None:
            self._first = self._first or point.time  # a sidecar is taken to start with its recording
            point = replace(point, offset_s=(point.time - self._first).total_seconds())
        self.collector.add(point if point.time else replace(point, kind=PointTime.DERIVED))


def read(lines: Iterable[tuple[float | None, bytes]]) -> Track | None:
    """Return the track of (offset on the recording in seconds or None, line) pairs, or None when there is none."""
    assembler = _Assembler()
    for offset, line in lines:
        if assembler.collector.full:
            break
        assembler.take(offset, line)
    return assembler.finish()


def split_lines(data: bytes, offset: float | None = None) -> Iterator[tuple[float | None, bytes]]:
    """Yield the lines of a text with one offset for all of them."""
    for line in data.splitlines():
        yield offset, line


def has_valid_checksum(sentence: bytes) -> bool:
    """Tell whether the two hex digits after "*" are the XOR of all between "$" and "*"."""
    body, star, digits = sentence[1:].partition(b"*")
    if not star:
        return False
    try:
        return int(digits[:2], 16) == reduce(xor, body, 0)
    except ValueError:
        return False


def _field(message: object, name: str) -> object:
    """Return a field of a sentence, None where it was cut before it (or wasn't parsed at all)."""
    return getattr(message, name, None)


def _number(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # text or number; anything else raises
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None

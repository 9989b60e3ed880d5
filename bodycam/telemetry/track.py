"""Points and tracks, the same for every reader.

A position is kept only when both numbers are finite and in range; what was refused is counted, with one sample, so that a
check can name the reason. Points of a receiver without a fix stay (fix 0), marked, and no distance is taken from them.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bodycam.geo.geodesy import leg_lengths
from bodycam.media.info import as_utc

MAX_POINTS = 200_000


class PointTime(StrEnum):
    """Where a point's time is from."""

    GPS = "gps"
    CONTAINER = "container"
    DERIVED = "derived"  # between two times of the receiver


@dataclass(frozen=True)
class Point:
    """One fix: `time` UTC, `offset_s` seconds on the recording, degrees of WGS 84, metres, metres a second, course in degrees.

    `fix` is 0 (none), 2 or 3 dimensions, None when not told; `dop` a dilution of precision; `accuracy` in metres.
    """

    lat: float
    lon: float
    time: datetime | None = None
    offset_s: float | None = None
    raw: str = ""
    kind: PointTime = PointTime.GPS
    alt: float | None = None
    speed_mps: float | None = None
    course: float | None = None
    fix: int | None = None
    satellites: int | None = None
    dop: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class Track:
    """The fixes of one recording in the order they were written."""

    reader: str
    points: tuple[Point, ...]
    rejected: int = 0
    rejected_sample: tuple[float, float] | None = None
    bad_checksums: int = 0
    device: str | None = None

    @property
    def fixed(self) -> tuple[Point, ...]:
        """The points at which the receiver had a fix, or did not say that it had none."""
        return tuple(point for point in self.points if point.fix != 0)

    @property
    def distance_m(self) -> float:
        """Metres along the geodesics between the fixes."""
        fixed = self.fixed
        return sum(leg_lengths([point.lat for point in fixed], [point.lon for point in fixed]))

    @property
    def bbox(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north (the order of RFC 7946, section 5), or None without points."""
        points = self.fixed or self.points
        if not points:
            return None
        lats, lons = [point.lat for point in points], [point.lon for point in points]
        return min(lons), min(lats), max(lons), max(lats)

    def rows(self) -> list[list[Any]]:
        """Return the points as the catalogue stores them: [time, offset_s, lat, lon, alt, speed]."""
        return [
            [
                point.time.isoformat() if point.time else None,
                point.offset_s,
                point.lat,
                point.lon,
                point.alt,
                point.speed_mps,
            ]
            for point in self.points
        ]


@dataclass
class Collector:
    """Gathers the points of one reader, refusing positions out of range and times out of all bounds, and stopping at `MAX_POINTS`."""

    reader: str
    points: list[Point] = field(default_factory=list)
    rejected: int = 0
    rejected_sample: tuple[float, float] | None = None
    bad_checksums: int = 0
    device: str | None = None

    @property
    def full(self) -> bool:
        """Tell whether no more points are taken."""
        return len(self.points) >= MAX_POINTS

    def add(self, point: Point) -> bool:
        """Take a point if its position is one; other numbers that aren't finite become None."""
        if self.full:
            return False
        if not in_range(point.lat, point.lon):
            self.rejected += 1
            if self.rejected_sample is None and math.isfinite(point.lat) and math.isfinite(point.lon):
                self.rejected_sample = (point.lat, point.lon)
            return False
        self.points.append(_finite(replace(point, time=as_utc(point.time))))
        return True

    def track(self) -> Track | None:
        """Return the track, or None when neither a point nor a refused position was met."""
        if not self.points and not self.rejected:
            return None
        return Track(
            self.reader, tuple(self.points), self.rejected, self.rejected_sample, self.bad_checksums, self.device
        )


def in_range(lat: float, lon: float) -> bool:
    """Tell whether these are finite degrees of latitude and longitude."""
    return math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180  # noqa: PLR2004  degrees


def _finite(point: Point) -> Point:
    values = {"alt": point.alt, "speed_mps": point.speed_mps, "course": point.course, "dop": point.dop}
    wrong = {name: None for name, value in values.items() if value is not None and not math.isfinite(value)}
    return replace(point, **wrong) if wrong else point  # type: ignore[arg-type]  # only the names above

"""Where a simulated recording is each second, and how a camera writes that: GPMF payloads or NMEA sentences.

GPMF as in github.com/gopro/gpmf-parser's README (DEVC, STRM, GPSF, GPSU, GPSP, SCAL, GPS5); NMEA 0183 RMC and GGA.
GPS time is true UTC whatever the camera's clock says.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import xor

LatLon = tuple[float, float]
FIXES_A_SECOND = 10
_SCALES = (10_000_000, 10_000_000, 1000, 1000, 100)
_METRES_A_DEGREE = 111_320.0
_KNOT = 1852 / 3600


@dataclass(frozen=True)
class Position:
    """One fix: degrees, metres above the ellipsoid, metres a second, degrees from north."""

    lat: float
    lon: float
    alt: float
    speed: float
    course: float


def along(route: Sequence[LatLon], seconds: float, duration: float, jump: tuple[float, float] | None) -> Position:
    """Return the place after `seconds` of a steady way along `route` in `duration`; `jump` = (from second, km east)."""
    share = min(max(seconds / duration, 0.0), 1.0) * (len(route) - 1)
    leg = min(int(share), len(route) - 2) if len(route) > 1 else 0
    start, end = route[leg], route[min(leg + 1, len(route) - 1)]
    part = share - leg
    lat, lon = (a + (b - a) * part for a, b in zip(start, end, strict=True))
    east = (end[1] - start[1]) * math.cos(math.radians(lat)) * _METRES_A_DEGREE
    north = (end[0] - start[0]) * _METRES_A_DEGREE
    speed = math.hypot(east, north) * (len(route) - 1) / duration
    course = math.degrees(math.atan2(east, north)) % 360
    if jump is not None and seconds >= jump[0]:
        lon += jump[1] * 1000 / (_METRES_A_DEGREE * math.cos(math.radians(lat)))
    return Position(lat, lon, 12.0, speed, course)


def gpmf_payload(second: int, start: datetime, fixes: Sequence[Position], device: str) -> bytes:
    """Return one second's payload: `start` is the recording's true UTC start, the fixes are evenly spread."""
    moment = start + timedelta(seconds=second)
    rows = [
        (round(fix.lat * _SCALES[0]), round(fix.lon * _SCALES[1]), round(fix.alt * 1000), round(fix.speed * 1000))
        for fix in fixes
    ]
    gps5 = b"".join(struct.pack(">5i", *row, round(fix.speed * 100)) for row, fix in zip(rows, fixes, strict=True))
    stamp = moment.strftime("%y%m%d%H%M%S.") + f"{moment.microsecond // 1000:03d}"
    stream = _element(b"STNM", b"c", 1, b"GPS (Lat., Long., Alt., 2D speed, 3D speed)")
    stream += _element(b"GPSF", b"L", 4, struct.pack(">I", 3))
    stream += _element(b"GPSU", b"U", 16, stamp.encode())
    stream += _element(b"GPSP", b"S", 2, struct.pack(">H", 160))
    stream += _element(b"UNIT", b"c", 3, b"degdegm\0\0m/sm/s")
    stream += _element(b"SCAL", b"l", 4, struct.pack(">5i", *_SCALES))
    stream += _element(b"GPS5", b"l", 20, gps5)
    body = _element(b"DVID", b"L", 4, struct.pack(">I", 1)) + _element(
        b"DVNM", b"c", 1, device.encode("ascii", "replace")
    )
    return _element(b"DEVC", b"\0", 1, body + _element(b"STRM", b"\0", 1, stream))


def _element(key: bytes, kind: bytes, size: int, data: bytes) -> bytes:
    return struct.pack(">4scBH", key, kind, size, len(data) // size) + data + bytes(-len(data) % 4)


def nmea_sentences(moment: datetime, fix: Position) -> str:
    """Return one second's RMC and GGA, each with its checksum and CRLF."""
    clock = moment.strftime("%H%M%S.") + f"{moment.microsecond // 10_000:02d}"
    place = f"{_angle(fix.lat, 2)},{'N' if fix.lat >= 0 else 'S'},{_angle(fix.lon, 3)},{'E' if fix.lon >= 0 else 'W'}"
    rmc = f"GPRMC,{clock},A,{place},{fix.speed / _KNOT:.2f},{fix.course:.1f},{moment:%d%m%y},,,A"
    gga = f"GPGGA,{clock},{place},1,09,0.9,{fix.alt:.1f},M,-28.0,M,,"
    return "".join(f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n" for body in (rmc, gga))


def _angle(degrees: float, width: int) -> str:
    whole, minutes = divmod(round(abs(degrees) * 60 * 100_000) / 100_000, 60)
    return f"{int(whole):0{width}d}{minutes:08.5f}"

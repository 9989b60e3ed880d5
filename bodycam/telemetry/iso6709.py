"""ISO 6709 position strings, as phones write them into the `©xyz` atom and Apple's location key: "+21.0285+105.8542+012/".

Forms: degrees, degrees and minutes, degrees, minutes and seconds, by the count of digits before the point (annex H).
"""

import re
from dataclasses import dataclass

from bodycam.telemetry.track import in_range

KEYS = ("com.apple.quicktime.location.ISO6709", "location", "location-eng")
_TEXT = re.compile(
    r"^\s*([+-])(\d{2,6}(?:\.\d{0,12})?)([+-])(\d{3,7}(?:\.\d{0,12})?)(?:([+-]\d{1,6}(?:\.\d{0,6})?))?", re.ASCII
)


@dataclass(frozen=True)
class Location:
    """One position of a whole file: degrees of WGS 84, where it was read, metres of height when told, and its raw text."""

    lat: float
    lon: float
    source: str
    alt: float | None = None
    raw: str = ""


def parse(text: str) -> tuple[float, float, float | None] | None:
    """Return (lat, lon, height in metres or None) of a position string, or None when it isn't one or is out of range."""
    match = _TEXT.match(text[:100])
    if match is None:
        return None
    lat = _degrees(match[2], 2)
    lon = _degrees(match[4], 3)
    if lat is None or lon is None:
        return None
    lat, lon = lat if match[1] == "+" else -lat, lon if match[3] == "+" else -lon
    if not in_range(lat, lon):
        return None
    return lat, lon, float(match[5]) if match[5] else None


def locate(metadata: dict[str, str]) -> Location | None:
    """Return the position among a container's tags, or None."""
    for key in KEYS:
        if (text := metadata.get(key)) and (found := parse(text)):
            return Location(found[0], found[1], "iso6709", found[2], text)
    return None


def _degrees(digits: str, width: int) -> float | None:
    whole, point, fraction = digits.partition(".")
    extra = len(whole) - width
    if extra == 0:
        return float(digits)
    if extra not in {2, 4}:
        return None
    degrees, minutes = int(whole[:width]), int(whole[width : width + 2])
    if extra == 2:  # noqa: PLR2004  DDMM.mmm
        return _sexagesimal(degrees, float(f"{minutes}{point}{fraction}" if point else minutes), 0.0)
    return _sexagesimal(degrees, minutes, float(f"{whole[width + 2 :]}{point}{fraction}"))


def _sexagesimal(degrees: int, minutes: float, seconds: float) -> float | None:
    return degrees + minutes / 60 + seconds / 3600 if minutes < 60 and seconds < 60 else None  # noqa: PLR2004

"""The position in a still's Exif block (Exif 2.32, 4.6.6), out of the raw texts that the probe kept.

Numbers that are NaN, divide by zero or lie out of range make no position; a missing N/S or E/W makes none either, since
guessing a hemisphere is how footage lands in the sea.
"""

from bodycam.media.stills import rational
from bodycam.telemetry.iso6709 import Location
from bodycam.telemetry.track import in_range


def locate(metadata: dict[str, str]) -> Location | None:
    """Return the position among Exif texts ("43 28 1407/500"), or None when there is none that can be."""
    lat = _degrees(metadata.get("GPSLatitude", ""), metadata.get("GPSLatitudeRef", ""), "NS")
    lon = _degrees(metadata.get("GPSLongitude", ""), metadata.get("GPSLongitudeRef", ""), "EW")
    if lat is None or lon is None or not in_range(lat, lon):
        return None
    alt = rational(metadata.get("GPSAltitude", ""))
    if alt is not None and metadata.get("GPSAltitudeRef", "0").startswith("1"):
        alt = -alt
    return Location(lat, lon, "exif", alt, raw_text(metadata))


def has_position(metadata: dict[str, str]) -> bool:
    """Tell whether the tags claim a position, good or not."""
    return "GPSLatitude" in metadata and "GPSLongitude" in metadata


def raw_text(metadata: dict[str, str]) -> str:
    """Return the position as written, for a person."""
    return " ".join(
        metadata.get(name, "?") for name in ("GPSLatitude", "GPSLatitudeRef", "GPSLongitude", "GPSLongitudeRef")
    )


def _degrees(text: str, hemisphere: str, letters: str) -> float | None:
    parts = [rational(part) for part in text.split()]
    sign = hemisphere.strip()[:1].upper()
    if not 1 <= len(parts) <= 3 or sign not in letters or not sign:  # noqa: PLR2004  degrees, minutes, seconds
        return None
    value = 0.0
    for part, unit in zip(parts, (1, 60, 3600), strict=False):
        if part is None or part < 0:
            return None
        value += part / unit
    return value if sign == letters[0] else -value

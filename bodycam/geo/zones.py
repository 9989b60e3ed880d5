"""Which VN-2000 system is in use around a longitude."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Zone:
    """A VN-2000 system in use around a longitude: its EPSG code, and its central meridian and width in degrees."""

    epsg: int
    meridian: int
    width: int


_ZONES = (
    (103.5, Zone(5896, 102, 3)),
    (106.5, Zone(5897, 105, 3)),
    (109.5, Zone(5898, 108, 3)),
    (360, Zone(3406, 111, 6)),
)


def zone_of(lon: float) -> Zone:
    """Return the 3° zone (TM-3) whose meridian is nearest, and beyond the mainland the 6° zone UTM 49N."""
    return next(zone for end, zone in _ZONES if lon < end)

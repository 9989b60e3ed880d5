"""A track as the player needs it: seconds into the film, degrees, metres a second, VN-2000."""

import json
from dataclasses import dataclass

from bodycam.geo.geodesy import to_vn2000
from bodycam.recordings.models import Track

MOST_POINTS = 3600  # an hour at one a second; a denser track is thinned evenly for drawing


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


def positions_of(track: Track) -> list[list[float | None]]:
    """Return `[offset s, latitude, longitude, speed m/s or null, VN-2000 X (north) m, Y (east) m]`, in order of time.

    A point that has no place in the film (no offset) is left out.
    """
    points = json.loads(track.points)
    step = len(points) // MOST_POINTS + 1
    kept = [point for point in points if point[1] is not None][::step]
    epsg = zone_of(kept[0][3]).epsg if kept else 0
    positions: list[list[float | None]] = []
    for _, offset, lat, lon, _, speed in sorted(kept, key=lambda point: float(point[1])):
        east, north = to_vn2000(lat, lon, epsg)
        positions.append([round(offset, 3), lat, lon, speed, round(north), round(east)])
    return positions

"""A track as the player needs it: seconds into the film, degrees, metres a second, VN-2000."""

import json

from bodycam.geo.geodesy import to_vn2000
from bodycam.recordings.models import Track

UTM_48N, UTM_49N = 3405, 3406  # EPSG codes of VN-2000 / UTM zones; the zones meet at 108° E
MOST_POINTS = 3600  # an hour at one a second; a denser track is thinned evenly for drawing


def vn2000_system(lon: float) -> int:
    """Return the EPSG code of the VN-2000 / UTM zone of a longitude."""
    return UTM_48N if lon < 108 else UTM_49N  # noqa: PLR2004  the zones' border in degrees


def positions_of(track: Track) -> list[list[float | None]]:
    """Return `[offset s, latitude, longitude, speed m/s or null, VN-2000 X (north) m, Y (east) m]`, in order of time.

    A point that has no place in the film (no offset) is left out.
    """
    points = json.loads(track.points)
    step = len(points) // MOST_POINTS + 1
    kept = [point for point in points if point[1] is not None][::step]
    zone = vn2000_system(kept[0][3]) if kept else UTM_48N
    positions: list[list[float | None]] = []
    for _, offset, lat, lon, _, speed in sorted(kept, key=lambda point: float(point[1])):
        east, north = to_vn2000(lat, lon, zone)
        positions.append([round(offset, 3), lat, lon, speed, round(north), round(east)])
    return positions

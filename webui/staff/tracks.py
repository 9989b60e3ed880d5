"""A track as the player needs it: seconds into the film, degrees, metres a second, VN-2000."""

import json

from bodycam.geo.geodesy import to_vn2000
from bodycam.geo.zones import zone_of
from bodycam.recordings.models import Track

MOST_POINTS = 3600  # an hour at one a second; a denser track is thinned evenly for drawing


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

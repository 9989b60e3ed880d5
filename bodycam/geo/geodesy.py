"""Distances on the WGS 84 ellipsoid and coordinates in VN-2000, by EPSG code, without grids or network.

Positions are stored in WGS 84 only (degrees); VN-2000 is for print, "for reference, about 1 m plus the receiver's error".
Order is always latitude, longitude for degrees; easting, northing for metres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pyproj import Geod, Transformer

_WGS84 = 4326
_WGS84_ELLIPSOID = Geod(ellps="WGS84")

UTM_48N, UTM_49N = 3405, 3406


@dataclass(frozen=True)
class Leg:
    """The way from one position to the next: metres, and the azimuth at its start in degrees from north."""

    metres: float
    azimuth: float


def leg(from_lat: float, from_lon: float, to_lat: float, to_lon: float) -> Leg:
    """Return the geodesic between two positions (Karney's method, through pyproj)."""
    azimuth, _, metres = _WGS84_ELLIPSOID.inv(from_lon, from_lat, to_lon, to_lat)
    return Leg(float(metres), float(azimuth) % 360)


def leg_lengths(lats: Sequence[float], lons: Sequence[float]) -> list[float]:
    """Return the metres between each two successive positions, one fewer than there are positions."""
    if len(lats) < 2:  # noqa: PLR2004  no leg
        return []
    return [float(metres) for metres in _WGS84_ELLIPSOID.line_lengths(lons, lats)]


def to_vn2000(lat: float, lon: float, epsg: int) -> tuple[float, float]:
    """Return a WGS 84 position in a VN-2000 system: (easting, northing) in metres, or for 4756 (longitude, latitude).

    Raises ValueError for a position the projection has no answer to.
    """
    x, y = _from_wgs84(epsg).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"{lat}, {lon} has no coordinates in EPSG:{epsg}")
    return float(x), float(y)


def from_vn2000(x: float, y: float, epsg: int) -> tuple[float, float]:
    """Return (latitude, longitude) in WGS 84 for VN-2000 coordinates; raises ValueError where there are none."""
    lon, lat = _to_wgs84(epsg).transform(x, y)
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise ValueError(f"{x}, {y} in EPSG:{epsg} is nowhere")
    return float(lat), float(lon)


@cache
def _from_wgs84(epsg: int) -> Transformer:
    return Transformer.from_crs(_WGS84, epsg, always_xy=True)


@cache
def _to_wgs84(epsg: int) -> Transformer:
    return Transformer.from_crs(epsg, _WGS84, always_xy=True)

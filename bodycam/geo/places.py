"""The nearest commune's name for a position, offline.

Data: the 34 provinces and 3,321 communes of vietnamadminunits (MIT), with a centre each and no outline, so this is "near X",
never "in X". Its SQLite file is read in place, without importing the package (400 ms, most of it other tables).
"""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from bodycam.geo.geodesy import leg

MAX_DISTANCE_M = 40_000.0
_CELL = 0.5  # degrees; about 55 km


@dataclass(frozen=True)
class Place:
    """A commune: its code and name, its province, the centre, and how far the asked position is from it in metres."""

    code: str
    commune: str
    province: str
    lat: float
    lon: float
    distance_m: float = 0.0

    @property
    def label(self) -> str:
        """The name for a person: "Phường Hoàn Kiếm, Hà Nội"."""
        return f"{self.commune}, {self.province}"


def nearest_place(lat: float, lon: float) -> Place | None:
    """Return the commune whose centre is nearest, or None when none is within 40 km (at sea, abroad)."""
    grid = _grid()
    row, column = int(lat // _CELL), int(lon // _CELL)
    near = [place for r in (-1, 0, 1) for c in (-1, 0, 1) for place in grid.get((row + r, column + c), ())]
    measured = [(leg(lat, lon, place.lat, place.lon).metres, place) for place in near]
    if not measured:
        return None
    metres, place = min(measured, key=lambda pair: pair[0])
    if metres > MAX_DISTANCE_M:
        return None
    return Place(place.code, place.commune, place.province, place.lat, place.lon, metres)


@cache
def communes() -> tuple[Place, ...]:
    """Return every commune, by code."""
    spec = find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        return ()
    path = Path(spec.origin).parent / "data" / "dataset.db"
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "SELECT wardCode, ward, provinceShort, wardLat, wardLon FROM admin_units "
            "WHERE wardLat IS NOT NULL AND wardLon IS NOT NULL ORDER BY wardCode",
        ).fetchall()
    finally:
        connection.close()
    return tuple(Place(*row) for row in rows)


@cache
def _grid() -> dict[tuple[int, int], list[Place]]:
    grid: dict[tuple[int, int], list[Place]] = defaultdict(list)
    for place in communes():
        grid[int(place.lat // _CELL), int(place.lon // _CELL)].append(place)
    return dict(grid)

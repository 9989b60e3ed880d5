"""Make the offline base map of Viet Nam: `webui/static/map/provinces.json` (GeoJSON) and `labels.json`.

Source: Natural Earth 1:10m, admin 1 (public domain), as Debian ships it generalised in qgis-common:

    apt-get download qgis-common && dpkg-deb -x qgis-common_*.deb q
    python scripts/make_basemap.py q/usr/share/qgis/resources/data/world_map.gpkg

Its 63 provinces are merged to the 34 in force since 1/7/2025 by the table of vietnamadminunits (MIT). The islands of the East
Sea are never taken from that source, which attributes them wrongly: their names and places are written here.
"""

import argparse
import json
import sqlite3
from importlib.util import find_spec
from pathlib import Path

from shapely import make_valid, set_precision, wkb
from shapely.geometry import MultiPolygon, Polygon, mapping
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from bodycam.db import fold

OUT = Path(__file__).parent.parent / "webui" / "static" / "map"
GRID = 0.001  # degrees, about 110 m: enough to tell provinces apart, not to settle a border
LEAST_AREA = 0.0005  # square degrees, about 6 km²: smaller islets and slivers are left out
ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # GeoPackage 1.3, 2.1.3: bytes of envelope by its code
OLD_NAMES = {"thuathienhue": "hue", "hochiminhcity": "hochiminh"}
ARCHIPELAGOS = [
    {"vi": "Quần đảo Hoàng Sa (Việt Nam)", "en": "Hoàng Sa Archipelago (Viet Nam)", "lat": 16.5, "lon": 112.0},
    {"vi": "Quần đảo Trường Sa (Việt Nam)", "en": "Trường Sa Archipelago (Viet Nam)", "lat": 9.5, "lon": 113.5},
]


def main() -> None:
    """Write both files and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("geopackage", type=Path)
    old = read_provinces(parser.parse_args().geopackage)
    new_of, names = read_mergers()
    parts: dict[str, list[BaseGeometry]] = {}
    for key, shape in old.items():
        parts.setdefault(new_of[key], []).append(shape)
    merged = {names[key]: merge(shapes) for key, shapes in sorted(parts.items())}
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": mapping(shape)} for name, shape in merged.items()
    ]
    labels = [{"kind": "archipelago", **label} for label in ARCHIPELAGOS]
    for name, shape in merged.items():
        point = max(shape.geoms, key=lambda part: part.area).representative_point()
        label = {"kind": "province", "vi": name, "en": name, "lat": round(point.y, 3), "lon": round(point.x, 3)}
        labels.append(label)
    write("provinces.json", {"type": "FeatureCollection", "features": features})
    write("labels.json", labels)
    print(f"{len(old)} old provinces -> {len(merged)}")


def read_provinces(path: Path) -> dict[str, BaseGeometry]:
    """Return the source's provinces by a bare key of their name."""
    with sqlite3.connect(f"{path.as_uri() if path.is_absolute() else path.resolve().as_uri()}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT gn_name, geom FROM states_provinces WHERE adm0_a3 = 'VNM'").fetchall()
    return {bare_key(name): wkb.loads(blob[8 + ENVELOPES[blob[3] >> 1 & 7] :]) for name, blob in rows}


def read_mergers() -> tuple[dict[str, str], dict[str, str]]:
    """Return new key by old key, and the new provinces' names by new key."""
    spec = find_spec("vietnamadminunits")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    table = json.loads((data / "converter_2025.json").read_text())["DICT_PROVINCE"]
    new_of = {bare_key(old): bare_key(new) for new, olds in table.items() for old in olds}
    with sqlite3.connect(f"{(data / 'dataset.db').as_uri()}?mode=ro", uri=True) as db:
        names = {bare_key(name): name for (name,) in db.execute("SELECT DISTINCT provinceShort FROM admin_units")}
    return new_of, names


def bare_key(name: str) -> str:
    """Return a name as lower-case letters without its rank: "Tinh Ba Ria-Vung Tau" -> "bariavungtau"."""
    key = "".join(letter for letter in fold(name) if letter.isalpha())
    for rank in ("thanhpho", "tinh", "huyen"):
        key = key.removeprefix(rank)
    return OLD_NAMES.get(key, key)


def merge(shapes: list[BaseGeometry]) -> MultiPolygon:
    """Return one outline of several provinces, without slivers, on a coarse grid."""
    whole = unary_union([make_valid(shape).buffer(0.002) for shape in shapes]).buffer(-0.002)
    snapped = set_precision(whole.simplify(GRID), GRID)
    found = snapped.geoms if isinstance(snapped, MultiPolygon) else [snapped]
    return MultiPolygon([Polygon(part.exterior) for part in found if part.area >= LEAST_AREA])


def write(name: str, value: object) -> None:
    """Write compact JSON with coordinates as short as the grid."""
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(value), ensure_ascii=False, separators=(",", ":"))
    (OUT / name).write_text(text + "\n", encoding="utf-8")
    print(f"{name}: {len(text.encode()):,} bytes")


def rounded(value: object) -> object:
    """Return JSON values with numbers to three places."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return value


if __name__ == "__main__":
    main()

"""Write tracks for other programs: GPX 1.1, GeoJSON (RFC 7946) and CSV, each for any number of recordings at once."""

import csv
import io
import json
from collections.abc import Sequence

from gpxpy import gpx

from bodycam.telemetry.inspection import iso
from bodycam.telemetry.track import Track

Named = tuple[str, Track]


def to_gpx(tracks: Sequence[Named]) -> str:
    """Return one GPX document with a track for each recording; heights in metres, times in UTC."""
    document = gpx.GPX()
    document.creator = "bodycam"
    for name, track in tracks:
        segment = gpx.GPXTrackSegment()
        for point in track.points:
            segment.points.append(
                gpx.GPXTrackPoint(
                    point.lat, point.lon, elevation=point.alt, time=point.time, horizontal_dilution=point.dop
                ),
            )
        element = gpx.GPXTrack(name=name)
        element.segments.append(segment)
        document.tracks.append(element)
    return str(document.to_xml(version="1.1"))


def to_geojson(tracks: Sequence[Named]) -> str:
    """Return a FeatureCollection of lines, their times beside them under `coordinateProperties`."""
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "LineString",
                "coordinates": [[p.lon, p.lat] if p.alt is None else [p.lon, p.lat, p.alt] for p in track.points],
            },
            "properties": {
                "path": name,
                "reader": track.reader,
                "coordinateProperties": {"times": [iso(point.time) for point in track.points]},
            },
        }
        for name, track in tracks
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def to_csv(tracks: Sequence[Named]) -> str:
    """Return a table with a line for each point; a file's name that a spreadsheet would run as a formula gets a "'" before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "time", "offset_s", "lat", "lon", "alt_m", "speed_mps", "fix", "satellites", "dop"])
    for raw, track in tracks:
        name = f"'{raw}" if raw.startswith(("=", "+", "-", "@", "\t", "\r")) else raw
        for p in track.points:
            writer.writerow(
                [name, iso(p.time), p.offset_s, p.lat, p.lon, p.alt, p.speed_mps, p.fix, p.satellites, p.dop]
            )
    return out.getvalue()


FORMATS = {"gpx": to_gpx, "geojson": to_geojson, "csv": to_csv}

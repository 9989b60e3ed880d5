"""GPX 1.0 and 1.1 sidecars (topografix.com/GPX/1/1), as body cameras write beside a recording.

A document type or entity is refused before the parser sees it; times without a zone are UTC, as the schema says.
"""

import gpxpy
import gpxpy.gpx
import structlog

from bodycam.media.info import as_utc
from bodycam.telemetry.track import Collector, Point, PointTime, Track

_log = structlog.get_logger()
_MAX_BYTES = 32 << 20
_FIXES = {"none": 0, "2d": 2, "3d": 3, "dgps": 3, "pps": 3}


def read(data: bytes) -> Track | None:
    """Return the points of a GPX text in order (all its tracks, one after the other), or None when there are none."""
    if len(data) > _MAX_BYTES or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return None
    try:
        document = gpxpy.parse(data.decode("utf-8-sig", "replace"))
    except (gpxpy.gpx.GPXException, ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        _log.info("gpx_refused", error=type(error).__name__)
        return None
    collector = Collector("gpx")
    first = None
    for point in (point for track in document.tracks for segment in track.segments for point in segment.points):
        time = as_utc(point.time)
        first = first or time
        collector.add(
            Point(
                float(point.latitude),
                float(point.longitude),
                time=time,
                offset_s=(time - first).total_seconds() if time and first else None,
                raw=str(point.time or ""),
                kind=PointTime.GPS if time else PointTime.DERIVED,
                alt=point.elevation,
                speed_mps=point.speed,
                course=point.course,
                fix=_FIXES.get(point.type_of_gpx_fix or ""),
                satellites=None if point.satellites is None else int(point.satellites),
                dop=point.horizontal_dilution,
            ),
        )
    return collector.track()

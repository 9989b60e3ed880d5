"""What `bodycam inspect` says of one file: a JSON object with fixed keys, the same for a film, a picture and a broken file."""

from datetime import UTC, datetime
from typing import Any

from bodycam.media.problems import Problem
from bodycam.telemetry.reading import Reading
from bodycam.telemetry.track import Point, Track

_STREAM_KEYS = ("type", "codec", "width", "height", "fps", "sample_rate", "channels")


def describe(path: str, sha256: str | None, reading: Reading) -> dict[str, Any]:
    """Return the object for a file that was read; times are ISO 8601 in UTC, distances metres, bbox west-south-east-north."""
    info, track, location = reading.info, reading.track, reading.location
    times = [
        {"source": time.source, "raw": time.raw, "utc": iso(time.utc), "kind": time.kind.value} for time in info.times
    ]
    first = next((point for point in track.points if point.time), None) if track else None
    if track and first:
        times.append({"source": track.reader, "raw": first.raw[:100], "utc": iso(first.time), "kind": first.kind.value})
    device = info.device
    return {
        "path": path,
        "sha256": sha256,
        "size": info.size,
        "mime": info.mime,
        "container": info.container,
        "duration_s": info.duration_s,
        "streams": [{key: getattr(stream, key) for key in _STREAM_KEYS} for stream in info.streams],
        "times": times,
        "track": _track(track) if track and track.points else None,
        "location": {"lat": location.lat, "lon": location.lon, "source": location.source} if location else None,
        "device": {"make": device.make, "model": device.model, "serial": device.serial} if device else None,
        "problems": [_problem(problem) for problem in info.problems],
    }


def describe_failure(path: str, size: int | None, failure: Problem) -> dict[str, Any]:
    """Return the object for a file that couldn't be read at all, with the reason as its problem."""
    nothing = dict.fromkeys(("sha256", "mime", "container", "duration_s", "track", "location", "device"))
    return {"path": path, "size": size, "streams": [], "times": [], "problems": [_problem(failure)]} | nothing


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC with "Z", milliseconds when there are any."""
    if moment is None:
        return None
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def _track(track: Track) -> dict[str, Any]:
    return {
        "reader": track.reader,
        "points": len(track.points),
        "first": _point(track.points[0]),
        "last": _point(track.points[-1]),
        "bbox": list(track.bbox) if track.bbox else None,
        "distance_m": round(track.distance_m, 2),
    }


def _point(point: Point) -> dict[str, Any]:
    return {"time": iso(point.time), "lat": point.lat, "lon": point.lon}


def _problem(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "message": f"{problem.vi} / {problem.en}"}

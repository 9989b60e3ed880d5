"""Read everything a file says about what, when and where, in one go, and in a child process with limits.

`read_files` runs in the child; `read_recording` is what tasks and commands call.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from bodycam.media.continuity import Continuity, read_continuity
from bodycam.media.info import Device, MediaInfo, MediaKind
from bodycam.media.probe import probe
from bodycam.media.problems import Problem, problem
from bodycam.media.sandbox import Sandbox
from bodycam.telemetry import exif, gpmf, gpx, iso6709, nmea
from bodycam.telemetry.iso6709 import Location
from bodycam.telemetry.packets import Packet, side_packets
from bodycam.telemetry.track import Track

_SIDECAR_LIMIT = 64 << 20


@dataclass(frozen=True)
class Reading:
    """What a file is, its track, its one position, and how continuous it is."""

    info: MediaInfo
    track: Track | None = None
    location: Location | None = None
    continuity: Continuity | None = None


def read_recording(
    sandbox: Sandbox,
    source: BinaryIO,
    *,
    name: str,
    sidecars: tuple[tuple[str, BinaryIO], ...] = (),
) -> Reading:
    """Read a file with its sidecars (name, file) in the sandbox; raises a `MediaError` when the child had to be ended."""
    files = [source, *(file for _, file in sidecars)]
    answer = sandbox.call(read_files, files, names=[name, *(sidecar for sidecar, _ in sidecars)])
    return _adapter().validate_python(answer)


def read_files(files: list[BinaryIO], *, names: list[str]) -> Any:  # noqa: ANN401  JSON, for the sandbox's pipe
    """Read `files[0]` with the rest as its sidecars; the child's side of `read_recording`."""
    reading = read(files[0], name=names[0], sidecars=tuple(zip(names[1:], files[1:], strict=True)))
    return _adapter().dump_python(reading, mode="json")


def read(source: BinaryIO, *, name: str, sidecars: tuple[tuple[str, BinaryIO], ...] = ()) -> Reading:
    """Read a file in this process (trusted bytes, tests)."""
    info = probe(source, name=name)
    track = read_track(source, info, sidecars)
    lasting = info.kind in {MediaKind.VIDEO, MediaKind.AUDIO} and info.streams
    continuity = read_continuity(source) if lasting else None
    location = locate(info, track)
    problems = (*info.problems, *_problems(info, track, location))
    return Reading(replace(info, problems=problems, device=_device(info, track)), track, location, continuity)


def read_track(source: BinaryIO, info: MediaInfo, sidecars: tuple[tuple[str, BinaryIO], ...] = ()) -> Track | None:
    """Return the track inside a file, or the first one among its sidecars, or None."""
    if info.kind is MediaKind.SIDECAR:
        return _read_text(info.mime, _all(source))
    if any(stream.type in {"data", "subtitle"} for stream in info.streams):
        track = _read_packets(list(side_packets(source)))
        if track is not None:
            return track
    for name, file in sidecars:
        track = _read_text(probe(file, name=name).mime, _all(file))
        if track is not None:
            return track
    return None


def locate(info: MediaInfo, track: Track | None) -> Location | None:
    """Return a file's one position: written in its tags, or the first fix of its track."""
    found = exif.locate(info.metadata) if info.kind is MediaKind.IMAGE else iso6709.locate(info.metadata)
    if found is not None or track is None or not track.fixed:
        return found
    first = track.fixed[0]
    return Location(first.lat, first.lon, track.reader, first.alt, first.raw)


def _read_packets(packets: list[Packet]) -> Track | None:
    telemetry = [packet for packet in packets if packet.data.startswith(gpmf.MAGIC)]
    if telemetry:
        return gpmf.read(telemetry)
    if any(b"$G" in packet.data[:400] for packet in packets):
        return nmea.read(pair for packet in packets for pair in nmea.split_lines(packet.data, packet.start_s))
    return None


def _read_text(mime: str, data: bytes) -> Track | None:
    if mime == "application/gpx+xml":
        return gpx.read(data)
    if b"$G" in data[:100_000]:
        return nmea.read(nmea.split_lines(data))
    return None


def _all(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(_SIDECAR_LIMIT)


def _problems(info: MediaInfo, track: Track | None, location: Location | None) -> list[Problem]:
    found = []
    if track is not None and track.rejected:
        found.append(problem("track_damaged", count=track.rejected))
    if track is not None and track.bad_checksums:
        found.append(problem("bad_checksums", count=track.bad_checksums))
    if info.kind is MediaKind.IMAGE:
        if location is None and exif.has_position(info.metadata):
            found.append(problem("bad_position", raw=exif.raw_text(info.metadata)))
        return found
    written = next((info.metadata[key] for key in iso6709.KEYS if info.metadata.get(key)), None)
    if written is not None and iso6709.parse(written) is None:
        found.append(problem("bad_position", raw=written))
    return found


def _device(info: MediaInfo, track: Track | None) -> Device | None:
    if info.device is not None or track is None or not track.device:
        return info.device
    make = "GoPro" if track.device.lower().startswith(("gopro", "hero")) else None
    return Device(make, track.device)


@cache
def _adapter() -> TypeAdapter[Reading]:
    return TypeAdapter(Reading)

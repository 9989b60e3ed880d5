"""How continuous a recording is: its time stamps without gaps, and picture and sound of one length.

Time stamps come from the container's index where there is one (MP4, AVI: nothing else is read); else from the packets,
up to a limit, and nothing is said of a file beyond it.
"""

import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

import structlog

from bodycam.media.probe import AV_ERRORS, open_container

_log = structlog.get_logger()
MAX_GAPS = 100
_MAX_PACKETS = 400_000
_MAX_BYTES = 1 << 30
_MIN_GAP_S = 0.5
_FRAMES = 5
_WHOLE = 0.8  # part of the stream that an index must span to be taken for the whole


@dataclass(frozen=True)
class Continuity:
    """Gaps in the picture's time stamps (start, end in seconds), the span of the stamps, and what was looked at."""

    stamps: int
    span_s: float
    gaps: tuple[tuple[float, float], ...] = ()
    video_s: float | None = None
    audio_s: float | None = None


def read_continuity(file: BinaryIO) -> Continuity | None:
    """Return the continuity of a recording's picture (or its sound, without one); None when there are no stamps to see."""
    try:
        with open_container(file) as container:
            streams = container.streams
            main = next(iter(streams.video), None) or next(iter(streams.audio), None)
            if main is None:
                return None
            stamps = _stamps(container, main)
            video_s, audio_s = _length(streams.video), _length(streams.audio)
    except AV_ERRORS as error:
        _log.info("continuity_unreadable", error=type(error).__name__)
        return None
    if len(stamps) < 2:  # noqa: PLR2004  nothing between
        return None
    gaps = find_gaps(stamps)
    return Continuity(len(stamps), round(stamps[-1] - stamps[0], 3), gaps, video_s, audio_s)


def find_gaps(stamps: list[float]) -> tuple[tuple[float, float], ...]:
    """Return where successive stamps (seconds, sorted) lie further apart than half a second and five usual frames."""
    steps = sorted(after - before for before, after in pairwise(stamps))
    usual = steps[len(steps) // 2]
    least = max(_MIN_GAP_S, _FRAMES * usual)
    if bisect.bisect_right(steps, least) == len(steps):
        return ()
    origin = stamps[0]
    found = [(round(a - origin, 3), round(b - origin, 3)) for a, b in pairwise(stamps) if b - a > least]
    return tuple(found[:MAX_GAPS])


def _stamps(container: Any, stream: Any) -> list[float]:  # noqa: ANN401  PyAV's objects are untyped here
    unit = float(stream.time_base or 0)
    if container.format.name.startswith(("mov,", "avi")) and len(stream.index_entries) > 1:
        stamps = sorted(entry.timestamp * unit for entry in stream.index_entries)
        if not stream.duration or stamps[-1] - stamps[0] > _WHOLE * stream.duration * unit:
            return stamps  # a fragmented file's index holds its first fragment only; MKV's holds key frames only
    return sorted(_packet_stamps(container.demux(stream), unit))


def _packet_stamps(packets: Iterable[Any], unit: float) -> list[float]:
    stamps: list[float] = []
    total = 0
    for packet in packets:
        total += packet.size
        if len(stamps) >= _MAX_PACKETS or total > _MAX_BYTES:
            return []
        if packet.dts is not None:
            stamps.append(packet.dts * unit)
    return stamps


def _length(streams: Any) -> float | None:  # noqa: ANN401
    stream = next(iter(streams), None)
    if stream is None or not stream.duration or not stream.time_base:
        return None
    return round(float(stream.duration * stream.time_base), 3)

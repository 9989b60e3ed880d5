"""When a recording began: what the device wrote, and the best corrected time, each with where it's from.

The order of trust: the receiver's own GPS time (of the track, else of the tags); a time written with its offset; the container's
time corrected by the clock offset that the dock measured; the container's time alone. A time that can't be (a clock that lost its
power, or after the sealing: a camera that writes local time as UTC) is passed over here and named by the checks: an unknown
beginning ascribes a recording to nobody falsely.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from bodycam import clock
from bodycam.media.info import MediaInfo, MediaTime, TimeKind
from bodycam.media.names import NAME
from bodycam.recordings.names import NameFacts
from bodycam.telemetry.track import PointTime, Track

RESET_DAYS = frozenset(
    date(*day)
    for day in [(1904, 1, 1), (1970, 1, 1), (1980, 1, 1), (1980, 1, 6), (2000, 1, 1), (2015, 1, 1), (2016, 1, 1)]
)
"""The days on which clocks that lost their power wake up, in their own zone (DOMAIN: reset dates)."""

_EARLIEST = datetime(2000, 1, 3, tzinfo=UTC)
_SLACK = timedelta(days=1)
_FAST = timedelta(minutes=10)  # a clock nobody measured may be so much ahead
_ORDER = (TimeKind.OFFSET, TimeKind.CONTAINER, TimeKind.DERIVED)


@dataclass(frozen=True)
class Beginning:
    """When a recording began, UTC: as the device wrote it (`device`, `raw`), and corrected (`started`, from `source`)."""

    device: datetime | None
    raw: str | None
    started: datetime | None
    source: str | None  # gps, dock (device time minus the measured offset), device


def beginning(info: MediaInfo, track: Track | None, *, clock_offset_s: float | None, sealed_at: datetime) -> Beginning:
    """Choose among a file's times; `clock_offset_s` is device minus dock as measured at docking."""
    written = _written(info)
    device = written.utc if written else None
    raw = written.raw if written else None
    by_gps = _from_track(track, sealed_at) or _from_tags(info, sealed_at)
    if by_gps is not None:
        return Beginning(device, raw, by_gps, "gps")
    started, source = device, "device"
    if device is not None and clock_offset_s is not None and written is not None and written.kind != TimeKind.OFFSET:
        started, source = _without(device, clock_offset_s), "dock"
    if started is None or started > sealed_at + _FAST:
        return Beginning(device, raw, None, None)
    return Beginning(device, raw, started, source)


def with_named_start(info: MediaInfo, named: NameFacts | None) -> MediaInfo:
    """Return a file's facts with the start its name says by the zone of its camera's profile, in place of a guessed one."""
    if named is None or named.start is None:
        return info
    others = tuple(time for time in info.times if time.source != NAME)
    return replace(info, times=(*others, MediaTime(NAME, named.start_raw, named.start, TimeKind.DERIVED)))


def _without(device: datetime, offset_s: float) -> datetime | None:
    try:
        return device - timedelta(seconds=offset_s)
    except OverflowError:
        return None


def _written(info: MediaInfo) -> MediaTime | None:
    for kind in _ORDER:
        for time in info.times:
            if time.kind == kind and time.utc is not None and _can_be(time.utc):
                return time
    return None


def _can_be(moment: datetime) -> bool:
    return moment >= _EARLIEST and not {moment.date(), clock.local(moment).date()} & RESET_DAYS


def _from_tags(info: MediaInfo, sealed_at: datetime) -> datetime | None:
    times = (time.utc for time in info.times if time.kind == TimeKind.GPS and time.utc is not None)
    first = next(times, None)
    return first if first is not None and _EARLIEST <= first <= sealed_at + _SLACK else None


def _from_track(track: Track | None, sealed_at: datetime) -> datetime | None:
    for point in track.fixed if track else ():
        if point.time is None or point.kind != PointTime.GPS:
            continue
        started = point.time - timedelta(seconds=point.offset_s or 0.0)
        return started if _EARLIEST <= started <= sealed_at + _SLACK else None
    return None

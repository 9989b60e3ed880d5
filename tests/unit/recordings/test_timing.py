"""When a recording began: the most trusted time that can be, and none rather than a false one."""

from datetime import UTC, datetime, timedelta

import pytest

from bodycam.media.info import MediaInfo, MediaKind, MediaTime, TimeKind
from bodycam.recordings.timing import beginning
from bodycam.telemetry.track import Point, Track

SEALED = datetime(2026, 11, 21, 10, tzinfo=UTC)
FILMED = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
GPS = datetime(2026, 11, 21, 7, 20, 3, tzinfo=UTC)


def info(*times: tuple[TimeKind, datetime]) -> MediaInfo:
    written = tuple(MediaTime("x", moment.isoformat(), moment, kind) for kind, moment in times)
    return MediaInfo(1, MediaKind.VIDEO, "video/mp4", times=written)


def track(moment: datetime, offset_s: float) -> Track:
    return Track("gpmf", (Point(21.0, 105.8, time=moment, offset_s=offset_s),))


@pytest.mark.parametrize(
    ("times", "gps", "offset_s", "started", "source"),
    [
        ([(TimeKind.CONTAINER, FILMED)], None, None, FILMED, "device"),
        ([(TimeKind.CONTAINER, FILMED + timedelta(seconds=8))], None, 8.0, FILMED, "dock"),
        ([(TimeKind.CONTAINER, FILMED - timedelta(hours=7))], None, -7 * 3600.0, FILMED, "dock"),
        ([(TimeKind.CONTAINER, FILMED + timedelta(hours=1))], track(GPS, 3.0), 3600.0, FILMED, "gps"),
        ([(TimeKind.OFFSET, FILMED)], None, 60.0, FILMED, "device"),
        ([(TimeKind.CONTAINER, FILMED), (TimeKind.GPS, GPS)], None, None, GPS, "gps"),
        ([(TimeKind.DERIVED, datetime(2008, 10, 23, tzinfo=UTC))], None, None, datetime(2008, 10, 23, tzinfo=UTC), "device"),
        ([], None, None, None, None),
        ([(TimeKind.CONTAINER, FILMED + timedelta(hours=7))], None, None, None, None),
        ([(TimeKind.CONTAINER, datetime(1970, 1, 1, tzinfo=UTC))], None, None, None, None),
        ([(TimeKind.CONTAINER, datetime(2015, 1, 1, 3, tzinfo=UTC))], None, None, None, None),
        ([(TimeKind.DERIVED, datetime(2015, 12, 31, 17, 5, tzinfo=UTC))], None, None, None, None),
        ([(TimeKind.CONTAINER, FILMED)], track(datetime(1999, 8, 22, tzinfo=UTC), 0.0), None, FILMED, "device"),
    ],
    ids=[
        "the file's time", "a fast clock is put back", "a slow clock is put forward", "satellites before the dock",
        "a time with its zone is left alone", "a picture's GPS time before its own", "an old photograph keeps its time",
        "no time at all", "local time written as UTC", "a clock without power", "a clock that woke up in 2015",
        "one that woke up in 2016 in Vietnam's zone", "a receiver before its rollover",
    ],
)  # fmt: skip
def test_a_recording_began_at_its_most_trusted_time(
    times: list[tuple[TimeKind, datetime]],
    gps: Track | None,
    offset_s: float | None,
    started: datetime | None,
    source: str | None,
) -> None:
    found = beginning(info(*times), gps, clock_offset_s=offset_s, sealed_at=SEALED)
    assert (found.started, found.source) == (started, source)


def test_an_offset_beyond_all_dates_is_no_beginning() -> None:
    assert beginning(info((TimeKind.CONTAINER, FILMED)), None, clock_offset_s=1e12, sealed_at=SEALED).started is None

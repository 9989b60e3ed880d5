"""When a recording began, of all the times a file and a dock tell."""

from datetime import UTC, datetime, timedelta

import pytest

from bodycam.media.info import MediaInfo, MediaKind, MediaTime, TimeKind
from bodycam.recordings.timing import beginning

SEALED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)  # 16:00 in Vietnam
BEGAN = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)  # 14:20
HOURS_7 = timedelta(hours=7)


def info(moment: datetime, kind: TimeKind = TimeKind.CONTAINER) -> MediaInfo:
    return MediaInfo(1, MediaKind.VIDEO, "video/mp4", times=(MediaTime("container", "raw", moment, kind),))


@pytest.mark.parametrize(("ahead_s", "source"), [(None, "device"), (0.0, "dock"), (600.0, "dock"), (-25200.0, "dock")])
def test_the_measured_offset_is_taken_off_the_camera_s_time(ahead_s: float | None, source: str) -> None:
    written = BEGAN + timedelta(seconds=ahead_s or 0.0)
    found = beginning(info(written), None, clock_offset_s=ahead_s, sealed_at=SEALED)
    assert (found.device, found.started, found.source) == (written, BEGAN, source)


def test_a_time_written_with_its_zone_is_kept() -> None:
    found = beginning(info(BEGAN, TimeKind.OFFSET), None, clock_offset_s=-25200.0, sealed_at=SEALED)
    assert (found.started, found.source) == (BEGAN, "device")


@pytest.mark.parametrize("offset_s", [None, 0.0])
def test_local_time_written_as_utc_is_no_beginning_when_it_lies_after_the_sealing(offset_s: float | None) -> None:
    found = beginning(info(BEGAN + HOURS_7), None, clock_offset_s=offset_s, sealed_at=SEALED)
    assert (found.device, found.started, found.source) == (BEGAN + HOURS_7, None, None)


def test_an_offset_beyond_all_dates_is_no_beginning() -> None:
    assert beginning(info(BEGAN), None, clock_offset_s=1e12, sealed_at=SEALED).started is None

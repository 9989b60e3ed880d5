"""What a citizen writes of time and place, and the holds that follow from it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.petitions.holding import read_when, read_where

RECEIVED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("14:20 ngày 09/11/2026", "2026-11-08", "2026-11-10"),
        ("khoảng 14–15 giờ hôm qua", "2026-11-20", "2026-11-22"),
        ("sáng nay, 7h15", "2026-11-21", "2026-11-23"),
        ("9/11", "2026-11-08", "2026-11-10"),
        ("24.12", "2025-12-23", "2025-12-25"),  # without a year: the last one that has been
        ("ngày 3 tháng 10 năm 2026 lúc 8h", "2026-10-02", "2026-10-04"),
        ("2026-11-01 10:00", "2026-10-31", "2026-11-02"),
        ("từ 01/11/26 đến 05/11/26", "2026-10-31", "2026-11-06"),
    ],
)
def test_a_day_is_held_with_half_a_day_around(text: str, first: str, last: str) -> None:
    span = read_when(text, RECEIVED)
    assert span is not None
    assert [str((moment + timedelta(hours=7)).date()) for moment in span] == [first, last]


@pytest.mark.parametrize("text", ["", "không nhớ", "tuần trước", "31/02/2026", "01/01/2031", "14.30", "99/99"])
def test_what_names_no_day_that_has_been_leaves_the_time_open(text: str) -> None:
    assert read_when(text, RECEIVED) is None


@given(st.text(max_size=200))
def test_no_text_of_time_or_place_breaks_the_reading(text: str) -> None:
    span = read_when(text, RECEIVED)
    assert span is None or span[0] < span[1]
    read_where(text)


def test_coordinates_are_read_and_names_are_not_guessed() -> None:
    assert read_where("QL1A, 20.98713, 105.86442") == (20.98713, 105.86442)
    for text in ("Phường Định Công, Hà Nội", "48.85661, 102.35222", "km 12.345 và 105"):
        assert read_where(text) is None

import io
from pathlib import Path

import films
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.media.boxes import boxes, find
from bodycam.media.continuity import find_gaps, read_continuity


def test_a_whole_film_has_no_gap(tmp_path: Path):
    with films.make_film(tmp_path / "a.mp4", frames=90).open("rb") as file:
        found = read_continuity(file)
    assert (found.stamps, found.gaps) == (90, ())
    assert abs(found.video_s - found.audio_s) < 0.2


def test_missing_frames_are_found_where_they_miss(tmp_path: Path):
    film = films.make_film(tmp_path / "a.mp4", frames=300, sound=False, skip=lambda number: 100 <= number < 190)
    with film.open("rb") as file:
        (gap,) = read_continuity(file).gaps
    assert gap == pytest.approx((3.3, 6.3), abs=0.15)  # the order of decoding shifts it by a frame or two


def test_containers_without_a_whole_index_are_read_by_packets(tmp_path: Path):
    for name, options in (("a.mkv", {}), ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}), ("a.ts", {})):
        film = films.make_film(tmp_path / name, frames=300, sound=False, options=options, skip=lambda n: 60 <= n < 150)
        with film.open("rb") as file:
            assert len(read_continuity(file).gaps) == 1, name


def test_a_slow_time_lapse_has_no_gaps():
    assert find_gaps([n * 2.0 for n in range(50)]) == ()


def test_noise_has_no_continuity():
    assert read_continuity(io.BytesIO(b"abc")) is None


@given(st.binary(max_size=300))
def test_boxes_never_reach_past_their_file(data: bytes):
    for box in boxes(io.BytesIO(data), 0, len(data)):
        assert 0 <= box.start <= box.end <= len(data)
    list(find(io.BytesIO(data), (b"moov", b"udta"), 0, len(data)))

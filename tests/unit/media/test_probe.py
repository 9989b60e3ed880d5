import io
import os
from datetime import UTC, datetime
from pathlib import Path

import films
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam.media.info import MediaKind, TimeKind, info_from_json, info_to_json
from bodycam.media.probe import probe

CREATED = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)


def codes(info):
    return [problem.code for problem in info.problems]


def test_a_film_tells_its_container_streams_and_times(tmp_path: Path):
    info = probe(films.make_film(tmp_path / "DSJ_0412_030577_20261121_142000.mp4", created=CREATED))
    assert (info.kind, info.mime, info.container) == (MediaKind.VIDEO, "video/mp4", "mp4")
    assert info.duration_s == pytest.approx(2.0, abs=0.2)
    video, audio = info.first("video"), info.first("audio")
    assert (video.codec, video.width, video.height, video.fps) == ("h264", 64, 48, 30.0)
    assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 16_000, 1)
    times = {time.source: time for time in info.times}
    assert times["container"].utc == CREATED
    assert times["container"].kind is TimeKind.CONTAINER
    assert times["name"].utc == CREATED  # 14:20 in Vietnam
    assert times["name"].kind is TimeKind.DERIVED
    assert info.problems == ()


def test_an_info_travels_as_json(tmp_path: Path):
    info = probe(films.make_film(tmp_path / "a.mp4", created=CREATED))
    assert info_from_json(info_to_json(info)) == info


@pytest.mark.parametrize(("name", "container"), [("a.mkv", "matroska"), ("a.ts", "mpegts"), ("a.mov", "mov")])
def test_other_containers_are_read(tmp_path: Path, name: str, container: str):
    info = probe(films.make_film(tmp_path / name))
    assert info.container == container
    assert info.first("video").codec == "h264"


def test_an_open_file_is_read_like_a_path(tmp_path: Path):
    path = films.make_film(tmp_path / "a.mp4")
    assert probe(io.BytesIO(path.read_bytes()), name="a.mp4") == probe(path)


def test_foreign_texts_are_fit_for_a_database(tmp_path: Path):
    film = films.make_film(tmp_path / "a.mov", metadata={"make": "A\x01\x7fcme " + "x" * 500, "model": "Máy số 1"})
    device = probe(film).device
    assert device.make.startswith("Acme x")
    assert len(device.make) == 100
    assert device.model == "Máy số 1"


def test_an_empty_file_is_named():
    assert codes(probe(io.BytesIO(b""))) == ["empty"]


def test_a_film_cut_before_its_index_is_named(tmp_path: Path):
    whole = films.make_film(tmp_path / "a.mp4").read_bytes()
    info = probe(io.BytesIO(whole[: len(whole) // 2]))
    assert codes(info) == ["no_moov"]
    assert info.kind is MediaKind.VIDEO


def test_a_film_cut_after_its_index_says_how_much_is_missing(tmp_path: Path):
    whole = films.make_film(tmp_path / "a.mp4", options={"movflags": "+faststart"}).read_bytes()
    info = probe(io.BytesIO(whole[:-500]))
    assert codes(info) == ["truncated"]
    assert "500" in info.problems[0].en


def test_text_and_noise_are_no_recordings():
    assert codes(probe(io.BytesIO("Biên bản số 45".encode()), name="note.txt")) == ["not_media"]
    assert codes(probe(io.BytesIO(os.urandom(20_000)))) == ["unknown_format"]


def test_a_sidecar_is_known_by_its_content():
    info = probe(io.BytesIO(b"$GPRMC,072000.00,A,2101.7,N,10551.2,E,0,0,211126,,,A*00\r\n"), name="x.txt")
    assert info.kind is MediaKind.SIDECAR


def test_a_playlist_opens_nothing():
    listing = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://192.0.2.1/a.ts\n#EXT-X-ENDLIST\n"
    assert codes(probe(io.BytesIO(listing), name="a.mp4")) == ["not_media"]


def test_an_atom_that_lies_about_its_length_is_survived(tmp_path: Path):
    whole = bytearray(films.make_film(tmp_path / "a.mp4").read_bytes())
    at = whole.index(b"moov") - 4
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    assert probe(io.BytesIO(bytes(whole))).problems


def test_broken_exif_falls_back_and_keeps_the_picture():
    info = probe(films.sample("data_corrupt_exif.jpg"))
    assert info.mime == "image/jpeg"
    assert info.metadata["GPSLatitudeRef"] == "N"


def test_a_jpeg_that_makes_exifread_raise_is_still_read(monkeypatch: pytest.MonkeyPatch):
    path = films.sample("gps_DSCN0010.jpg")
    monkeypatch.setattr("exifread.process_file", lambda *_, **__: 1 / 0)
    info = probe(path)
    assert codes(info) == ["exif_damaged"]
    assert info.device.model == "COOLPIX P6000"
    assert info.metadata["GPSLatitudeRef"] == "N"


@pytest.mark.parametrize("written", [b"0001:01:01 00:00:00", b"9999:12:31 23:59:59", b"2008:10:22 16:28:61"])
def test_a_stills_time_beyond_all_bounds_has_no_reading(written: bytes):
    data = films.sample("gps_DSCN0010.jpg").read_bytes().replace(b"2008:10:22 16:28:39", written)
    time = next(time for time in probe(io.BytesIO(data)).times if time.source == "exif:DateTimeOriginal")
    assert (time.raw, time.utc) == (written.decode(), None)


@pytest.mark.parametrize(
    ("name", "utc"),
    [
        ("DSJ_0412_030577_20261121_142000.mp4", CREATED),
        ("VID_20261121_142000_SOS.mp4", CREATED),
        ("2026-11-21 14-20-00.mov", None),
        ("DSJ_99999999_999999.mp4", None),
        ("IMG_0001.jpg", None),
    ],
)
def test_times_in_names_are_vietnams(name: str, utc: datetime | None):
    times = [time for time in probe(io.BytesIO(b"x"), name=name).times if time.source == "name"]
    if name.startswith("2026"):
        utc = CREATED
    assert [time.utc for time in times] == ([utc] if utc else [])


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\xff\xd8\xff\xe1", b"II*\0", b"RIFF\0\0\0\0AVI ", b"\0\0\0 ftypmp42"]),
)
def test_no_bytes_make_the_probe_raise(data: bytes, start: bytes):
    info = probe(io.BytesIO(start + data), name="x.mp4")
    assert info.size == len(start) + len(data)
    info_to_json(info)

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import films
import pytest

from bodycam.media.sandbox import Limits, Sandbox
from bodycam.telemetry.export import to_csv, to_geojson, to_gpx
from bodycam.telemetry.inspection import describe
from bodycam.telemetry.reading import read, read_recording
from bodycam.telemetry.track import Point, Track

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def box():
    with Sandbox() as sandbox:
        yield sandbox


def from_sample(box: Sandbox, name: str):
    with films.sample(name).open("rb") as file:
        return read_recording(box, file, name=name)


def test_the_gopro_sample(box: Sandbox):
    track = from_sample(box, "gopro_max_gpmf.mp4").track
    assert (track.reader, len(track.points)) == ("gpmf", 191)
    assert (track.points[0].lat, track.points[0].lon) == pytest.approx((33.12677, -117.3273436), abs=1e-7)
    assert track.points[0].time == datetime(2019, 11, 18, 23, 45, 14, tzinfo=UTC)


def test_the_phone_sample(box: Sandbox):
    reading = from_sample(box, "phone_with_gps.mp4")
    assert (reading.location.lat, reading.location.lon) == pytest.approx((51.4169, -0.0806))
    assert reading.info.times[0].utc == datetime(2017, 2, 22, 8, 20, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "lat", "lon", "gps_time"),
    [
        ("gps_DSCN0010.jpg", 43.4674483, 11.8851267, "2008-10-23T14:27:07.240000+00:00"),
        ("gps_DSCN0021.jpg", 43.4670817, 11.8845383, "2008-10-23T14:36:47.230000+00:00"),
        ("mobile_HMD_Nokia_8.3_5G_hdr.heif", 40.6629935, -3.7637405, "2022-01-12T07:30:14+00:00"),
        ("data_corrupt_exif.jpg", 48.0810453, -1.6678411, None),
        ("data_fixed_exif.jpg", 48.0810453, -1.6678411, None),
    ],
)
def test_the_stills(box: Sandbox, name: str, lat: float, lon: float, gps_time: str | None):
    reading = from_sample(box, name)
    assert (reading.location.lat, reading.location.lon) == pytest.approx((lat, lon), abs=1e-6)
    times = [time.utc.isoformat() for time in reading.info.times if time.source == "exif:gps"]
    assert times == ([gps_time] if gps_time else [])


def test_the_gpx_sample(box: Sandbox):
    track = from_sample(box, "gpx_sf_30km_h.gpx").track
    assert (len(track.points), track.points[0].lat, track.points[0].lon) == (49, 37.793585, -122.461396)


def test_no_position_out_of_range_is_accepted(box: Sandbox):
    reading = from_sample(box, "70mai_gps_out_of_range.mp4")
    assert reading.location is None
    assert reading.track is None


def test_a_film_with_a_telemetry_track(box: Sandbox, tmp_path: Path):
    film = films.make_film(tmp_path / "a.mp4", frames=150, created=START, telemetry=films.ride(START, 5))
    with film.open("rb") as file:
        reading = read_recording(box, file, name="a.mp4")
    assert [point.time for point in reading.track.points] == [START + timedelta(seconds=n) for n in range(5)]
    assert [round(point.offset_s) for point in reading.track.points] == [0, 1, 2, 3, 4]
    assert reading.location.source == "gpmf"
    assert reading.continuity.gaps == ()


def test_a_sidecar_gives_the_track(box: Sandbox, tmp_path: Path):
    film = films.make_film(tmp_path / "a.mp4", metadata={"location": "+21.0285+105.8542/"})
    text = films.nmea("GPRMC,072000.00,A,2101.71000,N,10551.25200,E,10.0,45.0,211126,,,A").encode()
    with film.open("rb") as file:
        reading = read_recording(box, file, name="a.mp4", sidecars=(("a.nmea", io.BytesIO(text)),))
    assert reading.track.reader == "nmea"


def test_a_still_with_an_impossible_position_says_so():
    data = bytearray(films.sample("gps_DSCN0010.jpg").read_bytes())
    at = data.index(bytes([43, 0, 0, 0, 1, 0, 0, 0])) if bytes([43, 0, 0, 0, 1, 0, 0, 0]) in data else None
    if at is None:
        at = data.index(bytes([0, 0, 0, 43, 0, 0, 0, 1]))
        data[at : at + 4] = (8059).to_bytes(4, "big")
    else:
        data[at : at + 4] = (8059).to_bytes(4, "little")
    reading = read(io.BytesIO(bytes(data)), name="x.jpg")
    assert reading.location is None
    assert [problem.code for problem in reading.info.problems] == ["bad_position"]


def test_the_description_has_the_agreed_keys(box: Sandbox):
    facts = describe("a.mp4", "00", from_sample(box, "gopro_max_gpmf.mp4"))
    assert list(facts) == [
        *("path", "sha256", "size", "mime", "container", "duration_s", "streams", "times"),
        *("track", "location", "device", "problems"),
    ]
    assert list(facts["track"]) == ["reader", "points", "first", "last", "bbox", "distance_m"]
    assert facts["track"]["first"]["time"] == "2019-11-18T23:45:14Z"
    assert set(facts["streams"][0]) == {"type", "codec", "width", "height", "fps", "sample_rate", "channels"}
    assert facts["device"]["model"] == "GoPro Max"
    json.dumps(facts, allow_nan=False)


def test_tracks_are_written_in_three_formats(box: Sandbox):
    track = from_sample(box, "gpx_sf_30km_h.gpx").track
    named = [("a & b.mp4", track)]
    assert read(io.BytesIO(to_gpx(named).encode()), name="x.gpx").track.points[-1].lat == track.points[-1].lat
    (feature,) = json.loads(to_geojson(named))["features"]
    assert feature["geometry"]["coordinates"][0] == [-122.461396, 37.793585, 94.75]
    assert len(to_csv(named).splitlines()) == 50


@pytest.mark.parametrize(
    ("name", "cases"),
    [("gps_DSCN0010.jpg", 150), ("data_fixed_exif.jpg", 150), ("70mai_gps.mp4", 200), ("phone_with_gps.mp4", 60)],
)
def test_mutated_real_files_never_crash_the_reader(name: str, cases: int):
    original = films.sample(name).read_bytes()
    chance = random.Random(name)
    with Sandbox(Limits(wall_s=5)) as box:
        for _ in range(cases):
            data = bytearray(original[: chance.choice([len(original), chance.randrange(1, len(original))])])
            near = chance.choice([2_000, len(data)])
            for _ in range(chance.randrange(1, 12)):
                data[chance.randrange(min(near, len(data)))] = chance.choice([0, 255, chance.randrange(256)])
            reading = read_recording(box, io.BytesIO(bytes(data)), name=name)
            for point in reading.track.points if reading.track else ():
                assert abs(point.lat) <= 90
            assert reading.location is None or abs(reading.location.lat) <= 90


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0.mp4", "+1.mp4", "-2.mp4", "@SUM(A1).mp4", "\t=1.mp4"])
def test_a_file_name_is_no_formula_in_a_spreadsheet(name: str):
    line = next(csv.reader(to_csv([(name, Track("nmea", (Point(21.0, 105.8),)))]).splitlines()[1:]))
    assert line[0] == f"'{name}"

"""ISO 6709 strings, Exif positions and GPX sidecars."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam.telemetry import exif, gpx, iso6709


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+21.0285+105.8542/", (21.0285, 105.8542, None)),
        ("+21.0285+105.8542+012.500/", (21.0285, 105.8542, 12.5)),
        ("-33.8688+151.2093-001CRSWGS_84/", (-33.8688, 151.2093, -1.0)),
        ("+2101.71+10551.252/", (21.0285, 105.8542, None)),
        ("+210142.6+1055115.12/", (21.0285, 105.8542, None)),
        ("+51.4169-000.0806/", (51.4169, -0.0806, None)),
    ],
)
def test_iso6709_in_its_three_forms(text: str, found: tuple[float, float, float | None]):
    assert iso6709.parse(text) == pytest.approx(found)


@pytest.mark.parametrize(
    "text", ["", "21.0+105.0/", "+91.0+105.0/", "+21.0+181.0/", "+2161.0+10551.0/", "+21,0+105,0", "+21.0"]
)
def test_what_is_no_position_is_refused(text: str):
    assert iso6709.parse(text) is None


def test_the_first_good_key_wins():
    tags = {"com.apple.quicktime.location.ISO6709": "nowhere", "location": "+21.0285+105.8542/"}
    assert iso6709.locate(tags).lat == 21.0285


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=40), st.from_regex(r"[+-]\d{2,7}(\.\d{0,5})?[+-]\d{2,8}(\.\d{0,5})?/?", fullmatch=True))
)
def test_no_text_makes_iso6709_raise(text: str):
    found = iso6709.parse(text)
    if found is not None:
        assert abs(found[0]) <= 90
        assert abs(found[1]) <= 180


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_what_is_written_is_read(lat: float, lon: float):
    found = iso6709.parse(f"{lat:+09.5f}{lon:+010.5f}/")
    assert found[:2] == pytest.approx((lat, lon), abs=1e-5)


def tags(**changes: str) -> dict[str, str]:
    return {
        "GPSLatitude": "21 1 4260/100",
        "GPSLatitudeRef": "N",
        "GPSLongitude": "105 51 1512/100",
        "GPSLongitudeRef": "E",
    } | changes


def test_exif_rationals_are_degrees():
    found = exif.locate(tags(GPSAltitude="25/2", GPSAltitudeRef="1"))
    assert (found.lat, found.lon, found.alt) == pytest.approx((21.0285, 105.8542, -12.5))


def test_south_and_west_are_negative():
    found = exif.locate(tags(GPSLatitudeRef="S", GPSLongitudeRef="W"))
    assert (found.lat, found.lon) == pytest.approx((-21.0285, -105.8542))


@pytest.mark.parametrize(
    "changes",
    [
        {"GPSLatitude": "0/0 0/0 0/0"},
        {"GPSLatitude": "nan nan nan"},
        {"GPSLatitude": "inf 0 0"},
        {"GPSLatitude": "8059 0 0"},
        {"GPSLatitude": "-21 1 0"},
        {"GPSLatitudeRef": ""},
        {"GPSLatitudeRef": "X"},
        {"GPSLongitude": ""},
        {"GPSLongitude": "1 2 3 4"},
    ],
)
def test_exif_that_makes_no_position(changes: dict[str, str]):
    assert exif.locate(tags(**changes)) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=3))
def test_no_exif_text_raises(text: str, letter: str):
    found = exif.locate(tags(GPSLatitude=text, GPSLatitudeRef=letter, GPSAltitude=text))
    assert found is None or math.isfinite(found.lat)


GPX = b"""<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="21.0285" lon="105.8542"><ele>12</ele><time>2026-11-21T07:20:00Z</time><fix>3d</fix><sat>9</sat></trkpt>
<trkpt lat="21.0290" lon="105.8550"><time>2026-11-21T07:20:05Z</time></trkpt></trkseg></trk></gpx>"""


def test_a_gpx_sidecar():
    first, second = gpx.read(GPX).points
    assert (first.lat, first.lon, first.alt, first.fix, first.satellites) == (21.0285, 105.8542, 12.0, 3, 9)
    assert first.time == datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
    assert second.offset_s == 5.0


def test_times_beyond_all_bounds_are_none():
    assert gpx.read(GPX.replace(b"2026-11-21T07:20:00Z", b"0001-01-01T00:00:00+07:00")).points[0].time is None


def test_gpx_with_entities_or_errors_is_refused():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + GPX
    for data in (bomb, b"<gpx", GPX[:200], GPX.replace(b'"21.0285"', b'"x"'), b""):
        assert gpx.read(data) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_single_change_makes_gpx_raise(data: st.DataObject):
    text = bytearray(GPX)
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    gpx.read(bytes(text))

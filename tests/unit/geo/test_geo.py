import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape

from bodycam.geo.area import in_vietnam
from bodycam.geo.geodesy import from_vn2000, leg, leg_lengths, to_vn2000
from bodycam.geo.places import communes, nearest_place

MAP = Path(__file__).parents[3] / "webui" / "static" / "map"


@pytest.mark.parametrize(
    ("lat", "lon", "epsg", "east", "north"),
    [
        (21.0285, 105.8542, 5897, 588591.944, 2326345.312),
        (21.0285, 105.8542, 3405, 588565.364, 2325647.338),
        (10.7769, 106.7009, 9210, 603796.463, 1191942.259),
        (16.0544, 108.2022, 5899, 548188.299, 1775651.161),
        (20.8449, 106.6881, 9210, 597432.442, 2306067.773),
        (16.8163, 107.1003, 9212, 590430.599, 1860097.170),
    ],
)
def test_vn2000_by_epsg_code(lat: float, lon: float, epsg: int, east: float, north: float):
    assert to_vn2000(lat, lon, epsg) == pytest.approx((east, north), abs=0.001)


def test_geographic_vn2000():
    assert to_vn2000(21.0285, 105.8542, 4756) == pytest.approx((105.85231735, 21.02948599), abs=1e-8)


@given(st.floats(8, 23.5), st.floats(102, 110))
def test_the_way_there_and_back_is_within_two_millimetres(lat: float, lon: float):
    back = from_vn2000(*to_vn2000(lat, lon, 5897), 5897)
    assert leg(lat, lon, *back).metres < 0.002


def test_nowhere_is_refused():
    with pytest.raises(ValueError, match="EPSG:5897"):
        from_vn2000(1e30, 1e30, 5897)


def test_distances():
    assert leg(21.0285, 105.8542, 10.7769, 106.7009).metres == pytest.approx(1_137_900, rel=0.001)
    assert leg_lengths([21.0], [105.0]) == []
    assert leg_lengths([21.0, 21.0, 22.0], [105.0, 105.0, 105.0]) == pytest.approx([0, 110_736], abs=50)


def test_places_are_named_offline():
    place = nearest_place(21.0285, 105.8542)
    assert place.label == "Phường Hoàn Kiếm, Hà Nội"
    assert place.distance_m < 1000
    assert nearest_place(16.5, 112.0).label == "Đặc khu Hoàng Sa, Đà Nẵng"
    assert nearest_place(33.1, -117.3) is None
    assert len(communes()) == 3321


def test_the_box_holds_the_islands():
    assert in_vietnam(16.5, 112.0)
    assert in_vietnam(9.5, 113.5)
    assert not in_vietnam(33.1, -117.3)
    assert not in_vietnam(105.8, 21.0)


def test_the_base_map_has_the_34_provinces_and_the_archipelagos():
    provinces = json.loads((MAP / "provinces.json").read_text())["features"]
    labels = json.loads((MAP / "labels.json").read_text())
    assert len({feature["properties"]["name"] for feature in provinces}) == 34
    assert [label["vi"] for label in labels if label["kind"] == "archipelago"] == [
        "Quần đảo Hoàng Sa (Việt Nam)",
        "Quần đảo Trường Sa (Việt Nam)",
    ]
    assert (MAP / "provinces.json").stat().st_size < 110_000
    named = {feature["properties"]["name"]: shape(feature["geometry"]) for feature in provinces}
    assert named["Hà Nội"].contains(Point(105.8542, 21.0285))
    assert named["Đà Nẵng"].contains(Point(108.0, 15.6))  # once Quảng Nam
    for outline in named.values():
        assert outline.bounds[2] < 110  # no island of the East Sea is drawn from that source

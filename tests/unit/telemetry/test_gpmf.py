from datetime import UTC, datetime, timedelta

import films
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam.telemetry import gpmf
from bodycam.telemetry.packets import Packet
from bodycam.telemetry.track import PointTime

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
HANOI = (21.0285, 105.8542)


def packets(payloads):
    return [Packet(0, float(n), 1.0, payload) for n, payload in enumerate(payloads)]


def test_fixes_carry_position_speed_quality_and_time():
    track = gpmf.read(packets([films.gpmf_payload(START, [HANOI, (21.0286, 105.8543)])]))
    first, second = track.points
    assert (first.lat, first.lon, first.alt, first.speed_mps, first.fix, first.dop) == (*HANOI, 12.0, 5.0, 3, 1.6)
    assert (first.time, first.kind, first.offset_s) == (START, PointTime.GPS, 0.0)
    assert (second.time, second.kind) == (START + timedelta(seconds=0.5), PointTime.DERIVED)
    assert track.device == "Test camera"


def test_times_between_two_payloads_are_spread_over_what_lies_between_them():
    fixes = [HANOI] * 4
    two = [films.gpmf_payload(START, fixes), films.gpmf_payload(START + timedelta(seconds=2), fixes)]
    times = [point.time for point in gpmf.read(packets(two)).points]
    assert times[:4] == [START + timedelta(seconds=n / 2) for n in range(4)]


def test_gps9_brings_its_own_times_and_fix():
    row = (*HANOI, 10.0, 3.0, 3.0, 9822, 26_400.5, 1.2, 3)
    (point,) = gpmf.read(packets([films.gps9_payload([row])])).points
    assert point.time == datetime(2026, 11, 22, 7, 20, 0, 500_000, tzinfo=UTC)
    assert (point.lat, point.lon, point.fix, point.dop) == (*HANOI, 3, 1.2)


def test_a_receiver_without_a_fix_keeps_its_points_apart():
    track = gpmf.read(packets([films.gpmf_payload(None, [(0.0, 0.0)], fix=0)]))
    assert track.points[0].time is None
    assert track.fixed == ()
    assert track.distance_m == 0


def test_positions_out_of_range_are_refused_and_counted():
    track = gpmf.read(packets([films.gpmf_payload(START, [(105.8542, 21.0285), HANOI])]))
    assert [(point.lat, point.lon) for point in track.points] == [HANOI]
    assert (track.rejected, track.rejected_sample) == (1, (105.8542, 21.0285))


def test_a_bad_clock_leaves_the_position():
    payload = films.gpmf_payload(START, [HANOI]).replace(b"261121", b"269921")
    assert gpmf.read(packets([payload])).points[0].time is None


def test_the_distance_is_geodesic():
    # 1' of latitude near 21 N on WGS 84 is 1,845.2 m
    track = gpmf.read(packets([films.gpmf_payload(START, [(21.0, 105.0), (21.0 + 1 / 60, 105.0)])]))
    assert track.distance_m == pytest.approx(1845.2, abs=0.3)


def test_no_payload_no_track():
    assert gpmf.read([]) is None
    assert gpmf.read(packets([films.klv(b"DEVC", b"\0", 1, b"")])) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_make_the_reader_raise(data: bytes, wrapped: bool):
    payload = films.klv(b"DEVC", b"\0", 1, films.klv(b"STRM", b"\0", 1, data)) if wrapped else b"DEVC" + data
    gpmf.read(packets([payload, payload]))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_single_change_to_a_payload_makes_the_reader_raise(data: st.DataObject):
    payload = bytearray(films.gpmf_payload(START, [HANOI] * 3))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] = data.draw(st.integers(0, 255))
    track = gpmf.read(packets([bytes(payload)[: data.draw(st.integers(8, len(payload)))]]))
    for point in track.points if track else ():
        assert abs(point.lat) <= 90
        assert abs(point.lon) <= 180

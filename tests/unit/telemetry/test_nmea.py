from datetime import UTC, datetime

import films
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam.telemetry import nmea

RMC = "GPRMC,072000.00,A,2101.71000,N,10551.25200,E,10.0,45.0,211126,,,A"
GGA = "GPGGA,072000.00,2101.71000,N,10551.25200,E,1,09,0.9,12.0,M,-28.0,M,,"


def read(text: str):
    return nmea.read(nmea.split_lines(text.encode("latin-1")))


def test_two_sentences_of_one_second_are_one_point():
    track = read(films.nmea(RMC) + films.nmea(GGA))
    (point,) = track.points
    assert (point.lat, point.lon) == pytest.approx((21.0285, 105.8542))
    assert point.time == datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
    assert point.speed_mps == pytest.approx(5.1444, abs=1e-3)
    assert (point.alt, point.satellites, point.dop, point.course) == (12.0, 9, 0.9, 45.0)
    assert track.bad_checksums == 0


def test_a_gga_before_its_rmc_gets_the_date():
    assert read(films.nmea(GGA) + films.nmea(RMC)).points[0].time == datetime(2026, 11, 21, 7, 20, tzinfo=UTC)


def test_wrong_checksums_are_kept_and_counted():
    track = read(films.nmea(RMC).replace("*", "*0").replace("\r\n", "") + "\r\n$" + GGA + "\r\n")
    assert track.bad_checksums == 2
    assert len(track.points) == 1


def test_a_void_fix_is_marked():
    track = read(films.nmea(RMC.replace(",A,", ",V,", 1)))
    assert [point.fix for point in track.points] == [0]


def test_midnight_is_crossed():
    before, after = RMC.replace("072000", "235959"), GGA.replace("072000", "000000")
    times = [point.time for point in read(films.nmea(before) + films.nmea(after)).points]
    assert [time.day for time in times] == [21, 22]


def test_other_talkers_and_sentences_may_stand_between():
    text = films.nmea("GPGSV,1,1,00") + "noise $$$\r\n" + films.nmea(RMC.replace("GPRMC", "GNRMC")) + "\r\n"
    assert len(read(text).points) == 1


def test_offsets_count_from_the_first_fix_of_a_sidecar():
    track = read(films.nmea(RMC) + films.nmea(RMC.replace("072000", "072007")))
    assert [point.offset_s for point in track.points] == [0.0, 7.0]


def test_positions_out_of_range_are_refused():
    track = read(films.nmea(RMC.replace("2101.71000", "9901.71000")))
    assert track is None or track.points == ()


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=120))
def test_no_line_makes_the_reader_raise(text: str):
    read(f"$GPRMC,{text}\r\n$GPGGA,{text}\r\n")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_single_change_makes_the_reader_raise(data: st.DataObject):
    text = list(films.nmea(RMC) + films.nmea(GGA))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.characters(max_codepoint=255))
    track = read("".join(text))
    for point in track.points if track else ():
        assert abs(point.lat) <= 90
        assert abs(point.lon) <= 180

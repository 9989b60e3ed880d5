from dataclasses import replace
from datetime import UTC, datetime, timedelta

import films
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.media.continuity import Continuity
from bodycam.media.info import MediaInfo, MediaKind, MediaTime, Stream, TimeKind
from bodycam.media.problems import problem
from bodycam.recordings.models import Verdict
from bodycam.settings import load_settings
from bodycam.telemetry import gpmf
from bodycam.telemetry.packets import Packet
from bodycam.telemetry.track import Point, Track
from bodycam.verification.facts import DockClock, RecordingFacts, SealedBytes
from bodycam.verification.finding import Finding, Row, en_duration, vi_duration, vi_number
from bodycam.verification.gps import find_jumps
from bodycam.verification.service import check
from bodycam.verification.verdict import row_verdict, verdict

LIMITS = load_settings({}).verification
START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
VI_END = "Có thể do pin hoặc cài đặt; chưa phải bằng chứng chỉnh giờ."


def ride(seconds: int = 60, start: datetime = START, step: float = 0.0001) -> Track:
    payloads = films.ride(start, seconds, step=step)
    return gpmf.read([Packet(0, float(n), 1.0, payload) for n, payload in enumerate(payloads)])


def facts(**changes) -> RecordingFacts:
    """A clean docked recording of one minute."""
    file_time = changes.pop("file_time", START)
    times = (MediaTime("container", str(file_time), file_time, TimeKind.CONTAINER),) if file_time else ()
    streams = (Stream("video", "h264"),)
    info = MediaInfo(1000, MediaKind.VIDEO, "video/mp4", "mp4", duration_s=60.0, streams=streams, times=times)
    clean = RecordingFacts(
        name="a.mp4",
        info=changes.pop("info", info),
        at=START + timedelta(hours=8),
        track=ride(),
        continuity=Continuity(900, 59.9, (), 60.0, 60.0),
        clock=DockClock(0.4, is_reference_valid=True),
        sealed=SealedBytes("ab" * 32),
    )
    return replace(clean, **changes)


def one(found: list[Finding], code: str) -> Finding:
    (finding,) = [finding for finding in found if finding.code == code]
    return finding


def results(recording: RecordingFacts) -> dict[str, Verdict]:
    return {finding.code: finding.result for finding in check(recording, LIMITS)}


def test_a_clean_recording_matches_in_every_row_but_the_signature():
    found = check(facts(), LIMITS)
    rows = {row: row_verdict(found, row) for row in Row}
    assert rows.pop(Row.DEVICE_SIGNATURE) is Verdict.NOT_APPLICABLE
    assert set(rows.values()) == {Verdict.MATCH}
    assert verdict(found) is Verdict.MATCH


@pytest.mark.parametrize(
    ("offset", "result"),
    [
        (0.0, Verdict.MATCH),
        (2.0, Verdict.MATCH),
        (-2.1, Verdict.NOTE),
        (10.0, Verdict.NOTE),
        (10.1, Verdict.LOOK_CLOSER),
        (-90_000.0, Verdict.LOOK_CLOSER),
    ],
)
def test_the_dock_rule(offset: float, result: Verdict):
    found = one(check(facts(clock=DockClock(offset, is_reference_valid=True)), LIMITS), "clock.dock")
    assert found.result is result
    assert (result is Verdict.MATCH) or found.vi.endswith(VI_END)


def test_a_dock_without_a_valid_reference_says_nothing():
    recording = facts(clock=DockClock(40.0, is_reference_valid=False), track=None)
    assert results(recording)["clock.dock"] is Verdict.NOT_CHECKED
    assert verdict(check(recording, LIMITS)) is Verdict.NOT_CHECKED


@pytest.mark.parametrize("hours", [7, -7])
def test_seven_hours_off_is_named_a_zone_setting(hours: int):
    recording = facts(
        file_time=START + timedelta(hours=hours, seconds=3),
        clock=DockClock(hours * 3600 + 3.0, is_reference_valid=True),
    )
    found = check(recording, LIMITS)
    for code in ("clock.dock", "clock.gps"):
        finding = one(found, code)
        assert finding.result is Verdict.LOOK_CLOSER
        assert "7 giờ tròn" in finding.vi
        assert "UTC+7" in finding.vi
        assert finding.vi.endswith(VI_END)
    assert verdict(found) is Verdict.LOOK_CLOSER


@pytest.mark.parametrize(("seconds", "named"), [(18, True), (17.2, True), (-18.9, True), (15, False), (25, False)])
def test_eighteen_seconds_are_gps_time_written_as_utc(seconds: float, named: bool):
    finding = one(check(facts(file_time=START + timedelta(seconds=seconds)), LIMITS), "clock.gps")
    assert finding.result is Verdict.NOTE or seconds > 60
    assert ("18 giây" in finding.vi) is named


def test_a_file_time_at_the_end_of_the_recording_matches():
    assert results(facts(file_time=START + timedelta(seconds=60)))["clock.gps"] is Verdict.MATCH


def test_an_hour_and_a_half_off_has_no_signature():
    finding = one(check(facts(file_time=START + timedelta(minutes=90)), LIMITS), "clock.gps")
    assert finding.result is Verdict.LOOK_CLOSER
    assert "tròn" not in finding.vi
    assert "1 giờ 30 phút 0 giây" in finding.vi


def test_a_phone_that_writes_the_end_shows_the_same_signatures():
    for apart, text in ((timedelta(seconds=78), "18 giây"), (timedelta(hours=-7, seconds=62), "7 giờ tròn")):
        finding = one(check(facts(file_time=START + apart), LIMITS), "clock.gps")
        assert text in finding.vi


def test_an_old_receivers_week_counter():
    recording = facts(track=ride(start=START - timedelta(days=7168)))
    assert "7.168 ngày" in one(check(recording, LIMITS), "clock.gps").vi


def test_reset_dates_and_the_future():
    recording = facts(file_time=datetime(2000, 1, 1, 0, 3, tzinfo=UTC), track=None)
    assert results(recording)["clock.reset"] is Verdict.LOOK_CLOSER
    recording = facts(file_time=START + timedelta(days=400))
    assert results(recording)["clock.future_file"] is Verdict.LOOK_CLOSER
    assert results(facts(track=ride(start=START + timedelta(days=3))))["clock.future_gps"] is Verdict.LOOK_CLOSER


def jumping(metres_east: float, at: int = 30, lasts: int = 1) -> Track:
    points = list(ride().points)
    for index in range(at, at + lasts):
        points[index] = replace(points[index], lon=points[index].lon + metres_east / 103_900)  # a degree at 21 N
    return Track("gpmf", tuple(points))


def test_a_jump_of_forty_kilometres_is_a_contradiction_with_its_span():
    found = check(facts(track=jumping(40_200, lasts=30)), LIMITS)
    finding = one(found, "gps.jump")
    assert finding.result is Verdict.CONTRADICTION
    assert "nhảy 40,2 km trong 1 s" in finding.vi
    assert "40.2 km in 1 s" in finding.en
    assert finding.span == (29.0, 30.0)
    assert verdict(found) is Verdict.CONTRADICTION


def test_there_and_back_are_two_jumps():
    jumps = find_jumps(jumping(5_000).points, LIMITS)
    assert [(round(jump.before.offset_s), round(jump.after.offset_s)) for jump in jumps] == [(29, 30), (30, 31)]


@pytest.mark.parametrize(
    ("metres", "expected"), [(90, None), (170, None), (300, Verdict.LOOK_CLOSER), (999, Verdict.LOOK_CLOSER)]
)
def test_city_noise_is_no_contradiction(metres: float, expected: Verdict | None):
    assert results(facts(track=jumping(metres))).get("gps.jump") is expected


def test_a_tunnel_is_no_jump():
    points = [point for point in ride(300, step=0.00015).points if not 60 <= point.offset_s < 240]
    assert find_jumps(points, LIMITS) == []


@given(st.floats(8.1, 23.4), st.floats(102.1, 109.9), st.floats(0.0, 0.0004))
def test_no_steady_ride_in_vietnam_is_worse_than_a_match(lat: float, lon: float, step: float):
    payloads = films.ride(START, 20, lat=lat, lon=lon, step=step)
    track = gpmf.read([Packet(0, float(n), 1.0, payload) for n, payload in enumerate(payloads)])
    found = [finding for finding in check(facts(track=track), LIMITS) if finding.row is Row.GPS]
    assert [finding.result for finding in found] == [Verdict.MATCH]


def moved(**changes) -> Track:
    return Track("gpmf", tuple(replace(point, **changes) for point in ride(20).points))


def test_places_that_cannot_be():
    assert results(facts(track=moved(lat=0.0, lon=0.0)))["gps.null_island"] is Verdict.LOOK_CLOSER
    assert results(facts(track=moved(lat=-21.0)))["gps.sign_flipped"] is Verdict.LOOK_CLOSER
    assert results(facts(track=moved(lat=48.8, lon=2.3)))["gps.outside_area"] is Verdict.LOOK_CLOSER
    assert results(facts(track=moved(alt=9000.0)))["gps.altitude"] is Verdict.NOTE
    assert results(facts(track=moved(speed_mps=60.0)))["gps.speed"] is Verdict.NOTE
    assert results(facts(track=moved(satellites=3)))["gps.weak"] is Verdict.NOTE


def test_swapped_coordinates_are_told_from_what_was_refused():
    track = gpmf.read([Packet(0, 0.0, 1.0, films.gpmf_payload(START, [(105.85, 21.03)]))])
    finding = one(check(facts(track=track), LIMITS), "gps.swapped")
    assert finding.result is Verdict.LOOK_CLOSER


def test_a_frozen_fix_is_found_while_moving_and_not_while_standing():
    points = [
        Point(21.03, 105.85, time=START + timedelta(seconds=n), offset_s=float(n), speed_mps=8.0) for n in range(130)
    ]
    assert results(facts(track=Track("nmea", tuple(points))))["gps.frozen"] is Verdict.LOOK_CLOSER
    standing = tuple(replace(point, speed_mps=0.1) for point in points)
    assert "gps.frozen" not in results(facts(track=Track("nmea", standing)))


def test_no_positions_and_no_fix_are_not_checked():
    assert results(facts(track=None))["gps.none"] is Verdict.NOT_CHECKED
    unread = MediaInfo(1000, MediaKind.VIDEO, "application/octet-stream")
    assert results(facts(track=None, info=unread))["gps.unread"] is Verdict.NOT_CHECKED
    assert results(facts(track=moved(fix=0)))["gps.no_fix"] is Verdict.NOT_CHECKED
    assert verdict(check(facts(track=None), LIMITS)) is Verdict.MATCH  # sealed and timed, without a place


def test_gaps_and_lengths():
    cut = facts(continuity=Continuity(800, 59.9, ((10.0, 17.5),), 60.0, 60.0))
    finding = one(check(cut, LIMITS), "continuity.gap")
    assert (finding.result, finding.span) == (Verdict.LOOK_CLOSER, (10.0, 17.5))
    silent = facts(continuity=Continuity(900, 59.9, (), 60.0, 30.0))
    assert results(silent)["continuity.sound_length"] is Verdict.NOTE
    long = facts(continuity=Continuity(900, 40.0, (), 60.0, 60.0))
    assert results(long)["continuity.declared_length"] is Verdict.NOTE


def test_a_cut_file_is_looked_at_and_noise_is_not_a_recording():
    cut = MediaInfo(10, MediaKind.VIDEO, "video/mp4", problems=(problem("no_moov"),))
    assert results(facts(info=cut, track=None, continuity=None))["continuity.no_moov"] is Verdict.LOOK_CLOSER
    text = MediaInfo(10, MediaKind.SIDECAR, "text/plain")
    assert results(facts(info=text, track=None, continuity=None))["continuity.none"] is Verdict.NOT_APPLICABLE


def test_damage_in_the_vault_is_a_contradiction():
    found = check(facts(sealed=SealedBytes("ab" * 32, ("object_damaged",))), LIMITS)
    assert one(found, "integrity.sealed").result is Verdict.CONTRADICTION
    assert verdict(found) is Verdict.CONTRADICTION


def test_unread_bytes_are_never_good():
    assert verdict(check(facts(sealed=None), LIMITS)) is Verdict.NOT_CHECKED


def test_a_loose_file_with_two_agreeing_times_matches():
    assert verdict(check(facts(sealed=None, clock=None, is_loose=True), LIMITS)) is Verdict.MATCH
    assert verdict(check(facts(sealed=None, clock=None, track=None, is_loose=True), LIMITS)) is Verdict.NOT_CHECKED


def test_nobody_is_accused():
    bad = facts(
        file_time=START + timedelta(hours=7),
        clock=DockClock(25_200.0, is_reference_valid=True),
        track=jumping(40_200),
        continuity=Continuity(800, 59.9, ((10.0, 17.5),), 60.0, 60.0),
    )
    for finding in check(bad, LIMITS):
        if finding.result in {Verdict.LOOK_CLOSER, Verdict.CONTRADICTION}:
            assert "Có thể" in finding.vi
            assert "may" in finding.en
        for word in ("giả mạo", "gian lận", "forged", "tampered"):
            assert word not in finding.vi + finding.en


def test_numbers_are_written_for_the_reader():
    assert vi_number(144720.5) == "144.720,5"
    assert vi_duration(4.23) == "4,2 giây"
    assert vi_duration(-25203) == "7 giờ 0 phút 3 giây"
    assert en_duration(25203) == "7 h 0 min 3 s"
    assert vi_duration(7168 * 86_400) == "7168 ngày 0 giờ"

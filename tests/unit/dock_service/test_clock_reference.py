"""What disciplines the dock's clock, from what chrony and timesyncd print."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodycam import clock
from dock_service import clock_reference as module
from dock_service.clock_reference import ClockReference, ClockSteps, ReferenceWatch, grade, read_chrony, read_timesync

# chronyc -c tracking of chrony 4.3, as printed
CHRONY = "A29FC801,162.159.200.1,4,1763780431.513172861,-0.000026123,0.000012345,0.000101,-8.172,0.001,0.052,0.0312,0.0009,64.2,Normal\n"
TIMESYNC = """SystemNTPServers=ntp1.example ntp2.example
FallbackNTPServers=
ServerName=ntp1.example
ServerAddress=192.0.2.1
RootDistanceMaxUSec=5s
PollIntervalMinUSec=32s
PollIntervalMaxUSec=34min 8s
PollIntervalUSec=2min 8s
NTPMessage={ Leap=0, Version=4, Mode=4, Stratum=2, Precision=-25, RootDelay=15.6ms, Ignored=no, PacketCount=3, Jitter=1.8ms }
Frequency=-1234
"""


def test_chrony_in_order_is_trusted():
    found = read_chrony(CHRONY)
    assert (found.source, found.stratum, found.is_trusted) == ("chrony", 4, True)
    assert found.offset_s == pytest.approx(-26e-6, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Normal", "Not synchronised"),
        (",4,", ",0,"),
        (",4,", ",16,"),
        ("A29FC801", "7F7F0101"),
        ("-0.000026123", "5.2"),
        ("-0.000026123", "nan"),
        ("-0.000026123", "x"),
        (",Normal", ""),
        (CHRONY, "506 Cannot talk to daemon\n"),
    ],
)
def test_chrony_out_of_order_is_unknown_and_says_why(old, new):
    found = read_chrony(CHRONY.replace(old, new))
    assert not found.is_trusted
    assert found.why


def test_timesyncd_counts_while_its_last_answer_is_fresh():
    assert read_timesync(TIMESYNC, 30.0) == ClockReference("timesyncd", 2)
    assert read_timesync("", 30.0) == ClockReference("timesyncd")
    assert not read_timesync(TIMESYNC, None).is_trusted
    assert not read_timesync(TIMESYNC, 9000.0).is_trusted
    assert not read_timesync(TIMESYNC.replace("Leap=0", "Leap=3"), 30.0).is_trusted
    assert not read_timesync(TIMESYNC.replace("Ignored=no", "Ignored=yes"), 30.0).is_trusted


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_they_print_is_read_or_unknown(text):
    assert read_chrony(text).source in {"chrony", "unknown"}
    assert read_timesync(f"NTPMessage={{{text}}}", 1.0).source in {"timesyncd", "unknown"}


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(0.0, "green"), (-2.0, "green"), (2.1, "amber"), (-10.0, "amber"), (10.1, "red"), (None, "unknown")],
)
def test_an_offset_is_graded_only_against_a_reference(offset, expected):
    assert grade(offset, ClockReference("chrony")) == expected
    assert grade(offset, ClockReference("unknown")) == "unknown"


def test_it_is_asked_at_most_once_a_minute(monkeypatch):
    asked, now = [], [100.0]
    monkeypatch.setattr(module, "_ask", lambda: asked.append(1) or ClockReference("chrony"))
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    watch = ReferenceWatch()
    watch.now()
    watch.now()
    assert len(asked) == 1
    now[0] += 61
    assert watch.now().source == "chrony"
    assert len(asked) == 2


def test_a_machine_without_either_has_no_reference(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_SYNCHRONIZED", tmp_path / "none")
    monkeypatch.setattr(module, "_answer", lambda *_: "")
    found = ReferenceWatch().now()
    assert found.source == "unknown"
    assert "chrony" in found.why
    assert "timesyncd" in found.why


def test_a_program_that_is_not_there_or_hangs_answers_nothing(monkeypatch):
    assert module._answer("no-such-program") == ""
    monkeypatch.setattr(module, "_ANSWER_S", 0.05)
    assert module._answer("sleep", "5") == ""
    assert module._answer("false") == ""


def test_a_step_of_the_clock_is_noticed_whichever_way_and_time_passing_is_none(monkeypatch):
    wall, steady = [datetime(2026, 11, 22, tzinfo=UTC)], [50.0]
    clock.set_now(lambda: wall[0])
    monkeypatch.setattr(clock, "monotonic", lambda: steady[0])
    steps = ClockSteps()
    wall[0] += timedelta(seconds=600)
    steady[0] += 600
    assert steps.look() is None
    wall[0] += timedelta(seconds=30)
    assert steps.look() == pytest.approx(30)
    assert steps.look() is None
    wall[0] -= timedelta(days=400)
    assert steps.look() == pytest.approx(-400 * 86400)

"""The simulator's recordings are what they claim to be, read back by the readers of the core."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bodycam.telemetry import reading
from dock_service.simulator import demo
from dock_service.simulator.footage import Footage, make
from dock_service.simulator.profile import VirtualCamera
from dock_service.simulator.scenes import Scene

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
ROUTE = ((20.98, 105.86), (20.985, 105.861))


def read(path):
    beside = path.with_suffix(".nmea")
    with path.open("rb") as file:
        if not beside.exists():
            return reading.read(file, name=path.name)
        with beside.open("rb") as sidecar:
            return reading.read(file, name=path.name, sidecars=((beside.name, sidecar),))


@pytest.mark.parametrize("sidecar", [False, True])
def test_a_recording_has_its_true_track_and_its_cameras_wrong_time(tmp_path, sidecar):
    footage = Footage("BWC-1", START, 3, ROUTE, Scene("road", "29A-123.45"), clock_error_s=7 * 3600, sidecar=sidecar)
    make(footage, tmp_path / "a.mp4")
    found = read(tmp_path / "a.mp4")
    assert found.track.reader == ("nmea" if sidecar else "gpmf")
    assert found.track.points[0].time == START
    assert (found.track.points[0].lat, found.track.points[0].lon) == pytest.approx(ROUTE[0], abs=1e-6)
    assert [stream.codec for stream in found.info.streams][:2] == ["h264", "aac"]
    assert found.info.times[0].utc == START + timedelta(hours=7)
    assert (tmp_path / "a.mp4").stat().st_mtime == (START + timedelta(hours=7, seconds=3)).timestamp()


def test_a_jump_is_in_the_track_only_from_its_second(tmp_path):
    make(Footage("BWC-1", START, 3, ROUTE, Scene("market", "X"), jump=(2, 40.0)), tmp_path / "a.mp4")
    points = read(tmp_path / "a.mp4").track.points
    assert points[19].lon < 105.9
    assert points[20].lon - points[19].lon == pytest.approx(40 / 111.32 / 0.934, rel=0.01)


def test_the_plan_names_every_file_and_keeps_its_day(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        demo,
        "make",
        lambda footage, path: (
            made.append(footage),
            path.parent.mkdir(parents=True, exist_ok=True),
            path.write_bytes(b"x"),
        ),
    )
    day = demo.make_demo(tmp_path, date(2026, 11, 20))
    assert demo.make_demo(tmp_path, None) == day == date(2026, 11, 20)
    plan = demo.demo_plan(day)
    assert len(made) == len(plan) == 9
    for recording in plan:
        assert (tmp_path / recording.camera / "card" / recording.file).exists()
    stop = next(recording for recording in plan if recording.started_at == START - timedelta(days=1))
    assert (stop.camera, stop.officer) == ("BWC-0412", "Trần Văn Nam")
    assert {anomaly for recording in plan for anomaly in recording.anomalies} == {
        "clock_7_hours",
        "pulled_mid_transfer",
        "gps_jump",
    }
    assert VirtualCamera(tmp_path / "BWC-0455").profile().faults.unplug_after_bytes


def test_a_camera_taken_along_comes_back_with_one_recording_more(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(demo, "make", lambda footage, path: made.append((footage, path)))
    demo.record_patrol(VirtualCamera(tmp_path / "BWC-0398"), START)
    [(footage, path)] = made
    assert footage.start == START - timedelta(seconds=30)
    assert footage.clock_error_s == 7 * 3600
    assert path == tmp_path / "BWC-0398/card/DCIM/100MEDIA/BWC-0398_20261121_211930.mp4"

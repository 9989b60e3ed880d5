"""An MTP camera whose profile is told by its files alone: its times mean what that profile says, its clock is judged by it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock
from working_station import events

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import DockingVisit, VisitState
from bodycam.fleet.service import issue_camera, register_camera
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.clock_reference import ClockReference
from dock_service.offload import Offload, Watch
from dock_service.profiles import profiles_of
from dock_service.visit import Place

EPOCH = 1_790_000_000  # as the virtual dock dates its files
UTC_BY_NAMES = """
key = "acme-utc"
vi = "ACME"
en = "ACME"
[match]
names = true
[clock]
zone = "utc"
[[names]]
pattern = '(?P<start>[0-9]{14})_ACME[.]mp4'
start = "%Y%m%d%H%M%S"
"""


class Trusted:
    def now(self):
        return ClockReference("chrony", 2, 0.0)


@pytest.fixture
def rt(tmp_path, monkeypatch):
    monkeypatch.setattr("dock_service.visit.WATCH", Trusted())
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/acme.toml").write_text(UTC_BY_NAMES)
    environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__PROFILES": str(tmp_path / "profiles")}
    with standalone(load_settings(environment)) as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


def take_in(rt, dock):
    camera = dock.open()
    watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
    work = Offload(rt, camera, Place("usb:1-1"), watch, None, profiles_of(rt.settings))
    try:
        return work.run()
    finally:
        camera.close()
        work.end(VisitState.DONE)


def named(epoch):
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%d%H%M%S_ACME.mp4")


def test_its_files_and_its_clock_are_read_in_the_zone_its_names_tell_and_the_clock_is_set_in_it(rt, dock):
    camera = dock.add({named(EPOCH): b"abc"}, local_hours=0, clock_offset_s=40)
    outcome = take_in(rt, dock)
    assert outcome.visit.profile.key == "acme-utc"
    assert outcome.visit.offset_s == pytest.approx(40, abs=1.5)
    with rt.db.read() as session:
        assert session.scalars(select(DockingVisit.offset_s)).one() == pytest.approx(40, abs=1.5)
        recording = session.scalars(select(Recording)).one()
        assert recording.clock_offset_s == pytest.approx(40, abs=1.5)
    assert camera.clock_offset_s() == pytest.approx(0, abs=1.5)
    offsets = [event["details"]["offset_ms"] / 1000 for event in events(rt, "clock.measured")]
    assert offsets == [pytest.approx(40 - 7 * 3600, abs=1.5), pytest.approx(40, abs=1.5)]


def test_its_clock_is_not_noted_as_hours_off_for_the_zone_of_another_profile(rt, dock):
    dock.add({named(EPOCH): b"abc"}, local_hours=0, clock_offset_s=40)
    take_in(rt, dock)
    now = clock.now()
    clock.set_now(lambda: now + timedelta(hours=10))
    outcome = take_in(rt, dock)
    assert [problem.error.code for problem in outcome.problems] == []
    assert events(rt, "clock.drift_noted") == []


def test_a_file_belongs_to_whom_the_camera_was_issued_when_it_was_made_in_that_zone(rt, dock):
    made = datetime.fromtimestamp(EPOCH, UTC)
    with rt.db.write() as session:
        unit = create_unit(session, code="D1", name="Đội 1", force=Force.TRAFFIC_POLICE)
        officers = [
            create_officer(session, name=name, number=number, unit_id=unit.id, force=Force.TRAFFIC_POLICE).id
            for name, number in (("Trần Văn Bình", "111-222"), ("Lê Văn Cường", "111-333"))
        ]
        camera = register_camera(session, serial="S-1", unit_id=unit.id)
        issue_camera(session, camera.id, officer_id=officers[0], starts_at=made - timedelta(hours=1))
        issue_camera(session, camera.id, officer_id=officers[1], starts_at=made + timedelta(hours=1))
    dock.add({named(EPOCH): b"abc", "plain.bin": b"x"}, local_hours=0)
    take_in(rt, dock)
    with rt.db.read() as session:
        assert set(session.scalars(select(Recording.officer_id))) == {officers[0]}

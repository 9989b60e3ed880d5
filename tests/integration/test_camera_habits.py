"""Virtual cameras that lay out their cards as those of the field do are read by the right profile, whatever they speak."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import VisitState
from bodycam.fleet.service import issue_camera, register_camera
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Kind, Recording
from bodycam.recordings.names import name_facts
from bodycam.settings import load_settings
from dock_service.cameras import opening
from dock_service.cameras.opening import match_device, open_after_switch
from dock_service.cameras.switching import Switched
from dock_service.offload import Offload, Watch
from dock_service.profiles import load_profiles
from dock_service.simulator import habits
from dock_service.simulator.habits import shift_of, write_card
from dock_service.visit import Place

START = datetime(2026, 9, 21, 7, 20, 6, tzinfo=UTC)


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


@pytest.fixture(autouse=True)
def _no_camera_of_another_bus(monkeypatch):
    monkeypatch.setattr(opening, "_SWITCHED", Switched())


def take_in(rt, dock):
    [found] = dock.bus.devices()
    profiles = load_profiles()
    camera = open_after_switch(dock.bus, found, profiles, rt.settings)
    watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
    work = Offload(rt, camera, Place(found.port), watch, match_device(profiles, found))
    try:
        return work.run()
    finally:
        camera.close()
        work.end(VisitState.DONE)


def recordings(rt):
    with rt.db.read() as session:
        return {row.name: row for row in session.scalars(select(Recording).order_by(Recording.id).limit(50))}


@pytest.mark.parametrize(
    ("profile", "habit", "device"),
    [
        ("dsj", habits.dsj, {"make": "DSJ", "model": "H9"}),
        ("dsj", habits.dcam, {"kind": "mass-storage"}),
        ("jieli-dv16", habits.dv16, {"kind": "mass-storage", "switch": "dv16", "make": "DV16", "model": "DEVICE V1.00"}),
        ("action-camera", habits.action, {"vendor_id": 0x2672, "product_id": 0x0056, "make": "GoPro"}),
    ],
)  # fmt: skip
def test_a_camera_of_the_field_is_read_by_its_profile(rt, dock, profile, habit, device):
    shots = shift_of("0412", "184221", START, 3)
    names = [habit(shot) for shot in shots]
    beside = names[0].rpartition(".")[0] + ".GPS"
    camera = dock.add({}, serial="0412", **device)
    write_card(camera.card, {name: name.encode() for name in [*names, beside]}, id_text="0412")
    outcome = take_in(rt, dock)
    assert outcome.is_complete
    assert [problem.error.code for problem in outcome.problems] == []
    assert (outcome.visit.profile.key, outcome.visit.serial) == (profile, "0412")
    rows = recordings(rt)
    assert set(names) < set(rows)
    assert rows[beside].kind == Kind.SIDECAR
    knows_marks, knows_start = profile != "action-camera", profile != "action-camera"
    assert [rows[name].event_flag for name in names] == [False, knows_marks, False]
    said = [name_facts(rows[name].said) for name in names]
    assert [one.start for one in said] == [shot.start if knows_start else None for shot in shots]
    assert all(one.profile == profile for one in said)


def test_what_a_camera_encrypted_is_sealed_as_it_is_and_green(rt, dock):
    shot = habits.Shot("0412", "184221", START, is_encrypted=True)
    dock.add({habits.dsj(shot): bytes(range(256)) * 40}, serial="0412")
    outcome = take_in(rt, dock)
    assert outcome.is_complete
    assert outcome.problems == []
    [row] = recordings(rt).values()
    assert name_facts(row.said).is_encrypted


def test_the_officer_set_in_a_camera_is_compared_with_the_issue_book(rt, dock):
    with rt.db.write() as session:
        unit = create_unit(session, name="Đội 1", force=Force.OTHER)
        officer = create_officer(session, unit_id=unit.id, number="184-221", name="Trần Văn Nam", force=Force.OTHER)
        known = register_camera(session, serial="JL0001", unit_id=unit.id)
        issue_camera(session, known.id, officer.id, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    names = [habits.dv16(shot) for shot in shift_of("", "", START, 2)]
    device = {
        "kind": "mass-storage",
        "switch": "dv16",
        "make": "DV16",
        "model": "DEVICE V1.00",
        "officer_number": "030577",
    }
    dock.add({name: name.encode() for name in names}, serial="JL0001", **device)
    outcome = take_in(rt, dock)
    assert outcome.is_complete
    [note] = outcome.problems
    assert note.error.code == "other_officer_set"
    assert "is set to officer 030577, it was issued to 184-221" in note.error.text("en")


def test_an_action_cameras_missing_chapter_is_noted(rt, dock):
    shot = habits.Shot("", "", START, 123)
    files = {habits.action(shot, chapter): bytes([chapter]) for chapter in (1, 2, 4)}
    dock.add(files, serial="G-1", vendor_id=0x2672, product_id=0x56)
    outcome = take_in(rt, dock)
    [note] = outcome.problems
    assert note.error.text("en") == "Parts missing of the recording DCIM/100GOPRO/GX040123.MP4: 3 (1 in all)."
    assert outcome.is_complete

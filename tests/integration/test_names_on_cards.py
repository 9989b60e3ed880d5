"""What file names say, from the card to the catalogue and the visit's notes."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import DockingVisit, VisitState
from bodycam.fleet.service import issue_camera, register_camera
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Kind, Recording
from bodycam.recordings.names import name_facts
from bodycam.settings import load_settings
from dock_service.offload import Offload, Watch
from dock_service.visit import Place


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


def take_in(rt, dock):
    camera = dock.open()
    watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
    work = Offload(rt, camera, Place("usb:1-1"), watch)
    try:
        return work.run()
    finally:
        camera.close()
        work.end(VisitState.DONE)


def notes(outcome):
    return [(problem.error.code, problem.error.text("en")) for problem in outcome.problems]


def name(minute, number, officer="184221", camera="0412", tail=""):
    return f"Video/DSJ_{camera}_{officer}_20260921_14{minute:02d}00_{number:04d}{tail}"


@pytest.fixture
def _issued(rt):
    with rt.db.write() as session:
        unit = create_unit(session, name="Đội 1", force=Force.OTHER)
        officer = create_officer(session, unit_id=unit.id, number="184-221", name="Trần Văn Nam", force=Force.OTHER)
        camera = register_camera(session, serial="BWC-0412", label="BWC-0412", unit_id=unit.id)
        issue_camera(session, camera.id, officer.id, starts_at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.usefixtures("_issued")
def test_recordings_keep_what_their_names_said_and_the_camera_gets_its_profile(rt, dock):
    files = {
        name(0, 1, tail="_IMP_enc.mp4"): b"\x01" * 900,
        name(5, 2, tail=".mp4"): b"\x02" * 900,
        name(5, 2, tail=".GPX"): b"<gpx/>",
        "ID.txt": b"0412",
    }
    dock.add(files, serial="BWC-0412")
    outcome = take_in(rt, dock)
    assert outcome.is_complete
    assert notes(outcome) == []
    with rt.db.read() as session:
        rows = {row.name: row for row in session.scalars(select(Recording).order_by(Recording.id).limit(9))}
        visit = session.scalar(select(DockingVisit).limit(1))
        assert visit.profile == "dsj"
        marked = rows[name(0, 1, tail="_IMP_enc.mp4")]
        said = name_facts(marked.said)
        assert (said.profile, said.officer, said.sequence, said.is_encrypted) == ("dsj", "184221", 1, True)
        assert marked.event_flag
        assert rows[name(5, 2, tail=".GPX")].kind == Kind.SIDECAR


@pytest.mark.usefixtures("_issued")
def test_other_names_than_the_books_are_notes_and_the_camera_still_turns_green(rt, dock):
    names = [
        name(0, 1, tail=".mp4"),
        name(5, 2, officer="030577", tail=".mp4"),
        name(10, 3, camera="0999", tail=".mp4"),
    ]
    dock.add({path: path.encode() for path in names}, serial="BWC-0412")
    outcome = take_in(rt, dock)
    assert outcome.is_complete
    told = notes(outcome)
    assert [code for code, _ in told] == ["other_camera_named", "other_officer_named"]
    assert "say camera 0999, the one docked is BWC-0412" in told[0][1]
    assert "say officer 030577, the camera was issued to 184-221" in told[1][1]


@pytest.mark.usefixtures("_issued")
def test_a_gap_is_told_once_and_kept_as_an_event(rt, dock):
    camera = dock.add(
        {name(minute, n, tail=".mp4"): bytes([n]) for n, minute in ((1, 0), (2, 5), (5, 42))}, serial="BWC-0412"
    )
    told = notes(take_in(rt, dock))
    assert [code for code, _ in told] == ["files_missing", "silent_time"]
    assert "(14:05 21/09 – 14:42 21/09): 0003 – 0004 (2 in all)." in told[0][1]
    assert told[1][1] == "32 minutes without a file, from 14:10 21/09 to 14:42 21/09."
    assert notes(take_in(rt, dock)) == []
    for path in list(camera.card.rglob("*.mp4")):
        path.unlink()
    (camera.card / name(55, 9, tail=".mp4")).write_bytes(b"new")
    told = notes(take_in(rt, dock))
    assert next(text for code, text in told if code == "files_missing").startswith("Written over by the camera")
    with rt.db.read() as session:
        query = (
            select(CustodyEvent).where(CustodyEvent.kind == "camera.sequence_gap").order_by(CustodyEvent.id).limit(9)
        )
        kept = [json.loads(event.body)["details"] for event in session.scalars(query)]
    assert [(one["kind"], one["count"]) for one in kept] == [("missing", 2), ("overwritten", 3)]

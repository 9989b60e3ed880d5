from datetime import UTC, datetime, timedelta

import pytest

from bodycam.fleet import service as fleet
from bodycam.fleet.errors import CameraTakenError, IssueOverlapError
from bodycam.people import units
from bodycam.people.scope import EVERYTHING, NOTHING, Scope

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def people(session):
    unit = units.create_unit(session, name="Đội 1", force="traffic_police")
    return unit, *(
        units.create_officer(session, unit_id=unit.id, number=number, name=name, force="traffic_police")
        for number, name in (("111-111", "An"), ("222-222", "Bình"))
    )


def test_who_held_a_camera_depends_on_the_moment(db):
    with db.write() as session:
        unit, an, binh = people(session)
        camera = fleet.register_camera(session, serial="a1", label="BWC-0001", unit_id=unit.id)
        fleet.issue_camera(session, camera.id, an.id, starts_at=START)
        fleet.issue_camera(session, camera.id, binh.id, starts_at=START + 8 * HOUR)
        fleet.return_camera(session, camera.id, ends_at=START + 16 * HOUR)
        held = [fleet.issued_to(session, camera.id, START + hours * HOUR) for hours in (-1, 0, 7.9, 8, 15.9, 16)]
    assert held == [None, an, an, binh, binh, None]


def test_issues_of_a_camera_never_overlap(db):
    with db.write() as session:
        unit, an, binh = people(session)
        camera = fleet.register_camera(session, serial="A1", unit_id=unit.id)
        fleet.issue_camera(session, camera.id, an.id, starts_at=START)
        for before in (START, START - HOUR):
            with pytest.raises(IssueOverlapError):
                fleet.issue_camera(session, camera.id, binh.id, starts_at=before)


def test_a_serial_and_a_label_belong_to_one_camera(db):
    with db.write() as session:
        fleet.register_camera(session, serial="A1", label="BWC-1")
        with pytest.raises(CameraTakenError):
            fleet.register_camera(session, serial=" a1 ")
        with pytest.raises(CameraTakenError):
            fleet.register_camera(session, serial="A2", label="BWC-1")


def test_an_unknown_camera_is_let_in_under_quarantine(db):
    with db.write() as session:
        unit, *_ = people(session)
        fleet.register_unknown_camera(session, serial="ghost", unit_id=unit.id)
        assert fleet.camera_for(session, "GHOST").state == "quarantined"


def test_the_camera_that_did_not_come_to_the_dock_is_listed_with_its_holder(db):
    with db.write() as session:
        unit, an, binh = people(session)
        at = START + 48 * HOUR
        cameras = {}
        for serial, docked in (("never", None), ("long", 10), ("today", 40), ("unissued", 1)):
            cameras[serial] = fleet.register_camera(session, serial=serial, unit_id=unit.id)
            cameras[serial].last_docked_at = None if docked is None else START + docked * HOUR
        for serial, officer in (("never", an), ("long", binh), ("today", an)):
            fleet.issue_camera(session, cameras[serial].id, officer.id, starts_at=START)
        fresh = fleet.register_camera(session, serial="fresh", unit_id=unit.id)
        fleet.issue_camera(session, fresh.id, an.id, starts_at=at - HOUR)
        session.flush()
        missed = fleet.cameras_overdue(session, EVERYTHING, hours=24, at=at)
        own = fleet.cameras_overdue(session, Scope(officer_id=binh.id), hours=24, at=at)
        nothing = fleet.cameras_overdue(session, NOTHING, hours=24, at=at)
    assert [(camera.serial, officer.name, since) for camera, officer, since in missed] == [
        ("NEVER", "An", START),
        ("LONG", "Bình", START + 10 * HOUR),
    ]
    assert [camera.serial for camera, *_ in own] == ["LONG"]
    assert nothing == []

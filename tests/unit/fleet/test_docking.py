import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam.clock import now
from bodycam.custody.models import CustodyEvent
from bodycam.fleet import docking
from bodycam.fleet import service as fleet
from bodycam.fleet.errors import SerialInUseError
from bodycam.people.scope import EVERYTHING, NOTHING


def station_and_camera(session):
    station = docking.ensure_station(session, name="Trạm 1", slots=8)
    return station, fleet.register_camera(session, serial="S1")


def test_a_visit_keeps_the_clock_and_the_counts_and_leaves_events(db):
    with db.write() as session:
        station, camera = station_and_camera(session)
        visit = docking.start_visit(session, camera_id=camera.id, serial="S1", station_id=station.id, slot=3)
        docking.set_visit_clock(
            session,
            visit.id,
            raw="20261121T072000",
            camera_time=now() + timedelta(hours=7),
            dock_time=now(),
            offset_s=25200.25,
            reference="ntp",
        )
        problem = {"path": "A.MP4", "code": "lost"}
        docking.finish_visit(session, visit.id, state="done", files=2, size=10**12, problems=[problem])
        docking.finish_visit(session, visit.id, state="lost", files=0, size=0)
        kinds = list(session.scalars(select(CustodyEvent.kind).where(CustodyEvent.object_id == camera.id)))
    with db.read() as session:
        kept = docking.get_visit(session, visit.id)
        assert (kept.state, kept.files, kept.bytes, json.loads(kept.problems)) == ("done", 2, 10**12, [problem])
        assert fleet.get_camera(session, camera.id).last_offset_s == 25200.25
    assert kinds == ["camera.registered", "camera.docked", "clock.measured", "camera.undocked"]


def test_a_second_device_with_the_same_serial_is_refused_while_the_first_is_docked(db):
    with db.write() as session:
        station, camera = station_and_camera(session)
        docking.start_visit(session, camera_id=camera.id, serial="S1", station_id=station.id, slot=3)
        with pytest.raises(SerialInUseError, match="slot 3"):
            docking.start_visit(session, camera_id=camera.id, serial="S1", station_id=station.id, slot=4)


def test_a_visit_left_open_in_the_same_slot_is_closed_as_lost(db):
    with db.write() as session:
        station, camera = station_and_camera(session)
        first = docking.start_visit(session, camera_id=camera.id, serial="S1", station_id=station.id, slot=3)
        second = docking.start_visit(session, camera_id=camera.id, serial="S1", station_id=station.id, slot=3)
        assert [first.state, second.state] == ["lost", "open"]
        assert docking.close_open_visits(session, station.id) == 1
        assert second.state == "lost"
        kinds = session.scalars(select(CustodyEvent.kind).where(CustodyEvent.object_id == camera.id)).all()
        assert sorted(kinds)[-2:] == ["visit.abandoned"] * 2
        assert "camera.pulled" not in kinds, "nobody saw it pulled"


def test_a_command_is_taken_once_and_the_board_is_one_row(db):
    with db.write() as session:
        station, _ = station_and_camera(session)
        docking.give_command(session, station.id, "retry", slot=2)
        docking.put_board(session, station.id, {"slots": []})
        docking.put_board(session, station.id, {"slots": [1]})
    with db.write() as session:
        assert [(row.command, row.slot) for row in docking.take_commands(session, station.id)] == [("retry", 2)]
        assert docking.take_commands(session, station.id) == []
    with db.read() as session:
        assert [board.body for _, board in docking.boards(session, EVERYTHING)] == ['{"slots": [1]}']
        assert docking.boards(session, NOTHING) == []


def test_a_station_is_one_by_name(db):
    with db.write() as session:
        first = docking.ensure_station(session, name="Trạm 1", slots=8)
        assert docking.ensure_station(session, name="Trạm 1", slots=4) is first
        assert first.slots == 4

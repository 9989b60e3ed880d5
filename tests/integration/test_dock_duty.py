"""What a station calls the duty officer for, and what it does at his word."""

import json
import random
import time

import pytest
from sqlalchemy import select
from working_station import Working, events

from bodycam.cli.standalone import standalone
from bodycam.coverage.models import Debt
from bodycam.fleet.models import DockingVisit, StationBoard
from bodycam.fleet.service import camera_for, register_camera
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings

make = random.Random(8).randbytes


@pytest.fixture
def rt(tmp_path):
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_DOCK__SLOTS": "4",
    }
    with standalone(load_settings(environment)) as opened:
        with opened.db.write() as session:
            register_camera(session, serial="BWC-1", label="Máy 1")
        yield opened


def alarms(working):
    return [(alarm["kind"], alarm["slot"], alarm["camera"]) for alarm in working.station.board.body()["alarms"]]


def debts(rt):
    with rt.db.read() as session:
        return list(session.scalars(select(Debt).order_by(Debt.id)))


def test_a_camera_pulled_before_green_calls_somebody_until_it_is_back_and_owes_its_footage(rt, dock, working):
    virtual = dock.add({"a.bin": make(3_000_000)}, serial="BWC-1", port=2, rate=2_000_000)
    working.until_bytes(2)
    while not working.step()[2]["bytes_done"]:
        time.sleep(0.02)
    virtual.unplug()
    working.until({2: "lost"})
    assert alarms(working) == [("pulled", 2, "Máy 1")]
    [alarm] = working.station.board.body()["alarms"]
    assert "chưa xong" in alarm["text_vi"]
    assert "before it was done" in alarm["text_en"]
    virtual.plug()
    working.until({2: "done"})
    assert alarms(working) == []
    time.sleep(1.1)
    working.step()
    assert [event["details"]["slot"] for event in events(rt, "board.alarm_raised")] == [2]
    assert [event["details"]["why"] for event in events(rt, "board.alarm_cleared")] == ["back"]
    [debt] = debts(rt)
    assert (debt.kind, debt.allowed_by, debt.closed_by) == ("footage", None, "docked")


def test_an_alarm_outlives_the_station_and_another_camera_in_its_slot_until_somebody_has_seen_it(rt, dock):
    virtual = dock.add({"a.bin": make(3_000_000)}, serial="BWC-1", port=2, rate=1_000_000)
    first = Working(rt)
    first.until_bytes(2)
    virtual.unplug()
    first.until({2: "lost"})
    time.sleep(1.1)
    first.step()
    first.station.close()
    second = Working(rt)
    assert alarms(second) == [("pulled", 2, "Máy 1")]
    with rt.db.write() as session:
        register_camera(session, serial="BWC-2")
    dock.add({"b.bin": b"b"}, serial="BWC-2", port=2)
    second.until({2: "done"})
    assert alarms(second) == [("pulled", 2, "Máy 1")]
    second.command("acknowledge", 2)
    second.step()
    assert alarms(second) == []
    second.station.close()


def test_what_is_out_of_order_on_the_last_board_stops_no_station(rt):
    station = Working(rt)
    station.step()
    station.station.close()
    for body in ("{", "[]", '{"alarms": 3}', '{"alarms": [3, {}, {"kind": "x"}]}'):
        with rt.db.write() as session:
            session.scalars(select(StationBoard)).one().body = body
        again = Working(rt)
        assert alarms(again) == []
        again.station.close()


def test_an_unknown_camera_is_taken_in_and_somebody_is_told(rt, dock, working):
    dock.add({"a.bin": b"abc"}, serial="STRANGE-9", port=3)
    working.until({3: "done"})
    assert alarms(working) == [("unknown", 3, "STRANGE-9")]
    with rt.db.read() as session:
        assert camera_for(session, "STRANGE-9").state == "quarantined"
        assert session.scalars(select(Recording)).one().quarantine


def test_released_by_order_the_camera_is_never_green_owes_its_footage_and_goes_on_when_it_is_back(rt, dock, working):
    with rt.db.write() as session:
        unit = create_unit(session, code="D1", name="Đội 1", force=Force.TRAFFIC_POLICE)
        officer = create_officer(
            session, name="Trần Văn Bình", number="111-222", unit_id=unit.id, force=Force.TRAFFIC_POLICE
        )
    virtual = dock.add({"a.bin": make(4_000_000)}, serial="BWC-1", port=1, rate=1_500_000)
    working.until_bytes(1)
    while working.step()[1]["bytes_done"] < 1_000_000:
        time.sleep(0.02)
    working.command("release", 1, by=officer.id, reason="Đi chữa cháy")
    tiles = working.until({1: "released"})
    assert "còn nợ dữ liệu" in tiles[1]["message_vi"]
    time.sleep(0.5)
    assert working.step()[1]["state"] == "released"
    virtual.unplug()
    working.until({1: "empty"})
    assert alarms(working) == []
    [debt] = debts(rt)
    assert (debt.allowed_by, debt.reason, debt.closed_at) == (officer.id, "Đi chữa cháy", None)
    [ordered] = events(rt, "camera.release_ordered")
    assert ordered["actor"] == f"officer:{officer.id}"
    assert "Đi chữa cháy" not in json.dumps(ordered, ensure_ascii=False)
    with rt.db.read() as session:
        assert session.scalars(select(DockingVisit.state)).all() == ["released"]
    virtual.plug()
    working.until({1: "done"})
    assert "done" not in working.seen[1][: working.seen[1].index("released")]
    assert events(rt, "offload.resumed")[0]["details"]["offset"] >= 500_000
    assert debts(rt)[0].closed_by == "docked"


def test_a_green_camera_needs_no_order_and_a_person_may_have_a_released_one_go_on(rt, dock, working):
    dock.add({"a.bin": b"abc"}, serial="BWC-1", port=1)
    working.until({1: "done"})
    working.command("release", 1, reason="x")
    working.step()
    time.sleep(0.4)
    assert working.step()[1]["state"] == "done"
    with rt.db.write() as session:
        register_camera(session, serial="BWC-2")
    dock.add({"b.bin": make(2_000_000)}, serial="BWC-2", port=2, rate=1_000_000)
    working.until_bytes(2)
    working.command("release", 2, reason="x")
    working.until({2: "released"})
    working.command("retry", 2)
    working.until({2: "done"})


def test_a_camera_that_is_looked_for_lets_itself_be_seen(dock, working, monkeypatch):
    monkeypatch.setattr("dock_service.board.IDENTIFY_S", 0.3)
    dock.add({"a.bin": b"abc"}, serial="BWC-1", port=1)
    working.until({1: "done"})
    working.command("identify", 1)
    assert working.step()[1]["identify"]
    time.sleep(0.4)
    assert not working.step()[1]["identify"]


def test_a_command_nobody_knows_is_taken_and_left_alone(dock, working):
    working.command("dance", 1)
    working.command("release", 3)
    working.command("identify", 99)
    working.step()
    dock.add({"a.bin": b"abc"}, serial="BWC-1", port=1)
    working.until({1: "done"})

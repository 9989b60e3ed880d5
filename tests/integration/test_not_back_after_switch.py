"""A camera told to change over that never comes back: somebody is called, its holder owes it, and it stays so."""

import json
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from working_station import Working, events

from bodycam import clock
from bodycam.cli.standalone import standalone
from bodycam.coverage import service as coverage
from bodycam.coverage.models import Debt
from bodycam.fleet.models import Camera
from bodycam.fleet.service import issue_camera, register_camera
from bodycam.people.models import Force
from bodycam.people.units import create_officer, create_unit
from bodycam.settings import load_settings

SITE_PROFILE = """
key = "site-switch"
vi = "K9"
en = "K9"
[match]
usb = ["1209:0900"]
[mode_switch]
kind = "control"
becomes = "1209:0901"
back_s = 1.0
steps = [{ request_type = 0x40, request = 5 }]
"""
CAMERA = {
    "serial": "K9-1",
    "port": 2,
    "kind": "mass-storage",
    "product_id": 0x0900,
    "switch": "control",
    "switched_product_id": 0x0901,
}
NEVER = 1e6


@pytest.fixture
def rt(tmp_path):
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "site-switch.toml").write_text(SITE_PROFILE)
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_DOCK__SLOTS": "4",
        "BODYCAM_DOCK__PROFILES": str(profiles),
    }
    with standalone(load_settings(environment)) as opened:
        yield opened


def debts(rt):
    with rt.db.read() as session:
        return list(session.scalars(select(Debt).order_by(Debt.id)))


def alarms(working):
    return [(alarm["kind"], alarm["slot"], alarm["serial"]) for alarm in working.station.board.body()["alarms"]]


def written(working):
    time.sleep(1.1)
    return working.step()


def issued(rt):
    """Register the camera and issue it to an officer; returns his id."""
    with rt.db.write() as session:
        unit = create_unit(session, code="D1", name="Đội 1", force=Force.TRAFFIC_POLICE)
        officer = create_officer(
            session, name="Trần Văn Bình", number="111-222", unit_id=unit.id, force=Force.TRAFFIC_POLICE
        )
        camera = register_camera(session, serial="K9-1", label="Máy 9", unit_id=unit.id)
        issue_camera(session, camera.id, officer_id=officer.id, starts_at=clock.now())
        return officer.id


def test_it_is_called_for_and_owed_by_its_holder_until_it_is_back_and_done(rt, dock, working):
    officer = issued(rt)
    virtual = dock.add({"DCIM/a.bin": b"abc"}, **CAMERA, switched_back_s=NEVER)
    tiles = working.until({2: "lost"})
    assert (tiles[2]["camera"], tiles[2]["message_vi"]) == ("Máy 9", "chuyển chế độ rồi không trở lại")
    assert alarms(working) == [("not_back", 2, "K9-1")]
    [debt] = debts(rt)
    assert (debt.kind, debt.officer_id, debt.closed_at) == ("footage", officer, None)
    written(working)
    assert [event["details"]["alarm"] for event in events(rt, "board.alarm_raised")] == ["not_back"]
    working.command("acknowledge", None)
    working.step()
    assert alarms(working) == [("not_back", 2, "K9-1")]
    healthy = {**CAMERA, "port": 3}
    (virtual.folder / "camera.toml").unlink()
    virtual.unplug()
    dock.add({}, **healthy).plug()
    working.until({2: "empty", 3: "done"})
    written(working)
    assert alarms(working) == []
    assert [event["details"]["why"] for event in events(rt, "board.alarm_cleared")] == ["back"]
    [debt] = debts(rt)
    assert debt.closed_by == "docked"


def test_a_restart_forgets_neither_one_that_is_waited_for_nor_one_that_is_called_for(rt, dock):
    dock.add({}, **CAMERA, switched_back_s=NEVER)
    first = Working(rt)
    first.until({2: "uploading"})
    end = time.monotonic() + 10
    while not list(Path(rt.settings.data_dir).glob("dock-awaited.json")) and time.monotonic() < end:
        first.step()
        time.sleep(0.02)
    first.station.close()
    assert not debts(rt)
    second = Working(rt)
    second.until({2: "lost"})
    second.station.close()  # before its board was written
    [debt] = debts(rt)
    third = Working(rt)
    third.until({2: "lost"})
    assert alarms(third) == [("not_back", 2, "K9-1")]
    assert [owed.id for owed in debts(rt)] == [debt.id]
    with rt.db.write() as session:
        coverage.explain(session, session.get(Debt, debt.id), reason="Máy cháy bo mạch, đã gửi hãng", actor="system")
    third.until({2: "empty"})
    written(third)
    assert alarms(third) == []
    assert [event["details"]["why"] for event in events(rt, "board.alarm_cleared")] == ["ended"]
    third.station.close()
    fourth = Working(rt)
    written(fourth)
    assert (alarms(fourth), fourth.step()[2]["state"]) == ([], "empty")
    fourth.station.close()


def test_another_camera_in_its_slot_is_not_taken_for_it(rt, dock, working):
    issued(rt)
    with rt.db.write() as session:
        register_camera(session, serial="OTHER")
    first = dock.add({}, **CAMERA, switched_back_s=NEVER)
    while not (first.folder / "switched").exists():
        working.step()
    other = dock.add({"b.bin": b"b"}, serial="OTHER", port=2)
    working.until({2: "done"})
    end = time.monotonic() + 10
    while not alarms(working) and time.monotonic() < end:
        working.step()
        time.sleep(0.02)
    assert alarms(working) == [("not_back", 2, "K9-1")]
    assert working.step()[2]["state"] == "done"
    other.unplug()
    working.until({2: "lost"})
    assert working.step()[2]["camera"] == "Máy 9"


def test_one_nobody_knows_is_owed_too_and_what_it_turns_out_to_be_ends_that(rt, dock, working):
    nameless = {**CAMERA, "serial": ""}
    virtual = dock.add({"ID.txt": b"BWC-7", "a.bin": b"a"}, folder="x", **nameless, switched_back_s=NEVER)
    working.until({2: "lost"})
    [(kind, _, stand_in)] = alarms(working)
    assert kind == "not_back"
    virtual.unplug()
    working.step()
    dock.add({}, folder="x", **nameless)
    virtual.plug()
    working.until({2: "done"})
    with rt.db.read() as session:
        assert set(session.scalars(select(Camera.serial))) == {stand_in, "BWC-7"}
    assert {debt.closed_by for debt in debts(rt)} == {"docked"}
    assert ("not_back", 2, stand_in) not in alarms(working)


def test_a_camera_that_comes_back_leaves_no_trace_of_the_waiting(rt, dock, working):
    issued(rt)
    dock.add({"a.bin": b"a"}, **CAMERA)
    working.until({2: "done"})
    file = Path(rt.settings.data_dir) / "dock-awaited.json"
    assert json.loads(file.read_bytes()) == []
    assert not debts(rt)
    assert not alarms(working)


def test_an_unreadable_file_stops_no_station(rt):
    file = Path(rt.settings.data_dir) / "dock-awaited.json"
    for text in (b"{", b"[3]", b'[{"port": "1-1"}]', b"\xff", b'[{"port":"1","slot":1,"serial":"a","becomes":"x"}]'):
        file.write_bytes(text)
        again = Working(rt)
        again.step()
        again.station.close()

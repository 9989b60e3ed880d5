"""The kiosk: every state in words, never green without the station, hands only on virtual cameras."""

import json
from datetime import timedelta
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.fleet import docking
from bodycam.fleet.models import Station, StationBoard, StationCommand
from bodycam.runtime import Runtime
from webui.common.tiles import tiles_of

SLOT = {"camera": "BWC-0412", "officer": "Trần Văn Nam", "number": "184-221", "files_done": 8, "files_total": 12, "bytes_done": 7, "bytes_total": 11_200_000_000, "eta_s": 240, "battery": 41, "receipts": 9}  # fmt: skip
STATES = ["empty", "uploading", "verifying", "waiting_receipt", "done", "released", "lost", "error"]


@pytest.fixture
def station_id(rt: Runtime, story: Story) -> str:
    with rt.db.write() as session:
        station = docking.ensure_station(session, name="Trạm cắm 02", slots=8, unit_id=story.team_id)
        slots = [{"slot": n, "state": state, **(SLOT if state != "empty" else {})} for n, state in enumerate(STATES, 1)]
        docking.put_board(session, station.id, {"station": "Trạm cắm 02", "slots": slots})
        return station.id


def test_one_station_is_opened_at_once(as_role, station_id: str) -> None:
    assert as_role("commander").get("/dock").headers["Location"] == f"/dock/{station_id}"


def test_each_state_says_what_to_do(as_role, station_id: str) -> None:
    page = as_role("commander").get(f"/dock/{station_id}").text
    for words in (
        "KHÔNG RÚT",
        "Đang đối chiếu",
        "chờ biên nhận",
        "Được phép rút máy",
        "cắm lại máy",
        "Gọi trực ban: 113-2",
    ):
        assert words in page
    assert '<b class="left">còn khoảng 4 phút</b><span class="rest"> · 8/12 tệp · 11,2 GB' in page
    assert page.count("Được phép rút máy") == 1
    assert "DO NOT REMOVE" in as_role("commander").get(f"/dock/{station_id}?lang=en").text


def test_a_green_tile_says_that_its_camera_is_being_wiped(rt: Runtime, as_role, station_id: str) -> None:
    with rt.db.write() as session:
        slots = [{"slot": n, "state": state, "wiping": "XD-1 · 3/12"} for n, state in ((1, "done"), (2, "error"))]
        docking.put_board(session, station_id, {"slots": slots})
    page = as_role("commander").get(f"/dock/{station_id}").text
    assert page.count("Đang xóa theo biên bản XD-1 · 3/12") == 1
    assert "Được phép rút máy" in page


def test_a_silent_station_shows_no_tile(as_role, station_id: str) -> None:
    client = as_role("commander")
    assert client.get(f"/dock/{station_id}/board.json").get_json()["alive"] is True
    later = clock.now() + timedelta(seconds=6.1)
    clock.set_now(lambda: later)
    try:
        answer = client.get(f"/dock/{station_id}/board.json").get_json()
        page = client.get(f"/dock/{station_id}").text
    finally:
        clock.set_now(None)
    assert (answer["alive"], answer["tiles"]) == (False, {})
    assert "MẤT KẾT NỐI TRẠM – KHÔNG RÚT MÁY" in page
    assert "Được phép rút máy" not in page


def test_an_unknown_state_is_an_error_not_a_green_tile(rt: Runtime, as_role, station_id: str) -> None:
    with rt.db.write() as session:
        docking.put_board(session, station_id, {"slots": [{"slot": 1, "state": "fine"}]})
    assert 'class="slot error"' in as_role("commander").get(f"/dock/{station_id}").text


@given(
    st.lists(
        st.fixed_dictionaries(
            {"slot": st.integers(1, 12), "state": st.sampled_from([*STATES, "fine", ""])},
            optional={
                key: st.none() | st.integers(0, 1 << 40) for key in ("files_done", "bytes_total", "eta_s", "receipts")
            },
        )
    )
)
def test_only_a_slot_that_is_done_ever_says_take_it(slots: list[dict[str, object]]) -> None:
    board = StationBoard(station_id="s", body=json.dumps({"slots": slots}), beat_at=clock.now())
    last = {slot["slot"]: slot["state"] for slot in slots}
    for tile in tiles_of(Station(id="s", name="Trạm", slots=8), board, duty_phone="113-2"):
        assert ("Được phép" in tile.title + tile.order + tile.detail) == (last.get(tile.slot) == "done")


def test_a_virtual_camera_is_pulled_through_the_station(rt: Runtime, as_role, station_id: str) -> None:
    client = as_role("commander")
    assert client.post(f"/dock/{station_id}/slots/2/unplug").status_code == HTTPStatus.FOUND
    assert client.post(f"/dock/{station_id}/slots/2/format").status_code == HTTPStatus.NOT_FOUND
    assert client.post(f"/dock/{station_id}/slots/99/unplug").status_code == HTTPStatus.NOT_FOUND
    with rt.db.read() as session:
        assert [(row.command, row.slot) for row in session.scalars(select(StationCommand))] == [("unplug", 2)]


def test_a_station_of_another_unit_is_not_there(rt: Runtime, as_role) -> None:
    with rt.db.write() as session:
        foreign = docking.ensure_station(session, name="Trạm khác", slots=2)
    assert as_role("commander").get(f"/dock/{foreign.id}").status_code == HTTPStatus.NOT_FOUND


def test_a_hand_is_offered_only_where_it_does_something(rt: Runtime, as_role, station_id: str) -> None:
    client = as_role("commander")
    page = client.get(f"/dock/{station_id}").text
    assert "/slots/2/unplug" in page
    assert "/plug" not in page
    client.post(f"/dock/{station_id}/slots/6/unplug")
    with rt.db.write() as session:
        docking.put_board(session, station_id, {"slots": [{"slot": 6, "state": "empty"}]})
    page = client.get(f"/dock/{station_id}").text
    assert "/slots/6/plug" in page
    assert "/slots/1/plug" not in page


def test_who_commands_the_station_may_have_a_slot_tried_again(rt: Runtime, as_role, station_id: str) -> None:
    address = f"/dock/{station_id}/slots/8/retry"
    assert address in as_role("commander").get(f"/dock/{station_id}").text
    assert address not in as_role("head").get(f"/dock/{station_id}").text
    assert as_role("head").post(address).status_code == HTTPStatus.FORBIDDEN
    assert as_role("commander").post(address).status_code == HTTPStatus.FOUND
    with rt.db.read() as session:
        assert [(row.command, row.slot) for row in session.scalars(select(StationCommand))] == [("retry", 8)]


def test_a_tile_says_that_it_waits_its_turn_or_is_wiped_by_order(rt: Runtime, as_role, station_id: str) -> None:
    slots = [
        {"slot": 1, "state": "uploading", "message_vi": "Đang chờ đến lượt", "message_en": "Waiting for its turn"},
        {"slot": 2, "state": "done", "files_done": 4, "wiping": "XDL-1 · 2/4"},
    ]
    alarms = [{"slot": 7, "text_vi": "Khe 7: rút sớm", "text_en": "Slot 7: pulled early"}]
    with rt.db.write() as session:
        docking.put_board(session, station_id, {"slots": slots, "alarms": alarms})
    answer = as_role("commander").get(f"/dock/{station_id}/board.json").get_json()
    assert "Đang chờ đến lượt" in answer["tiles"]["1"]
    assert "đang xóa theo lệnh XDL-1 · 2/4 · 4 bản ghi đã lưu" in answer["tiles"]["2"]
    assert answer["alarms"] == ["Khe 7: rút sớm"]

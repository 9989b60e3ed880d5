"""What officers do at a kiosk: take and return cameras, report a broken one, pull by order, vouch for a forgotten PIN."""

import json
import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from kiosk_story import CARD, DUTY_CARD, PIN, AtStation, beat, equip
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.coverage.models import Debt
from bodycam.custody.models import CustodyEvent
from bodycam.fleet import docking, outages
from bodycam.fleet.models import Camera, CameraOutage, CameraState, StationCommand
from bodycam.fleet.service import issued_to
from bodycam.runtime import Runtime


@pytest.fixture
def here(rt: Runtime, story: Story) -> AtStation:
    return equip(rt, story)


@pytest.fixture
def kiosk(app: Flask, here: AtStation) -> FlaskClient:
    client = app.test_client()
    client.post("/kiosk/pair", data={"code": here.code})
    return client


@pytest.fixture
def officer(kiosk: FlaskClient) -> FlaskClient:
    """The kiosk with the story's officer before it."""
    kiosk.post("/kiosk/card", data={"card": CARD})
    return kiosk


@pytest.fixture
def duty(kiosk: FlaskClient) -> FlaskClient:
    """The kiosk with the duty officer before it."""
    kiosk.post("/kiosk/card", data={"card": DUTY_CARD})
    return kiosk


def last(rt: Runtime, kind: str) -> CustodyEvent:
    with rt.db.read() as session:
        query = select(CustodyEvent).where(CustodyEvent.kind == kind).order_by(CustodyEvent.id.desc())
        return session.scalars(query.limit(1)).one()


def test_a_green_pooled_camera_is_taken_and_its_tile_names_the_new_holder(
    rt: Runtime, story: Story, here: AtStation, officer: FlaskClient
) -> None:
    page = officer.get("/kiosk/cameras").text
    assert "chưa tải xong" in page  # the one in slot 3
    assert officer.post("/kiosk/cameras/take", data={"camera": here.pooled_id}).status_code == HTTPStatus.SEE_OTHER
    with rt.db.read() as session:
        holder = issued_to(session, here.pooled_id, clock.now())
    assert holder is not None
    assert holder.id == story.officer_id
    assert last(rt, "camera.issued").actor == story.officer_id
    tiles = officer.get("/kiosk/board.json").get_json()["tiles"]
    assert "Trần Văn Nam" in tiles["2"]


@pytest.mark.parametrize(
    ("state", "said"),
    [(CameraState.BROKEN, "đang báo hỏng"), (CameraState.QUARANTINED, "chưa đăng ký"), (CameraState.LOST, "báo mất")],
)
def test_a_camera_out_of_service_is_refused_with_why(rt, here: AtStation, officer: FlaskClient, state, said) -> None:
    with rt.db.write() as session:
        session.get_one(Camera, here.pooled_id).state = state.value
    answer = officer.post("/kiosk/cameras/take", data={"camera": here.pooled_id})
    assert answer.status_code == HTTPStatus.CONFLICT
    assert said in answer.text


def test_a_camera_that_uploads_or_another_holds_is_refused(
    rt, story: Story, here: AtStation, duty: FlaskClient
) -> None:
    busy = duty.post("/kiosk/cameras/take", data={"camera": here.busy_id})
    held = duty.post("/kiosk/cameras/take", data={"camera": story.camera_id})
    assert (busy.status_code, held.status_code) == (HTTPStatus.CONFLICT, HTTPStatus.CONFLICT)
    assert "chưa tải xong" in busy.text
    assert "đang giao cho Trần Văn Nam" in held.text
    with rt.db.read() as session:
        assert issued_to(session, here.busy_id, clock.now()) is None


def test_nothing_in_a_slot_is_taken_while_the_stations_heart_stands_still(here: AtStation, officer) -> None:
    later = clock.now() + timedelta(seconds=7)
    clock.set_now(lambda: later)
    assert officer.post("/kiosk/cameras/take", data={"camera": here.pooled_id}).status_code == HTTPStatus.CONFLICT


def test_a_label_finds_a_camera_in_no_slot(officer: FlaskClient) -> None:
    officer.post("/kiosk/cameras/return", data={"camera": _id_of(officer, "BWC-0477")})
    assert "BWC-0477" in officer.get("/kiosk/cameras?label=bwc-0477").text
    assert "BWC-0477" in officer.get("/kiosk/cameras?label=0477").text
    assert "Không có máy nào của đơn vị" in officer.get("/kiosk/cameras?label=9999").text


def _id_of(client: FlaskClient, label: str) -> str:
    page = client.get("/kiosk/cameras").text
    found = re.search(rf'name="camera" value="([0-9a-f-]{{36}})"><button class="big[^>]*><b>{label}', page)
    assert found is not None
    return found[1]


def test_a_returned_camera_says_when_it_still_has_to_be_docked(rt, story: Story, officer: FlaskClient) -> None:
    officer.post("/kiosk/cameras/return", data={"camera": story.camera_id})
    assert "Đồng chí đã trả máy BWC-0412." in officer.get("/kiosk/cameras").text
    missing = _id_of(officer, "BWC-0477")
    officer.post("/kiosk/cameras/return", data={"camera": missing})
    assert "Máy chưa cắm trạm" in officer.get("/kiosk/cameras").text
    assert officer.post("/kiosk/cameras/return", data={"camera": missing}).status_code == HTTPStatus.CONFLICT
    assert last(rt, "camera.returned").actor == story.officer_id


def test_a_broken_camera_gets_a_slip_with_number_and_time(rt: Runtime, story: Story, officer: FlaskClient) -> None:
    answer = officer.post(
        "/kiosk/broken", data={"camera": story.camera_id, "symptom": "no_sound", "since": "hour", "note": "rơi xuống"}
    )
    page = officer.get(answer.headers["Location"]).text
    with rt.db.read() as session:
        row = session.scalars(select(CameraOutage)).one()
        assert session.get_one(Camera, story.camera_id).state == CameraState.BROKEN
    for words in (row.slip, "Không có tiếng", "rơi xuống", clock.local(row.reported_at).strftime("%d/%m/%Y %H:%M")):
        assert words in page
    assert timedelta(minutes=59) < row.reported_at - row.since < timedelta(minutes=61)
    event = last(rt, "camera.reported_broken")
    assert event.actor == story.officer_id
    assert "rơi xuống" not in event.body
    again = officer.post("/kiosk/broken", data={"camera": story.camera_id, "symptom": "lens"})
    assert (again.status_code, row.slip in again.text) == (HTTPStatus.CONFLICT, True)
    assert "máy đang báo hỏng" in officer.get("/kiosk/board.json").get_json()["tiles"]["1"]


def test_a_time_to_come_and_a_symptom_of_no_list_are_not_taken(rt: Runtime, story: Story, officer: FlaskClient) -> None:
    assert officer.post("/kiosk/broken", data={"camera": story.camera_id, "symptom": "x"}).status_code == 400
    data = {"camera": story.camera_id, "symptom": "lens", "moment": "31/12/2999 10:00"}
    officer.post("/kiosk/broken", data=data)
    with rt.db.read() as session:
        row = session.scalars(select(CameraOutage)).one()
    assert row.since <= row.reported_at


def test_a_camera_elsewhere_cannot_be_reported_here_nor_anothers_slip_read(rt, here, officer) -> None:
    missing = "00000000-0000-7000-8000-000000000000"
    assert (
        officer.post("/kiosk/broken", data={"camera": missing, "symptom": "lens"}).status_code == HTTPStatus.NOT_FOUND
    )
    with rt.db.write() as session:
        row = outages.report_broken(
            session, here.busy_id, officer_id=here.duty_id, station_id=None, symptom="lens", since=clock.now()
        )
    assert officer.get(f"/kiosk/broken/{row.slip}").status_code == HTTPStatus.NOT_FOUND


def test_an_ordinary_officer_is_refused_with_a_sentence_and_an_event(rt, story: Story, officer: FlaskClient) -> None:
    for answer in (
        officer.get("/kiosk/release"),
        officer.post("/kiosk/release", data={"slot": "3", "reason": "stuck"}),
    ):
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "Chỉ chỉ huy trực ban của đơn vị này" in answer.text
    assert last(rt, "access.refused").actor == story.officer_id
    with rt.db.read() as session:
        assert session.scalars(select(StationCommand)).all() == []


def test_the_duty_officers_order_goes_to_the_station_and_leaves_a_debt(
    rt: Runtime, here: AtStation, duty: FlaskClient
) -> None:
    assert "BWC-0502" in duty.get("/kiosk/release").text
    answer = duty.post("/kiosk/release", data={"slot": "3", "reason": "urgent_duty", "words": "Chốt QL1A"})
    assert answer.status_code == HTTPStatus.SEE_OTHER
    with rt.db.read() as session:
        command = session.scalars(select(StationCommand)).one()
        debt = session.scalars(select(Debt)).one()
    assert (command.command, command.slot, command.officer_id) == ("release", 3, here.duty_id)
    body = json.loads(command.body)
    assert body["by"] == here.duty_id
    assert body["reason"] == "Nhiệm vụ đột xuất, cần máy ngay: Chốt QL1A" == debt.reason
    assert (debt.camera_id, debt.allowed_by) == (here.busy_id, here.duty_id)
    assert timedelta(hours=23) < debt.due_at - clock.now() <= timedelta(hours=24)
    assert last(rt, "camera.pull_ordered").actor == here.duty_id
    assert "trước" in duty.get("/kiosk/release").text  # the deadline is said


def test_no_order_for_a_green_slot_an_empty_one_or_without_its_reason(rt: Runtime, duty: FlaskClient) -> None:
    statuses = [
        duty.post("/kiosk/release", data=data).status_code
        for data in (
            {"slot": "1", "reason": "stuck"},
            {"slot": "9", "reason": "stuck"},
            {"slot": "3", "reason": "because"},
            {"slot": "3", "reason": "other", "words": "  "},
        )
    ]
    assert statuses == [409, 409, 400, 400]
    with rt.db.read() as session:
        assert session.scalars(select(StationCommand)).all() == []


def test_a_tile_pulled_by_order_says_so_and_is_never_green(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    beat(rt, story, s3="released")
    tile = kiosk.get("/kiosk/board.json").get_json()["tiles"]["3"]
    assert "Rút theo lệnh" in tile
    assert "Được phép" not in tile
    assert "slot done" not in tile


def test_the_duty_officer_vouches_for_a_forgotten_pin(rt: Runtime, story: Story, here: AtStation, duty) -> None:
    assert "Trần Văn Nam" in duty.get(f"/kiosk/vouch?about={story.officer_id}").text
    page = duty.post("/kiosk/vouch", data={"about": story.officer_id}).text
    pin = re.search(r'class="secret">(\d{6})<', page)
    assert pin is not None
    assert last(rt, "officer.pin_vouched").actor == here.duty_id
    assert duty.get("/kiosk/menu").headers["Location"].startswith("/kiosk/sign-in")  # his session ended with it
    old = duty.post("/kiosk/enter", data={"officer": story.officer_id, "pin": PIN})
    new = duty.post("/kiosk/enter", data={"officer": story.officer_id, "pin": pin[1]})
    assert (old.status_code, new.status_code) == (HTTPStatus.UNAUTHORIZED, HTTPStatus.SEE_OTHER)
    assert duty.get("/kiosk/menu").headers["Location"] == "/kiosk/pin"


def test_nobody_vouches_for_himself_and_no_ordinary_officer_for_anybody(here, officer) -> None:
    assert officer.post("/kiosk/vouch", data={"about": here.duty_id}).status_code == HTTPStatus.FORBIDDEN
    officer.post("/kiosk/card", data={"card": DUTY_CARD})
    assert officer.post("/kiosk/vouch", data={"about": here.duty_id}).status_code == HTTPStatus.FORBIDDEN


def test_the_duty_officer_has_a_slot_tried_again_and_an_alarm_seen(rt, story: Story, duty: FlaskClient) -> None:
    beat(rt, story, s3="error")
    assert "Thử lại khe 3" in duty.get("/kiosk/release").text
    for command in ("retry", "acknowledge"):
        answer = duty.post("/kiosk/release/slot", data={"command": command, "slot": "3"})
        assert answer.status_code == HTTPStatus.SEE_OTHER
    for data in ({"command": "release", "slot": "3"}, {"command": "retry", "slot": "99"}, {"command": "retry"}):
        assert duty.post("/kiosk/release/slot", data=data).status_code == HTTPStatus.NOT_FOUND
    duty.post("/kiosk/card", data={"card": CARD})
    refused = duty.post("/kiosk/release/slot", data={"command": "retry", "slot": "3"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
    with rt.db.read() as session:
        given = [row.command for row in session.scalars(select(StationCommand).order_by(StationCommand.id))]
    assert given == ["retry", "acknowledge"]


def test_an_alarm_that_stays_until_its_cause_is_gone_has_no_button(rt, story: Story, duty: FlaskClient) -> None:
    alarm = {"slot": 2, "text_vi": "Máy BWC-0501 chưa trở lại", "text_en": "BWC-0501 is not back"}
    for stays in (False, True):
        with rt.db.write() as session:
            docking.put_board(session, story.station_id, {"slots": [], "alarms": [{**alarm, "stays": stays}]})
        assert ("Đã biết" not in duty.get("/kiosk/release").text) == stays
    assert "Máy BWC-0501 chưa trở lại" in duty.get("/kiosk").text

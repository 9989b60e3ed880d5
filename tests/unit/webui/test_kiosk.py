"""The kiosk: a station's token opens its board alone; an officer's card or PIN opens a minute at it."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.fleet import docking, pairing
from bodycam.fleet.models import KioskSession, Station
from bodycam.people import passes, units
from bodycam.people.models import OfficerPass
from bodycam.runtime import Runtime

PIN, CARD = "246810", ";0012345678?"


@pytest.fixture
def kiosk(app: Flask, rt: Runtime, story: Story) -> FlaskClient:
    """A screen paired with the story's station, at which the story's officer has a PIN and a card."""
    key = passes.open_card_key(rt.settings.keys.dir)
    with rt.db.write() as session:
        passes.change_pin(session, story.officer_id, PIN, settings=rt.settings.sign_in)
        passes.give_card(session, story.officer_id, passes.card_number(CARD), key=key, actor=None)
        code = pairing.make_code(session, story.station_id, actor=None)
        docking.put_board(session, story.station_id, {"slots": [{"slot": 1, "state": "done", "camera": "BWC-0412"}]})
    client = app.test_client()
    assert client.post("/kiosk/pair", data={"code": code}).headers["Location"] == "/kiosk"
    return client


def enter(kiosk: FlaskClient, story: Story, pin: str = PIN, **more: str):
    return kiosk.post("/kiosk/enter", data={"officer": story.officer_id, "pin": pin, **more})


def kinds(rt: Runtime, object_id: str) -> list[str]:
    with rt.db.read() as session:
        query = select(CustodyEvent.kind).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id)
        return list(session.scalars(query))


def test_a_code_pairs_one_screen_once(app: Flask, rt: Runtime, story: Story) -> None:
    with rt.db.write() as session:
        code = pairing.make_code(session, story.station_id, actor=None)
    first, second = app.test_client(), app.test_client()
    answer = first.post("/kiosk/pair", data={"code": code})
    cookie = answer.headers["Set-Cookie"]
    for mark in ("bodycam_kiosk=", "HttpOnly", "SameSite=Strict", "Path=/kiosk"):
        assert mark in cookie
    assert "Trạm cắm 02" in first.get("/kiosk").text
    assert second.post("/kiosk/pair", data={"code": code}).status_code == HTTPStatus.BAD_REQUEST
    with rt.db.read() as session:
        kept = session.get_one(Station, story.station_id)
        assert cookie.split("=")[1].split(";")[0] not in (kept.token_hash, kept.pairing_hash)


def test_an_old_code_and_a_revoked_screen_open_nothing(app: Flask, rt: Runtime, story: Story, kiosk) -> None:
    with rt.db.write() as session:
        code = pairing.make_code(session, story.station_id, actor=None)
    assert kiosk.get("/kiosk").status_code == HTTPStatus.OK  # until the new code is used
    later = clock.now() + pairing.CODE_HOLDS
    clock.set_now(lambda: later)
    assert app.test_client().post("/kiosk/pair", data={"code": code}).status_code == HTTPStatus.BAD_REQUEST
    clock.set_now(None)
    with rt.db.write() as session:
        pairing.unpair(session, story.station_id, actor=None)
    assert kiosk.get("/kiosk").headers["Location"] == "/kiosk/pair"
    assert kiosk.get("/kiosk/board.json", headers={"Accept": "application/json"}).status_code == HTTPStatus.UNAUTHORIZED


def test_guessing_pairing_codes_is_slowed(app: Flask) -> None:
    client = app.test_client()
    statuses = [client.post("/kiosk/pair", data={"code": f"{n:010}"}).status_code for n in range(12)]
    assert statuses[0] == HTTPStatus.BAD_REQUEST
    assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS


def test_a_stations_token_opens_its_board_and_no_staff_page(kiosk: FlaskClient) -> None:
    page = kiosk.get("/kiosk").text
    assert "Được phép rút máy" in page
    assert kiosk.get("/kiosk/").status_code == HTTPStatus.OK  # as the shipped service opens it
    for address in ("/recordings", "/dock", "/devices", "/accounts", "/log", "/"):
        assert "/sign-in" in kiosk.get(address).headers["Location"], address
    for address in ("/kiosk/menu", "/kiosk/pin"):
        assert kiosk.get(address).headers["Location"].startswith("/kiosk/sign-in"), address


def test_the_right_pin_opens_a_minute_and_leads_on(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    answer = enter(kiosk, story)
    assert answer.headers["Location"] == "/kiosk/menu"
    assert "Trần Văn Nam" in kiosk.get("/kiosk/menu").text
    later = clock.now() + timedelta(seconds=61)
    clock.set_now(lambda: later)
    assert kiosk.get("/kiosk/menu").headers["Location"].startswith("/kiosk/sign-in")
    assert "kiosk.signed_in" in kinds(rt, story.officer_id)


def test_ten_minutes_are_the_most_however_busy(story: Story, kiosk: FlaskClient) -> None:
    enter(kiosk, story)
    start = clock.now()
    for minutes in range(1, 20):
        moment = start + timedelta(seconds=50 * minutes)
        clock.set_now(lambda moment=moment: moment)
        status = kiosk.get("/kiosk/menu").status_code
        assert (status == HTTPStatus.OK) == (50 * minutes < 600), minutes


def test_a_card_opens_it_whatever_its_reader_types_around_the_number(rt, story: Story, kiosk: FlaskClient) -> None:
    for typed in (CARD, "%0012345678?\r", "0012345678", "\x020012345678\x03"):
        assert kiosk.post("/kiosk/card", data={"card": typed}).headers["Location"] == "/kiosk/menu", typed
    assert kiosk.post("/kiosk/card", data={"card": "9912345678"}).status_code == HTTPStatus.UNAUTHORIZED
    assert kiosk.post("/kiosk/card", data={"card": "12"}).status_code == HTTPStatus.BAD_REQUEST
    with rt.db.read() as session:
        assert "12345678" not in str(session.get_one(OfficerPass, story.officer_id).card_key)


def test_whoever_comes_next_ends_the_session_before(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    enter(kiosk, story)
    kiosk.post("/kiosk/card", data={"card": CARD})
    with rt.db.read() as session:
        rows = list(session.scalars(select(KioskSession).order_by(KioskSession.id)))
    assert [row.ended_at is None for row in rows] == [False, True]
    kiosk.post("/kiosk/leave")
    assert kiosk.get("/kiosk/menu").headers["Location"].startswith("/kiosk/sign-in")


def test_wrong_pins_get_one_answer_and_a_growing_pause(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    with rt.db.write() as session:
        other = units.create_officer(
            session, unit_id=story.team_id, number="184-999", name="Vũ Đức", force="traffic_police"
        )
    without = kiosk.post("/kiosk/enter", data={"officer": other.id, "pin": PIN})
    wrong = enter(kiosk, story, "135790")
    said = "Mã PIN không đúng hoặc chưa được cấp"
    assert (without.status_code, wrong.status_code) == (HTTPStatus.UNAUTHORIZED, HTTPStatus.UNAUTHORIZED)
    assert said in without.text
    assert said in wrong.text
    statuses = [enter(kiosk, story, "135790").status_code for _ in range(5)]
    assert statuses[-1] == HTTPStatus.TOO_MANY_REQUESTS
    assert enter(kiosk, story).status_code == HTTPStatus.TOO_MANY_REQUESTS  # the right one has to wait, too
    assert {"kiosk.sign_in_failed", "kiosk.throttled"} <= set(kinds(rt, story.officer_id))


def test_digits_find_the_officers_of_this_station_alone(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    with rt.db.write() as session:
        units.create_officer(session, unit_id=story.team_id, number="199-221", name="Vũ Đức", force="traffic_police")
        other, _ = units.ensure_unit(session, ["Đơn vị khác"], force="tax")
        stranger = units.create_officer(session, unit_id=other.id, number="77-8221", name="Người Lạ", force="tax")
    page = kiosk.get("/kiosk/sign-in?digits=221").text
    assert "Trần Văn Nam" in page
    assert "Vũ Đức" in page
    assert "Người Lạ" not in page
    assert f"officer={story.officer_id}" in kiosk.get("/kiosk/sign-in?digits=184221").headers["Location"]
    assert "Không có cán bộ nào" in kiosk.get("/kiosk/sign-in?digits=8221").text
    assert kiosk.get(f"/kiosk/pin-entry?officer={stranger.id}").status_code == HTTPStatus.NOT_FOUND


def test_a_pin_somebody_gave_is_changed_before_anything_else(rt: Runtime, story: Story, kiosk: FlaskClient) -> None:
    with rt.db.write() as session:
        given = passes.give_pin(
            session, story.officer_id, settings=rt.settings.sign_in, kind="officer.pin_given", actor=None
        )
    enter(kiosk, story, given)
    assert kiosk.get("/kiosk/menu").headers["Location"] == "/kiosk/pin"
    assert kiosk.post("/kiosk/pin", data={"pin": "111111", "again": "111111"}).status_code == HTTPStatus.BAD_REQUEST
    assert kiosk.post("/kiosk/pin", data={"pin": "135791", "again": "135792"}).status_code == HTTPStatus.BAD_REQUEST
    assert kiosk.post("/kiosk/pin", data={"pin": "135791", "again": "135791"}).headers["Location"] == "/kiosk/menu"
    assert kiosk.get("/kiosk/menu").status_code == HTTPStatus.OK
    without = kiosk.post("/kiosk/pin", data={"pin": "975312", "again": "975312"})
    assert without.status_code == HTTPStatus.UNAUTHORIZED  # by now it is his own: he has to know it

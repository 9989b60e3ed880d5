"""The end of a shift at the kiosk: answers, a number put together from its digits, a clear question, the slip."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from staff_story import Story

from bodycam import clock
from bodycam.cases.minutes import minutes_of
from bodycam.coverage import handover
from bodycam.coverage.models import Debt, ShiftEnd
from bodycam.fleet import docking, pairing
from bodycam.people import passes, units
from bodycam.runtime import Runtime

PIN = "246810"


@pytest.fixture
def kiosk(app: Flask, rt: Runtime, story: Story) -> FlaskClient:
    """The story's officer has just signed on at his station's kiosk; his camera is uploading in slot 3."""
    slot = {"slot": 3, "state": "uploading", "camera": "BWC-0412", "files_done": 2, "files_total": 6}
    with rt.db.write() as session:
        passes.change_pin(session, story.officer_id, PIN, settings=rt.settings.sign_in)
        code = pairing.make_code(session, story.station_id, actor=None)
        docking.put_board(session, story.station_id, {"slots": [slot]})
    client = app.test_client()
    client.post("/kiosk/pair", data={"code": code})
    answer = client.post("/kiosk/enter", data={"officer": story.officer_id, "pin": PIN, "then": "shift"})
    assert answer.headers["Location"] == "/kiosk/shift"
    return client


def said(rt: Runtime, story: Story) -> dict[str, tuple[str, str | None]]:
    with rt.db.read() as session:
        rows = minutes_of(session, [story.stop_id, story.plain_id, story.citizen_id])
        return {key: (row.choice, row.number) for key, row in rows.items()}


def test_nothing_is_chosen_beforehand_and_the_camera_may_stay(kiosk: FlaskClient, story: Story) -> None:
    page = kiosk.get("/kiosk/shift").text
    assert "checked" not in page
    assert "Để máy trong khe, đồng chí có thể ra về" in page
    assert "còn 4 tệp" in " ".join(page.split())
    assert story.stop_id in page
    assert story.citizen_id not in page
    assert kiosk.get("/kiosk/shift?all=1").text.count("checked") == 2


def test_one_press_answers_one_stop_and_undo_takes_it_back(kiosk, rt, story) -> None:
    answer = kiosk.post("/kiosk/shift/answer", data={"one": f"none|{story.stop_id}"})
    assert answer.headers["Location"] == f"/kiosk/shift#s-{story.stop_id}"
    assert said(rt, story) == {story.stop_id: ("none", None)}
    assert "Hoàn tác" in kiosk.get("/kiosk/shift").text
    kiosk.post("/kiosk/shift/undo")
    assert said(rt, story) == {}
    assert "Hoàn tác" not in kiosk.get("/kiosk/shift").text


def test_several_get_one_number_from_its_digits_and_the_rest_is_remembered(kiosk, rt, story) -> None:
    both = {"stop": [story.stop_id, story.plain_id]}
    asked = kiosk.post("/kiosk/shift/answer", data={**both, "choice": "number"}).text
    assert 'value="…/BB-VPHC" checked' in asked
    kiosk.post("/kiosk/shift/number", data={**both, "digits": "0231", "ending": "…/BB-VPHC"})
    assert said(rt, story) == dict.fromkeys((story.stop_id, story.plain_id), ("number", "0231/BB-VPHC"))
    again = kiosk.post("/kiosk/shift/answer", data={**both, "choice": "number"}).text
    assert 'value="0232/BB-VPHC"' in again
    kiosk.post("/kiosk/shift/number", data={"stop": story.plain_id, "whole": "0232/BB-VPHC"})
    assert said(rt, story)[story.plain_id] == ("number", "0232/BB-VPHC")


@pytest.mark.parametrize("form", [{"digits": ""}, {"digits": "abc"}, {"whole": "x" * 200}])
def test_a_number_that_is_none_is_asked_again_and_nothing_is_kept(kiosk, rt, story, form) -> None:
    answer = kiosk.post("/kiosk/shift/number", data={"stop": story.stop_id, "ending": "…/BB-VPHC", **form})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert 'role="alert"' in answer.text
    assert story.stop_id in answer.text
    assert said(rt, story) == {}


@pytest.mark.parametrize("form", [{}, {"choice": "none"}, {"choice": "x", "stop": "y"}, {"one": "none|nobody"}])
def test_an_answer_for_nothing_says_what_to_do(kiosk, rt, story, form) -> None:
    answer = kiosk.post("/kiosk/shift/answer", data=form)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "Chọn ít nhất một dòng trước." in answer.text
    assert said(rt, story) == {}


def test_nobody_answers_for_what_is_not_in_his_own_list(kiosk, rt, story) -> None:
    for recording_id in (story.citizen_id, "nothing"):
        for address, form in (("answer", {"one": f"none|{recording_id}"}), ("number", {"digits": "1"})):
            status = kiosk.post(f"/kiosk/shift/{address}", data={"stop": recording_id, **form}).status_code
            assert status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
    assert said(rt, story) == {}


def test_what_is_open_is_put_off_only_after_a_clear_question(kiosk, rt, story) -> None:
    kiosk.post("/kiosk/shift/answer", data={"one": f"none|{story.stop_id}"})
    asked = kiosk.post("/kiosk/shift/end")
    assert asked.status_code == HTTPStatus.OK
    assert "1 dòng chưa ghi biên bản" in " ".join(asked.text.split())
    with rt.db.read() as session:
        assert session.scalars(select(ShiftEnd)).all() == []
    ended = kiosk.post("/kiosk/shift/end", data={"later": "1"})
    page = kiosk.get(ended.headers["Location"]).text
    assert re.search(r"Đã kết thúc ca · PBG-\d{8}-0001", page)
    assert "Để máy trong khe, đồng chí có thể ra về" in page
    assert said(rt, story)[story.plain_id] == ("later", None)
    with rt.db.read() as session:
        owed = session.scalars(select(Debt).where(Debt.kind == "minute", Debt.closed_at.is_(None))).all()
        assert [debt.recording_id for debt in owed] == [story.plain_id]
    listed = kiosk.get("/kiosk/shift").text
    assert "Còn từ ca trước" in listed
    assert story.plain_id in listed
    assert story.stop_id not in listed


def test_own_slips_are_found_again_and_others_are_not(kiosk, rt, story) -> None:
    with rt.db.write() as session:
        own = handover.end_shift(session, officer_id=story.officer_id, station_id=story.station_id).id
        other = units.create_officer(
            session, unit_id=story.team_id, number="184-222", name="Lê Khác", force="traffic_police"
        )
        foreign = handover.end_shift(session, officer_id=other.id, station_id=story.station_id).id
    assert f"/kiosk/slips/{own}" in kiosk.get("/kiosk/slips").text
    assert foreign not in kiosk.get("/kiosk/slips").text
    assert "Trần Văn Nam" in kiosk.get(f"/kiosk/slips/{own}").text
    for slip_id in (foreign, "nothing"):
        assert kiosk.get(f"/kiosk/slips/{slip_id}").status_code == HTTPStatus.NOT_FOUND


def test_an_answer_of_an_earlier_visit_to_the_kiosk_is_not_taken_back(kiosk, rt, story) -> None:
    kiosk.post("/kiosk/shift/answer", data={"one": f"none|{story.stop_id}"})
    later = clock.now() + timedelta(seconds=5)
    clock.set_now(lambda: later)
    kiosk.post("/kiosk/enter", data={"officer": story.officer_id, "pin": PIN})
    kiosk.post("/kiosk/shift/undo")
    assert said(rt, story) == {story.stop_id: ("none", None)}


def test_without_an_officer_there_is_no_list_and_no_slip(app: Flask, kiosk: FlaskClient) -> None:
    kiosk.post("/kiosk/leave")
    for address in ("/kiosk/shift", "/kiosk/slips"):
        assert "/kiosk/sign-in" in kiosk.get(address).headers["Location"]
    assert "/kiosk/pair" in app.test_client().get("/kiosk/shift").headers["Location"]

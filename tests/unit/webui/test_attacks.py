"""What somebody would try at the staff pages, each test named after the attempt."""

import json
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from sqlalchemy import select
from staff_story import PASSWORD, Story

from bodycam import clock, custody
from bodycam.cases.models import Case
from bodycam.custody.models import CustodyEvent
from bodycam.errors import DatabaseAwayError, DiskFullError
from bodycam.fleet.models import Camera, Station, StationBoard
from bodycam.people.models import Account, Officer, StaffSession, Unit
from bodycam.people.scope import Scope
from bodycam.recordings.models import Recording, RecordingPlate
from bodycam.runtime import Runtime
from bodycam.vault.errors import KeyDamagedError
from webui.apps import create_public_app, create_staff_app
from webui.common.errors import told
from webui.common.ranges import asked_range, file_name
from webui.staff.case_view import counts_of


def _viewing(client, recording_id: str):
    client.post(f"/recordings/{recording_id}/view", data={"reason": "shift_check"})
    return client


@pytest.mark.parametrize("first", ["9" * 5000, "9" * 19, "٣"])
def test_a_range_with_endless_digits_is_ignored(first: str) -> None:
    assert asked_range(f"bytes={first}-", 100) is None
    assert asked_range(f"bytes=-{first}", 100) is None


def test_a_file_name_with_line_ends_splits_no_header(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        session.get_one(Recording, story.stop_id).name = 'DCIM/a"\r\nSet-Cookie: x=1;\u202e4pm.MP4'
    answer = as_role("case_officer").post(f"/recordings/{story.stop_id}/export", data={"reason": "case_work"})
    assert answer.status_code == HTTPStatus.OK
    assert "Set-Cookie" not in answer.headers
    assert "\u202e" not in answer.headers["Content-Disposition"]


def test_a_file_name_stays_readable() -> None:
    assert file_name("Tổ 2\\..\x00a.mp4") == "Tổ 2_.._a.mp4"


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "text/javascript", "application/gpx+xml", "text/plain"])
def test_a_page_or_a_script_out_of_a_camera_never_opens_here(rt: Runtime, as_role, story: Story, mime: str) -> None:
    with rt.db.write() as session:
        session.get_one(Recording, story.stop_id).mime = mime
    answer = _viewing(as_role("commander"), story.stop_id).get(f"/recordings/{story.stop_id}/original")
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/%5Cevil.example/x", "//evil.example/x", "/%09/evil.example"])
def test_the_links_of_an_error_page_lead_to_no_other_host(client, path: str) -> None:
    page = client.get(path).text
    assert 'href="/\\' not in page
    assert 'href="//' not in page
    assert 'href="/\t' not in page


@pytest.mark.parametrize(
    "target",
    [
        "/\t/evil.example",
        "/\t\\evil.example",
        "/\n/evil.example",
        "/%5cevil.example",
        " //evil.example",
        "/\r\nX: y",
        "///evil.example",
        "//[x",
    ],
)
def test_a_return_address_in_disguise_leads_to_no_other_host(client, target: str) -> None:
    answer = client.post("/sign-in", data={"username": "commander", "password": "mat-khau-thu-1", "next": target})
    assert answer.status_code == HTTPStatus.FOUND
    place = answer.headers["Location"]
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\", "/\t", "/\n"))
    assert "X" not in answer.headers


def test_a_search_of_two_thousand_words_is_answered(as_role) -> None:
    client = as_role("commander")
    for address in (f"/recordings?q={'a+' * 2000}", f"/recordings?officer={'a+' * 2000}", f"/cases?q={'a+' * 2000}"):
        assert client.get(address).status_code == HTTPStatus.OK


def test_pages_and_footage_stay_in_no_cache(as_role, story: Story) -> None:
    client = _viewing(as_role("commander"), story.stop_id)
    for part in ("", "/original", "/filmstrip", "/thumbnail", "/track.json", "/access-log"):
        answer = client.get(f"/recordings/{story.stop_id}{part}")
        assert answer.status_code == HTTPStatus.OK, part
        assert answer.headers["Cache-Control"] == "no-store", part


def test_a_foreign_host_name_appears_in_no_answer(client) -> None:
    answer = client.get("/recordings", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil" not in answer.headers["Location"] + answer.text


def _account(rt: Runtime, username: str) -> str:
    with rt.db.read() as session:
        return session.scalars(select(Account.id).where(Account.username == username)).one()


def _refusals(rt: Runtime, object_id: str) -> list[str | None]:
    with rt.db.read() as session:
        return [event.actor for event in custody.history(session, object_id) if event.kind == "access.refused"]


def test_an_officer_who_tries_a_colleague_s_recording_meets_nothing_and_leaves_a_trace(
    rt: Runtime, as_role, story: Story
) -> None:
    with rt.db.write() as session:
        session.get_one(Recording, story.plain_id).officer_id = None
    client, never = as_role("officer"), "00000000-0000-7000-8000-000000000000"
    for part in ("", "/original", "/thumbnail", "/receipt"):
        answers = [client.get(f"/recordings/{known}{part}") for known in (story.plain_id, story.citizen_id, never)]
        assert {answer.status_code for answer in answers} == {HTTPStatus.NOT_FOUND}, part
        assert len({len(answer.data) for answer in answers}) == 1, part
    officer = _account(rt, "officer")
    assert _refusals(rt, story.plain_id) == _refusals(rt, story.citizen_id) == _refusals(rt, never) == [officer] * 4


def test_what_is_only_not_made_yet_accuses_nobody(rt: Runtime, as_role, story: Story) -> None:
    client = _viewing(as_role("commander"), story.plain_id)
    for part in ("thumbnail", "filmstrip", "track.json", "copy", "receipt"):
        assert client.get(f"/recordings/{story.plain_id}/{part}").status_code == HTTPStatus.NOT_FOUND, part
    assert _refusals(rt, story.plain_id) == []


@pytest.mark.parametrize("address", ["/cases/{}", "/devices/{}", "/dock/{}", "/cases/{}/edit"])
def test_every_guessed_id_leaves_a_trace(rt: Runtime, as_role, address: str) -> None:
    never = "00000000-0000-7000-8000-000000000000"
    assert as_role("commander").get(address.format(never)).status_code == HTTPStatus.NOT_FOUND
    assert _refusals(rt, never) == [_account(rt, "commander")]


def test_a_recording_of_an_unregistered_camera_shows_to_no_unit(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        row = session.get_one(Recording, story.plain_id)
        row.quarantine, row.unit_id, row.officer_id, row.camera_id = True, None, None, None
    for role in ("officer", "commander", "head", "monitor", "case_officer", "plan_approver"):
        client = as_role(role)
        assert story.plain_id not in client.get("/recordings").text, role
        assert client.get(f"/recordings/{story.plain_id}").status_code == HTTPStatus.NOT_FOUND, role
    assert story.plain_id in as_role("auditor").get("/recordings").text


def test_a_commander_learns_of_no_complaint_from_the_access_log(as_role, story: Story) -> None:
    address = f"/recordings/{story.stop_id}"
    as_role("auditor").post(f"{address}/view", data={"reason": "complaint"})
    as_role("intake").get(address)
    as_role("monitor").post(f"{address}/view", data={"reason": "complaint"})
    as_role("head").post(f"{address}/view", data={"reason": "other", "words": "đơn của ông Dân"})
    client = as_role("commander")
    client.post(f"{address}/view", data={"reason": "complaint"})
    page = client.get(f"{address}/access-log").text
    for words in ("Lê Minh Đức", "Người intake", "đơn của ông Dân"):
        assert words not in page, words
    assert page.count("Giải quyết khiếu nại, phản ánh") == 1, "his own reason, nobody else's"
    assert page.count("Kiểm tra theo nhiệm vụ") == 2
    page = as_role("auditor").get(f"{address}/access-log").text
    for words in ("Lê Minh Đức", "Người intake", "đơn của ông Dân"):
        assert words in page, words


def test_a_case_counts_only_the_recordings_in_reach(rt: Runtime, story: Story, app: Flask) -> None:
    with app.test_request_context(), rt.db.read() as session:
        own = Scope(officer_id=story.officer_id)
        assert counts_of(session, [story.case_id], own) == {(story.case_id, "proposed"): 1}
        assert counts_of(session, [story.case_id], Scope(officer_id="a-colleague")) == {}


def test_an_administrator_gives_himself_no_role(rt: Runtime, as_role, story: Story) -> None:
    admin, own = as_role("administrator"), _account(rt, "administrator")
    wanted = {"role": "auditor", "unit": story.team_id}
    assert admin.post(f"/accounts/{own}/roles", data=wanted).status_code == HTTPStatus.FORBIDDEN
    assert _refusals(rt, own) == [own]
    assert admin.get("/recordings").status_code == HTTPStatus.FORBIDDEN


def test_what_an_administrator_does_with_rights_shows_to_the_auditor(rt: Runtime, as_role, story: Story) -> None:
    admin, other = as_role("administrator"), _account(rt, "head")
    admin.post(f"/accounts/{other}/roles", data={"role": "auditor", "unit": story.team_id})
    admin.post(f"/accounts/{other}/password")
    page = as_role("auditor").get("/log").text
    assert "Cấp vai trò · Người head · Kiểm toán nội bộ · Đội CSGT đường bộ số 3" in page
    assert "Đổi mật khẩu · Người head" in page
    assert "Người administrator" in page


def test_a_kept_cookie_reopens_no_viewing(as_role, story: Story) -> None:
    client = _viewing(as_role("commander"), story.stop_id)
    kept = client.get_cookie("bodycam_staff_form")
    assert kept is not None
    client.post("/sign-out")
    again = as_role("commander")
    again.set_cookie("bodycam_staff_form", kept.value)
    assert again.get(f"/recordings/{story.stop_id}/original").status_code == HTTPStatus.FORBIDDEN


def test_another_sign_in_ends_the_one_before_in_the_same_browser(app: Flask, as_role) -> None:
    client = as_role("commander")
    stolen = client.get_cookie("bodycam_staff")
    assert stolen is not None
    client.post("/sign-in", data={"username": "commander", "password": PASSWORD})
    thief = app.test_client()
    thief.set_cookie("bodycam_staff", stolen.value)
    assert thief.get("/recordings").status_code == HTTPStatus.FOUND
    assert client.get("/recordings").status_code == HTTPStatus.OK


def test_a_session_chosen_by_somebody_else_is_not_taken(app: Flask, rt: Runtime) -> None:
    client = app.test_client()
    client.set_cookie("bodycam_staff", "chosen-by-a-thief")
    client.post("/sign-in", data={"username": "commander", "password": PASSWORD})
    cookie = client.get_cookie("bodycam_staff")
    assert cookie is not None
    assert cookie.value != "chosen-by-a-thief"
    with rt.db.read() as session:
        assert len(session.scalars(select(StaffSession)).all()) == 1
        assert session.scalars(select(CustodyEvent.kind).order_by(CustodyEvent.id)).all()[-1] == "account.signed_in"


def test_somebody_else_s_sign_in_is_not_ended_and_the_try_is_logged(rt: Runtime, as_role) -> None:
    as_role("head")
    with rt.db.read() as session:
        row = session.scalars(select(StaffSession)).one()
    commander = as_role("commander")
    assert commander.post(f"/account/sessions/{row.id}/end").status_code == HTTPStatus.NOT_FOUND
    assert _refusals(rt, row.id) == [_account(rt, "commander")]


def test_a_stolen_session_is_paused_when_it_guesses_the_password(as_role) -> None:
    client = as_role("head")
    wrong = {"current": "sai", "fresh": "mat-khau-moi-22", "again": "mat-khau-moi-22"}
    codes = [client.post("/account/password", data=wrong).status_code for _ in range(11)]
    assert codes == [HTTPStatus.BAD_REQUEST] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]


def test_a_demo_answers_to_no_other_name(rt: Runtime) -> None:
    demo = create_staff_app(replace(rt, settings=rt.settings.model_copy(update={"demo": True})))
    assert demo.test_client().get("/sign-in", headers={"Host": "evil.example:8080"}).status_code == 421
    for name in ("127.0.0.1:8080", "localhost:8080", "[::1]:8080"):
        assert demo.test_client().get("/sign-in", headers={"Host": name}).status_code == HTTPStatus.OK, name


@pytest.mark.parametrize("name", ["a b", "x<script>", "evil.example:99999", "@", ""])
def test_a_host_name_that_is_none_fails_nothing(client, name: str) -> None:
    answer = client.get("/sign-in", headers={"Host": name})
    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST}
    assert "<script>x" not in answer.text


def test_what_fails_inside_tells_a_citizen_no_path(rt: Runtime) -> None:
    app = create_public_app(rt)
    for error in (
        DiskFullError(path="/srv/secret"),
        DatabaseAwayError(reason="secret"),
        KeyDamagedError(path="secret"),
    ):
        with app.test_request_context():
            assert "secret" not in told(error)
            assert "secret" in error.text("vi")


EVIL = "\"'><script>x</script><img src=x onerror=x>{{ 7 * 7 }}"


def test_no_text_from_outside_becomes_a_part_of_a_page(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        row = session.get_one(Recording, story.stop_id)
        row.name = row.place = row.device_make = row.device_model = row.time_raw = row.codec = EVIL
        session.get_one(Case, story.case_id).title = session.get_one(Case, story.case_id).place = EVIL
        camera, officer = session.get_one(Camera, story.camera_id), session.get_one(Officer, story.officer_id)
        camera.label = officer.name = officer.team = EVIL
        session.get_one(Unit, story.team_id).name = session.get_one(Station, story.station_id).name = EVIL
        for account in session.scalars(select(Account)):
            account.display_name = EVIL
        session.get_one(RecordingPlate, (story.stop_id, "29A12345")).raw = EVIL[:40]
        board = {"slots": [{"slot": 1, "state": "error", "camera": EVIL, "officer": EVIL, "message_vi": EVIL}]}
        session.merge(StationBoard(station_id=story.station_id, beat_at=clock.now(), body=json.dumps(board)))
    client = as_role("commander")
    client.post(f"/recordings/{story.stop_id}/view", data={"reason": "other", "words": EVIL})
    asked = urlencode({"q": EVIL, "camera": EVIL, "case": EVIL})
    pages = ["/recordings", f"/recordings?{asked}", f"/recordings/{story.stop_id}", f"/recordings/{story.plain_id}",
             f"/recordings/{story.stop_id}/access-log", "/cases", f"/cases?{asked}", f"/cases/{story.case_id}",
             f"/cases/{story.case_id}/edit", "/cases/new", "/devices", f"/devices/{story.camera_id}",
             f"/dock/{story.station_id}", "/account", f"/{quote(EVIL)}"]  # fmt: skip
    for address in pages:
        page = client.get(address).text
        assert "<script>x" not in page, address
        assert "<img src=x" not in page, address
    for tile in client.get(f"/dock/{story.station_id}/board.json").get_json()["tiles"].values():
        assert "<script>x" not in tile
        assert "<img src=x" not in tile
    admin = as_role("administrator")
    for address in ("/accounts", f"/accounts/{_account(rt, 'head')}", "/vault"):
        assert "<script>x" not in admin.get(address).text, address


@pytest.mark.parametrize(
    "address", ["/recordings?q=%00", "/recordings/%00", "/cases?after=%00", "/accounts?after=a%00"]
)
def test_a_nul_in_an_address_fails_nothing(as_role, address: str) -> None:
    assert as_role("commander").get(address).status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}


def test_a_nul_in_a_username_is_a_wrong_sign_in(client) -> None:
    answer = client.post("/sign-in", data={"username": "no\0body", "password": "x"})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED

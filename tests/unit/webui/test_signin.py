"""Signing in, staying in, getting out, and what a stranger sees."""

from http import HTTPStatus

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bodycam.custody.models import CustodyEvent
from bodycam.runtime import Runtime
from webui.apps import create_staff_app

PASSWORD = "mat-khau-thu-1"


def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: FlaskClient) -> None:
    answer = client.get("/dock?x=1")
    assert answer.status_code == HTTPStatus.FOUND
    assert answer.headers["Location"] == "/sign-in?next=/dock?x%3D1"
    answer = client.post("/sign-in", data={"username": "commander", "password": PASSWORD, "next": "/dock?x=1"})
    assert answer.headers["Location"] == "/dock?x=1"


def test_a_sign_in_never_leads_to_another_host(client: FlaskClient) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        answer = client.post("/sign-in", data={"username": "commander", "password": PASSWORD, "next": target})
        assert answer.headers["Location"] == "/"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"username": "commander", "password": PASSWORD})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("bodycam_staff="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_wrong_password_says_so_in_both_languages_and_is_slowed_after_ten(client: FlaskClient) -> None:
    wrong = {"username": "commander", "password": "khong-phai"}
    assert "không đúng" in client.post("/sign-in", data=wrong).text
    assert "is wrong" in client.post("/sign-in?lang=en", data=wrong).text
    for _ in range(8):
        assert client.post("/sign-in", data=wrong).status_code == HTTPStatus.UNAUTHORIZED
    answer = client.post("/sign-in", data={"username": "commander", "password": PASSWORD})
    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_signing_out_ends_the_session_on_the_server_too(app: Flask, as_role) -> None:
    client = as_role("commander")
    token = client.get_cookie("bodycam_staff").value
    assert client.post("/sign-out").status_code == HTTPStatus.FOUND
    thief = app.test_client()
    thief.set_cookie("bodycam_staff", token)
    assert thief.get("/dock").status_code == HTTPStatus.FOUND


def test_a_form_without_its_token_is_refused(rt: Runtime) -> None:
    client = create_staff_app(rt).test_client()
    answer = client.post("/sign-in", data={"username": "commander", "password": PASSWORD})
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "form_expired" in answer.text


def test_demo_sign_ins_do_not_exist_outside_a_demo(client: FlaskClient) -> None:
    assert client.post("/demo/stop/enter").status_code == HTTPStatus.NOT_FOUND


def test_a_refusal_leaves_an_event(rt: Runtime, as_role) -> None:
    assert as_role("intake").get("/dock").status_code == HTTPStatus.FORBIDDEN
    with rt.db.read() as session:
        found = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == "access.refused")).all()
    assert [event.object_id for event in found] == ["page:dock.index"]

"""One's own account, and what a failure inside shows."""

from http import HTTPStatus

from flask import Flask
from staff_story import PASSWORD, Story

from bodycam.runtime import Runtime
from webui.apps import create_staff_app
from webui.common.permissions import open_to_all

FRESH = {"current": PASSWORD, "fresh": "mat-khau-moi-22", "again": "mat-khau-moi-22"}


def test_a_changed_password_ends_every_sign_in(as_role) -> None:
    client, elsewhere = as_role("head"), as_role("head")
    answer = client.post("/account/password", data=FRESH, follow_redirects=True)
    assert "Đã đổi mật khẩu" in answer.text
    assert elsewhere.get("/recordings").status_code == HTTPStatus.FOUND
    old = {"username": "head", "password": PASSWORD}
    assert client.post("/sign-in", data=old).status_code == HTTPStatus.UNAUTHORIZED
    assert client.post("/sign-in", data=old | {"password": FRESH["fresh"]}).status_code == HTTPStatus.FOUND


def test_a_password_is_not_changed_by_mistake(as_role) -> None:
    client = as_role("head")
    for change, words in (
        ({"current": "sai"}, "Mật khẩu hiện tại: không đúng"),
        ({"again": "khac"}, "hai lần gõ không giống nhau"),
        ({"fresh": "ngan", "again": "ngan"}, "Mật khẩu cần từ"),
    ):
        answer = client.post("/account/password", data=FRESH | change)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert words in answer.text
    assert client.get("/account").status_code == HTTPStatus.OK


def test_a_sign_in_elsewhere_is_ended_from_here(as_role) -> None:
    client, lost = as_role("head"), as_role("head")
    page = client.get("/account").text
    ends = [part.partition('"')[0] for part in page.split('action="')[1:] if part.startswith("/account/sessions/")]
    assert len(ends) == 1
    as_role("commander").post(ends[0])
    assert lost.get("/recordings").status_code == HTTPStatus.OK, "somebody else's press changes nothing"
    client.post(ends[0])
    assert lost.get("/recordings").status_code == HTTPStatus.FOUND


def test_the_language_of_an_account_comes_along_to_another_browser(as_role) -> None:
    as_role("head").post("/account/language", data={"language": "en"})
    assert '<html lang="en">' in as_role("head").get("/recordings").text


def test_what_nobody_foresaw_shows_a_request_id_and_nothing_inside(rt: Runtime) -> None:
    app = create_staff_app(rt)

    @open_to_all
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    app.add_url_rule("/broken", "broken", broken)
    answer = app.test_client().get("/broken")
    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_an_administrator_makes_an_account_whose_password_shows_once(app: Flask, as_role, story: Story) -> None:
    admin = as_role("administrator")
    page = admin.post("/accounts", data={"username": "Le.Van", "name": "Lê Văn"}).text
    password = page.partition('class="secret">')[2].partition("<")[0]
    address = page.partition('action="/accounts/')[2].partition("/active")[0]
    assert password not in admin.get(f"/accounts/{address}").text
    admin.post(f"/accounts/{address}/roles", data={"role": "commander", "unit": story.team_id})
    person = app.test_client()
    assert person.post("/sign-in", data={"username": "le.van", "password": password}).status_code == HTTPStatus.FOUND
    assert person.get("/recordings").status_code == HTTPStatus.OK
    gone = {"role": "commander", "unit": story.team_id, "step": "withdraw"}
    admin.post(f"/accounts/{address}/roles", data=gone)
    assert person.get("/recordings").status_code == HTTPStatus.FORBIDDEN
    admin.post(f"/accounts/{address}/active", data={"active": "0"})
    assert person.get("/account").status_code == HTTPStatus.FOUND


def test_an_administrator_meets_named_errors(as_role) -> None:
    admin = as_role("administrator")
    taken = admin.post("/accounts", data={"username": "head", "name": "Hai"})
    assert (taken.status_code, "đã có" in taken.text) == (HTTPStatus.BAD_REQUEST, True)
    rows = admin.get("/accounts").text.split('href="/accounts/')
    own, other = (next(row for row in rows if f">{name}</div>" in row)[:36] for name in ("administrator", "head"))
    assert "không tự tắt" in admin.post(f"/accounts/{own}/active", data={"active": "0"}).text
    assert (
        admin.post(f"/accounts/{other}/roles", data={"role": "king", "unit": "x"}).status_code == HTTPStatus.BAD_REQUEST
    )
    unknown = {"role": "head", "unit": "x"}
    assert admin.post(f"/accounts/{other}/roles", data=unknown).status_code == HTTPStatus.NOT_FOUND


def test_an_administrator_never_sees_a_frame(as_role, story: Story) -> None:
    admin = as_role("administrator")
    for address in ("/recordings", f"/recordings/{story.stop_id}", f"/recordings/{story.stop_id}/original", "/cases"):
        assert admin.get(address).status_code == HTTPStatus.FORBIDDEN

"""Deny by default: every route names what it needs, and every role meets exactly what the table grants."""

from http import HTTPStatus

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bodycam.access.permissions import PERMISSIONS, Action
from bodycam.people.models import Role
from bodycam.runtime import Runtime
from webui.apps import create_staff_app
from webui.common.permissions import ACCOUNT, AT_KIOSK, OPEN, check_declared, needs

NO_ID = "00000000-0000-7000-8000-000000000000"


def _address(app: Flask, rule: Rule) -> str:
    values = {name: 1 if name == "slot" else NO_ID for name in rule.arguments}
    with app.test_request_context():
        return rule.build(values, append_unknown=False)[1]


def _routes(app: Flask) -> list[tuple[str, str, str]]:
    return [
        (
            _address(app, rule),
            "POST" if "POST" in (rule.methods or ()) else "GET",
            needs(app.view_functions[rule.endpoint]),
        )
        for rule in app.url_map.iter_rules()
        if needs(app.view_functions[rule.endpoint]) != OPEN
    ]


def test_an_app_with_an_undeclared_route_does_not_start(rt: Runtime) -> None:
    app = create_staff_app(rt)
    app._got_first_request = False
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="forgotten"):
        check_declared(app)


def test_every_declared_action_exists(app: Flask) -> None:
    declared = {needs(view) for view in app.view_functions.values()} - {OPEN, ACCOUNT} - AT_KIOSK
    assert declared <= set(Action)


def test_a_stranger_gets_into_no_route(app: Flask) -> None:
    for address, method, need in _routes(app):
        answer = app.test_client().open(address, method=method)
        door = "/kiosk/pair" if need in AT_KIOSK else "/sign-in"
        assert answer.status_code in {HTTPStatus.FOUND, HTTPStatus.UNAUTHORIZED}, address
        assert answer.headers.get("Location", door).startswith(door), address


def test_a_persons_sign_in_opens_no_kiosk_page(app: Flask, as_role) -> None:
    client = as_role("administrator")
    at_kiosk = [(address, method) for address, method, need in _routes(app) if need in AT_KIOSK]
    assert len(at_kiosk) > 8
    for address, method in at_kiosk:
        answer = client.open(address, method=method)
        assert answer.headers.get("Location", "/kiosk/pair") == "/kiosk/pair", address
        assert answer.status_code in {HTTPStatus.FOUND, HTTPStatus.UNAUTHORIZED}, address


def test_no_form_is_taken_without_its_token(rt: Runtime) -> None:
    app = create_staff_app(rt)  # with the protection on
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(posts) > 10
    for rule in posts:
        answer = app.test_client().post(_address(app, rule), headers={"Accept": "application/json"})
        assert (answer.status_code, answer.get_json()["code"]) == (HTTPStatus.BAD_REQUEST, "form_expired"), rule.rule


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_refused_what_the_table_does_not_grant(app: Flask, as_role, role: Role) -> None:
    for address, method, action in _routes(app):
        if action in {ACCOUNT, *AT_KIOSK}:
            continue
        status = as_role(role.value).open(address, method=method).status_code
        if Action(action) in PERMISSIONS[role]:
            assert status != HTTPStatus.FORBIDDEN or NO_ID in address, (role, address)
            assert status < HTTPStatus.INTERNAL_SERVER_ERROR, (role, address)
        else:
            assert status == HTTPStatus.FORBIDDEN, (role, address)


@pytest.mark.parametrize("role", list(Role))
def test_menus_show_only_what_the_role_may_open(app: Flask, as_role, role: Role) -> None:
    client = as_role(role.value)
    page = client.get("/nowhere").text
    for rule in app.url_map.iter_rules():
        action = needs(app.view_functions[rule.endpoint])
        shown = f'<a href="{rule.rule}"' in page
        if rule.endpoint.endswith(".index") and action not in {OPEN, ACCOUNT, *AT_KIOSK}:
            assert shown == (Action(action) in PERMISSIONS[role]), (role, rule.rule)

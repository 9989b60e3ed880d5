"""One installation in a temporary folder, with a unit, an account for each role, and the staff application over it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bodycam.models import Base
from bodycam.people import accounts, units
from bodycam.people.models import Role
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from webui.apps import create_staff_app

PASSWORD = "mat-khau-thu-1"

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    settings = load_settings(
        {
            "BODYCAM_DATA_DIR": str(tmp_path / "data"),
            "BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8",
            "BODYCAM_SIGN_IN__ARGON2_TIME_COST": "1",
            "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        }
    )
    with open_runtime(settings) as rt:
        Base.metadata.create_all(rt.db.engine)
        yield rt


@pytest.fixture
def unit_id(rt: Runtime) -> str:
    """A team in a department; every role is granted on the team."""
    with rt.db.write() as session:
        top = units.create_unit(session, name="Phòng CSGT", force="traffic_police")
        team = units.create_unit(session, name="Đội CSGT đường bộ số 3", force="traffic_police", parent_id=top.id)
        officer = units.create_officer(
            session, unit_id=team.id, number="184-221", name="Trần Văn Nam", force="traffic_police"
        )
        for role in Role:
            account = accounts.create_account(
                session,
                username=role.value,
                display_name=f"Người {role.value}",
                password=PASSWORD,
                settings=rt.settings.sign_in,
                officer_id=officer.id if role is Role.OFFICER else None,
            )
            accounts.grant(session, account.id, role.value, team.id)
        return team.id


@pytest.fixture
def app(rt: Runtime, unit_id: str) -> Flask:
    assert unit_id
    app = create_staff_app(rt)
    app.config["WTF_CSRF_ENABLED"] = False  # the token has its own tests
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def as_role(app: Flask) -> SignIn:
    """Return a client signed in as a role."""

    def enter(role: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/sign-in", data={"username": role, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return client

    return enter

"""One installation in a temporary folder, with the staff story in it and the staff application over it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import staff_story
from flask import Flask
from flask.testing import FlaskClient
from staff_story import PASSWORD, Story

from bodycam.models import Base
from bodycam.runtime import Runtime, open_runtime
from bodycam.sections import Settings
from bodycam.settings import load_settings
from webui.apps import create_staff_app

SignIn = Callable[[str], FlaskClient]


def _settings(data: Path) -> Settings:
    return load_settings(
        {
            "BODYCAM_DATA_DIR": str(data),
            "BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB": "8",
            "BODYCAM_SIGN_IN__ARGON2_TIME_COST": "1",
            "BODYCAM_DOCK__BUS": f"sim:{data / 'bus'}",
        }
    )


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    """The story told once; each test gets a copy of the folder."""
    folder = tmp_path_factory.mktemp("told") / "data"
    with open_runtime(_settings(folder)) as rt:
        Base.metadata.create_all(rt.db.engine)
        return folder, staff_story.tell(rt)


@pytest.fixture
def story(told: tuple[Path, Story]) -> Story:
    return told[1]


@pytest.fixture
def rt(tmp_path: Path, told: tuple[Path, Story]) -> Iterator[Runtime]:
    shutil.copytree(told[0], tmp_path / "data")
    with open_runtime(_settings(tmp_path / "data")) as rt:
        yield rt


@pytest.fixture
def app(rt: Runtime) -> Flask:
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

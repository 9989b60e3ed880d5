"""`bodycam station`: a code that pairs a screen, printed once, and a list that says what is paired."""

import json
import re

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bodycam.cli.station import station
from bodycam.errors import NotFoundError
from bodycam.fleet import docking, pairing
from bodycam.fleet.models import Station
from bodycam.migrations.runner import ensure
from bodycam.runtime import open_runtime
from bodycam.settings import load_settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "data"))
    made = load_settings()
    made.data_dir.mkdir()
    ensure(made.database.url)
    with open_runtime(made) as rt, rt.db.write() as session:
        docking.ensure_station(session, name="Trạm cắm 01", slots=8)
    return made


def run(*arguments):
    return CliRunner().invoke(station, arguments, catch_exceptions=False)


def test_a_code_is_printed_and_pairs_once(settings):
    printed = run("token", "Trạm cắm 01").output
    code = re.search(r"\b(\d{5}-\d{5})\b", printed)
    assert code is not None
    assert "http://127.0.0.1:8080/kiosk/pair" in printed
    with open_runtime(settings) as rt:
        found, token = pairing.pair(rt.db, code[1], source="kiosk", settings=settings.sign_in)
        with rt.db.read() as session:
            known = pairing.station_of_token(session, token)
    assert known is not None
    assert known.id == found.id
    assert json.loads(run("list", "--json").output)["kiosk_paired_at"]
    assert "Đã hủy ghép" in run("token", "Trạm cắm 01", "--revoke").output
    with open_runtime(settings) as rt, rt.db.read() as session:
        assert session.scalars(select(Station.token_hash)).one() is None


def test_a_station_nobody_knows_is_named(settings):
    assert settings
    with pytest.raises(NotFoundError, match="Trạm cắm 99"):
        run("token", "Trạm cắm 99")

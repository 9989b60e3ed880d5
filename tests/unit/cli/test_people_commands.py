"""The commands of people and cases, on an installation of their own."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bodycam.__main__ import cli
from bodycam.clock import now
from bodycam.coverage.service import footage_owed
from bodycam.db import Database
from bodycam.fleet.models import Camera
from bodycam.people.sign_in import sign_in
from bodycam.settings import load_settings

DOCS = Path(__file__).parents[3] / "docs/import"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BODYCAM_SIGN_IN__ARGON2_MEMORY_KIB", "8")
    monkeypatch.setenv("BODYCAM_SIGN_IN__ARGON2_TIME_COST", "1")

    def call(*words, stdin=None):
        return CliRunner().invoke(cli, words, input=stdin)

    return call


@pytest.mark.parametrize(
    "words",
    [("import",), ("import", "people"), ("import", "cameras"), ("case",), ("case", "import"), ("account", "create")],
)
def test_every_command_has_help_with_an_example(run, words):
    text = run(*words, "--help").output
    assert words in {("import",), ("case",)} or "Example:" in text


def test_people_cameras_and_cases_come_in_and_are_listed(run):
    assert run("import", "people", str(DOCS / "people.csv")).exit_code == 0
    assert run("import", "cameras", str(DOCS / "cameras.csv")).exit_code == 0
    done = run("case", "import", str(DOCS / "cases.csv"), "--json")
    assert json.loads(done.stdout)["created"] == 2
    listed = [json.loads(line) for line in run("case", "list", "--json").stdout.splitlines()]
    assert [case["kind"] for case in listed] == ["traffic_stop", "customs_inspection"]
    assert "29A-123.45" in run("case", "show", listed[0]["id"]).stdout
    shown = json.loads(run("case", "show", listed[0]["id"], "--json").stdout)
    assert [deadline["key"] for deadline in shown["deadlines"]] == ["decision", "limitation"]
    assert run("case", "list", "--text", "29a 123.45").stdout.count("\n") == 1


def test_a_dry_run_writes_nothing(run):
    done = run("import", "people", str(DOCS / "people.csv"), "--dry-run", "--json")
    assert json.loads(done.stdout)["created"] == 2
    again = run("import", "people", str(DOCS / "people.csv"), "--json")
    assert json.loads(again.stdout)["created"] == 2


def test_a_refused_list_shows_its_rows_and_fails(run, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("Số hiệu;Họ tên;Đơn vị;Lực lượng\n12;An;Đội 1;CSGT\n")
    done = run("import", "people", str(bad))
    assert done.exit_code != 0
    assert "Dòng 2, cột “Số hiệu”" in done.stderr
    assert json.loads(run("import", "people", str(bad), "--json").stdout)["errors"][0]["row"] == 2


def test_an_account_is_made_signs_in_is_reset_and_revoked(run):
    made = run("account", "create", "lan", "--role", "administrator", "--generate")
    password = made.stdout.rsplit(": ", 1)[1].strip()
    settings = load_settings()
    db = Database(settings.database.url)

    def try_in(word):
        return sign_in(db, username="lan", password=word, source="x", settings=settings.sign_in, hours=1)

    assert try_in(password).token
    listed = json.loads(run("account", "list", "--json").stdout)
    assert (listed["username"], listed["roles"]) == ("lan", ["administrator@Đơn vị gốc"])
    assert run("account", "grant", "lan", "auditor").stdout == "lan: administrator@Đơn vị gốc, auditor@Đơn vị gốc\n"
    assert run("account", "grant", "lan", "auditor", "--withdraw").stdout == "lan: administrator@Đơn vị gốc\n"
    assert run("account", "reset-password", "lan", "--password-stdin", stdin="mot mat khau dai\n").exit_code == 0
    assert try_in("mot mat khau dai").token
    assert "Ended 1" in run("account", "revoke", "lan").stdout
    assert json.loads(run("account", "list", "--json").stdout)["active"] is False
    db.close()


def test_a_wrong_role_or_a_short_password_is_refused(run):
    assert run("account", "create", "lan", "--role", "king", "--generate").exit_code == 2
    assert run("account", "create", "lan", "--password-stdin", stdin="ngan\n").exit_code == 1
    assert run("account", "list").stdout == ""


def test_what_is_missing_is_listed_the_most_urgent_first(run, tmp_path):
    run("import", "people", str(DOCS / "people.csv"))
    run("import", "cameras", str(DOCS / "cameras.csv"))
    assert run("coverage").output == ""
    db = Database(f"sqlite:///{tmp_path / 'data' / 'bodycam.db'}")
    with db.write() as session:
        cameras = session.scalars(select(Camera).order_by(Camera.label)).all()
        for camera, hours in zip(cameras, (5, -3, 2), strict=False):
            due_at = now() + timedelta(hours=hours)
            footage_owed(
                session, camera_id=camera.id, visit_id=None, officer_id=None, unit_id=camera.unit_id, due_at=due_at
            )
    db.close()
    lines = run("coverage", "--kind", "footage").output.splitlines()
    assert len(lines) == min(len(cameras), 3)
    assert lines[0].endswith("quá hạn")
    told = [json.loads(line) for line in run("coverage", "--json").stdout.splitlines()]
    assert [debt["due"] for debt in told] == sorted(debt["due"] for debt in told)
    assert told[0]["camera"] == cameras[1].label
    assert run("coverage", "--kind", "minute").output == ""
    assert "Example:" in run("coverage", "--help").output

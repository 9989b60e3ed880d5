"""People, throttle and matching on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bodycam.access.service import scope_of
from bodycam.cases.matching import match_recording
from bodycam.cases.queries import CaseFilter, list_cases
from bodycam.cases.service import CaseFacts, open_case
from bodycam.db import Database
from bodycam.fleet import docking, service
from bodycam.models import Base
from bodycam.people import accounts
from bodycam.people.errors import SignInLockedError, WrongSignInError
from bodycam.people.imports import PEOPLE_COLUMNS, import_people
from bodycam.people.models import Officer
from bodycam.people.passes import Cards
from bodycam.people.scope import EVERYTHING
from bodycam.people.sheets import parse_sheet
from bodycam.people.sign_in import sign_in
from bodycam.people.units import officer_by_number
from bodycam.recordings.models import Recording
from bodycam.sections import SignInSettings

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
CHEAP = SignInSettings(attempts=10, pause_seconds=30, argon2_memory_kib=8, argon2_time_cost=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'x.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


def test_forty_guesses_at_once_are_still_ten(db):
    with db.write() as session:
        accounts.create_account(
            session, username="lan", display_name="Lan", password="mot mat khau dai", settings=CHEAP
        )

    def guess(number):
        try:
            sign_in(db, username="lan", password="sai", source=f"s{number}", settings=CHEAP, hours=1)
        except (WrongSignInError, SignInLockedError) as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(40)))
    assert (answers.count(WrongSignInError), answers.count(SignInLockedError)) == (10, 30)


def test_people_fleet_and_cases_work_together(db, tmp_path):
    rows = "\n".join(f"{n + 100:03}-{n:03};Người {n};Phòng CSGT/Đội {n % 3};CSGT" for n in range(60))
    sheet = parse_sheet("p.csv", f"Số hiệu;Họ tên;Đơn vị;Lực lượng\n{rows}".encode(), PEOPLE_COLUMNS)
    with db.write() as session:
        assert import_people(session, sheet, patterns={}, cards=Cards(tmp_path / "keys")).created == 60
    with db.write() as session:
        officer = officer_by_number(session, "traffic_police", "107007")
        assert isinstance(officer, Officer)
        account = accounts.create_account(
            session, username="chief", display_name="C", password="mot mat khau dai", settings=CHEAP
        )
        accounts.grant(session, account.id, "commander", officer.unit_id)
        camera = service.register_camera(session, serial="S1", unit_id=officer.unit_id)
        service.issue_camera(session, camera.id, officer.id, starts_at=START - timedelta(days=9))
        station = docking.ensure_station(session, name="Trạm", slots=4)
        docking.give_command(session, station.id, "retry")
        assert len(docking.take_commands(session, station.id)) == 1
        overdue = service.cameras_overdue(session, EVERYTHING, hours=24, at=START)
        assert [row[0].id for row in overdue] == [camera.id]
        facts = CaseFacts(
            starts_at=START,
            ends_at=START + timedelta(minutes=10),
            number="45/BB-VPHC",
            identifiers={"plate": ["29A-123.45"]},
            officer_ids=[officer.id],
        )
        cases = [open_case(session, kind="traffic_stop", unit_id=officer.unit_id, facts=facts).id]
        filmed = Recording(
            id="r1", object_id="0" * 64, sha256="0" * 64, size=3_000_000_000, name="x", kind="video", origin="dock",
            sealed_at=START, sealed_event_id="e", shown_at=START, started_at=START, ended_at=START + timedelta(minutes=5),
            officer_id=officer.id, unit_id=officer.unit_id,
        )  # fmt: skip
        session.add(filmed)
        session.flush()
        assert match_recording(session, filmed.id) == 1
    with db.read() as session:
        scope = scope_of(session, account.id, "case.list")
        assert [case.id for case in list_cases(session, scope, CaseFilter(text="29a 12345")).cases] == cases
        assert len(service.list_cameras(session, scope_of(session, account.id, "fleet.view"))) == 1

"""Finding recordings by whatever a supervisor knows, inside what he may see, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodycam.cases import minutes
from bodycam.cases.minutes import Answer
from bodycam.cases.models import Case, CaseIdentifier, CaseRecording, LinkState, MinuteChoice
from bodycam.db import Database, fold, new_id
from bodycam.errors import InvalidInputError
from bodycam.fleet.models import Camera
from bodycam.migrations.runner import upgrade_to_head
from bodycam.people.models import Force, Officer, Unit
from bodycam.people.scope import EVERYTHING, NOTHING, Scope
from bodycam.people.units import create_officer, create_unit
from bodycam.recordings.models import Kind, Origin, Recording
from bodycam.search.recordings import RecordingFilter, find_recordings

NOON = datetime(2026, 11, 9, 5, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'x.db'}" if sqlite else request.getfixturevalue("postgres_url")
    upgrade_to_head(url)
    database = Database(url)
    yield database
    database.close()


class World:
    """A small fleet: two units of one force below a root, an officer and a camera each, three recordings each."""

    def __init__(self, db: Database) -> None:
        self.units: list[Unit] = []
        self.officers: list[Officer] = []
        self.recordings: list[str] = []
        with db.write() as session:
            root = create_unit(session, name="Phòng CSGT", force=Force.TRAFFIC_POLICE)
            for nth, (unit_name, name) in enumerate([("Đội 1", "Vũ Minh Đức"), ("Đội 2", "Lê Thị Bình")]):
                unit = create_unit(session, name=unit_name, force=Force.TRAFFIC_POLICE, parent_id=root.id)
                officer = create_officer(
                    session, unit_id=unit.id, number=f"184-22{nth}", name=name, force=Force.TRAFFIC_POLICE
                )
                camera = Camera(id=new_id(), serial=f"SN{nth}", label=f"BWC-041{nth}", unit_id=unit.id)
                session.add(camera)
                session.flush()
                self.units.append(unit)
                self.officers.append(officer)
                for minute in range(3):
                    moment = NOON + timedelta(minutes=10 * minute, days=nth)
                    row = recording(f"DCIM/{nth}{minute}.MP4", moment, fold(f"{name} {camera.label} Quốc lộ 1A"))
                    row.unit_id, row.officer_id, row.camera_id = unit.id, officer.id, camera.id
                    session.add(row)
                    self.recordings.append(row.id)
            self.root = root.id


def recording(name: str, moment: datetime, folded: str) -> Recording:
    return Recording(
        id=new_id(), object_id=f"{new_id().replace('-', ''):0<64}", sha256="0" * 64, size=1, name=name, kind=Kind.VIDEO,
        origin=Origin.DOCK, sealed_at=moment, sealed_event_id=new_id(), shown_at=moment, started_at=moment, folded=folded,
    )  # fmt: skip


@pytest.fixture
def world(db: Database) -> World:
    return World(db)


def _names(db: Database, scope: Scope = EVERYTHING, cases: Scope = EVERYTHING, **wanted: object) -> list[str]:
    with db.read() as session:
        page = find_recordings(session, scope, RecordingFilter(**wanted), cases=cases)  # type: ignore[arg-type]
        return [row.name for row in page.recordings]


FIRST = ["DCIM/02.MP4", "DCIM/01.MP4", "DCIM/00.MP4"]
SECOND = ["DCIM/12.MP4", "DCIM/11.MP4", "DCIM/10.MP4"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, SECOND + FIRST),
        ({"text": "duc"}, FIRST),
        ({"text": "ĐỨC quoc lo"}, FIRST),
        ({"text": "duc binh"}, []),
        ({"officer": "184-221"}, SECOND),
        ({"officer": "minh đức"}, FIRST),
        ({"camera": "bwc-0410"}, FIRST),
        ({"camera": "sn1"}, SECOND),
        ({"camera": "%"}, []),
        ({"text": "100%"}, []),
        ({"since": NOON + timedelta(days=1)}, SECOND),
        ({"until": NOON + timedelta(minutes=10)}, ["DCIM/00.MP4"]),
    ],
)
@pytest.mark.usefixtures("world")
def test_a_recording_is_found_by_what_is_known_of_it(db: Database, wanted: dict[str, object], found: list[str]) -> None:
    assert _names(db, **wanted) == found


def test_a_unit_means_the_unit_and_all_below_it(db: Database, world: World) -> None:
    assert _names(db, unit_id=world.root) == SECOND + FIRST
    assert _names(db, unit_id=world.units[1].id) == SECOND


def test_nobody_finds_what_lies_outside_his_scope(db: Database, world: World) -> None:
    assert _names(db, NOTHING) == []
    assert _names(db, Scope(subtrees=(world.units[0].path,))) == FIRST
    assert _names(db, Scope(officer_id=world.officers[1].id)) == SECOND
    assert _names(db, Scope(subtrees=(world.units[0].path,)), officer="184-221") == []


@pytest.mark.parametrize("typed", ["29A-123.45", "29a12345", "29A 123", "0231/BB-VPHC", "dung xe"])
@pytest.mark.parametrize("field", ["text", "case"])
def test_a_plate_or_a_minute_leads_to_the_recordings_of_its_case(
    db: Database, world: World, typed: str, field: str
) -> None:
    with db.write() as session:
        case = Case(
            id=new_id(), kind="traffic_stop", number="0231/BB-VPHC", year=2026, title="Dừng xe", unit_id=world.units[0].id,
            starts_at=NOON, ends_at=NOON, created_at=NOON, folded=fold("Dừng xe 0231/BB-VPHC"),
        )  # fmt: skip
        session.add(case)
        session.flush()
        session.add(CaseIdentifier(case_id=case.id, kind="plate", raw="29A-123.45", compact="29A12345"))
        session.add(CaseRecording(case_id=case.id, recording_id=world.recordings[1], state=LinkState.PROPOSED))
        session.add(CaseRecording(case_id=case.id, recording_id=world.recordings[2], state=LinkState.REJECTED))
    assert _names(db, **{field: typed}) == ["DCIM/01.MP4"]
    elsewhere = Scope(subtrees=(world.units[1].path,))
    assert _names(db, cases=elsewhere, **{field: typed}) == [], "a case one may not see must not be found out by asking"
    assert _names(db, cases=elsewhere, plate=typed) == []


def test_what_citizens_sent_shows_only_to_who_may_read_submissions(db: Database, world: World) -> None:
    with db.write() as session:
        sent = recording("phone.mp4", NOON + timedelta(days=9), "phone.mp4")
        sent.origin = Origin.CITIZEN
        session.add(sent)
    assert "phone.mp4" not in _names(db)
    assert _names(db, citizens=True)[0] == "phone.mp4"
    assert "phone.mp4" not in _names(db, Scope(subtrees=(world.units[0].path,)), citizens=True)


@given(limit=st.integers(1, 7))
@settings(max_examples=7, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_pages_of_any_length_show_everything_once(db: Database, world: World, limit: int) -> None:
    seen: list[str] = []
    after = None
    with db.read() as session:
        while True:
            page = find_recordings(session, EVERYTHING, RecordingFilter(), after=after, limit=limit)
            seen += [row.id for row in page.recordings]
            after = page.after
            if after is None:
                break
    assert sorted(seen) == sorted(world.recordings)


@pytest.mark.parametrize("after", ["x", "2026-01-01~", "2026-01-01T00:00:00~a", "~~"])
def test_a_made_up_page_is_refused(db: Database, after: str) -> None:
    with db.read() as session, pytest.raises(InvalidInputError):
        find_recordings(session, EVERYTHING, RecordingFilter(), after=after)


@pytest.mark.parametrize("typed", ["45/BB-VPHC", "0045/bb-vphc", "45 / BB - VPHC", "Số: 45/BB-VPHC"])
def test_a_minutes_number_finds_what_its_officer_noted_it_on(db: Database, world: World, typed: str) -> None:
    with db.write() as session:
        recording_id = world.recordings[0]
        officer_id = session.get_one(Recording, recording_id).officer_id
        said = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
        minutes.choose(session, [recording_id], said, officer_id=officer_id)
    with db.read() as session:
        for wanted in (RecordingFilter(text=typed), RecordingFilter(case=typed)):
            assert [r.id for r in find_recordings(session, EVERYTHING, wanted).recordings] == [recording_id]
            assert find_recordings(session, NOTHING, wanted).recordings == []

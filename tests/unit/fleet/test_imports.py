from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bodycam.clock import now
from bodycam.errors import InvalidInputError
from bodycam.fleet import service as fleet
from bodycam.fleet.imports import CAMERA_COLUMNS, import_cameras
from bodycam.people import units
from bodycam.people.imports import PEOPLE_COLUMNS, ImportRefusedError, import_people
from bodycam.people.passes import Cards
from bodycam.people.sheets import parse_local_time, parse_sheet

TEMPLATES = Path(__file__).parents[3] / "docs/import"
HEAD = "Serial;Mã máy;Đơn vị;Lực lượng;Người giữ;Từ ngày;Đến ngày\n"


@pytest.fixture
def people(db, tmp_path):
    sheet = parse_sheet("p", (TEMPLATES / "people.csv").read_bytes(), PEOPLE_COLUMNS)
    with db.write() as session:
        import_people(session, sheet, patterns={}, cards=Cards(tmp_path / "keys"))
        unit = units.create_unit(session, name="Đội 9", force="tax")
        units.create_officer(session, unit_id=unit.id, number="123-456", name="Lê Thu", force="tax")


def take(db, text):
    with db.write() as session:
        return import_cameras(session, parse_sheet("c.csv", text.encode(), CAMERA_COLUMNS))


@pytest.mark.usefixtures("people")
def test_the_template_comes_in_and_again_changes_nothing(db):
    text = (TEMPLATES / "cameras.csv").read_text()
    first, again = take(db, text), take(db, text)
    assert (first.created, again.created, again.updated, again.unchanged) == (2, 0, 0, 2)
    with db.read() as session:
        camera = fleet.camera_by_label(session, "BWC-0412")
        start = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
        assert fleet.issued_to(session, camera.id, start).name == "Nguyễn Văn Mẫu"
        assert fleet.issued_to(session, camera.id, start - timedelta(seconds=1)) is None


@pytest.mark.usefixtures("people")
def test_a_holder_is_a_number_of_a_force_or_a_name_only_one_has(db):
    take(db, HEAD + "A;;;Thuế;123456;;\nB;;;;lê thu;;\n")
    with db.read() as session:
        held = [fleet.issued_to(session, fleet.camera_for(session, serial).id, now()).name for serial in "AB"]
    assert held == ["Lê Thu"] * 2


@pytest.mark.usefixtures("people")
def test_every_error_is_told_and_nothing_is_taken(db):
    rows = ["A;;;;123456;;", "B;;;;Không ai;;", "C;;;CSGT;123-456;31/02/2026;", "C;;;;;;", "D;;Đội lạ;;;;",
            "E;;;CSGT;123-456;02/11/2026;01/11/2026", ";;;;;;", ";X;;;;;", "F;X;Đội 9;;;;", "G;X;Đội 9;;;;"]  # fmt: skip
    with pytest.raises(ImportRefusedError) as refused:
        take(db, HEAD + "\n".join(rows))
    found = {(error.row, error.column) for error in refused.value.errors}
    assert found == {
        (2, "Người giữ"), (3, "Người giữ"), (4, "Từ ngày"), (5, "Serial"), (6, "Đơn vị"), (7, "Người giữ"), (9, "Mã máy"),
        (11, "Mã máy"),
    }  # fmt: skip
    with db.read() as session:
        assert fleet.camera_for(session, "F") is None


@pytest.mark.usefixtures("people")
def test_importing_a_quarantined_camera_takes_it_into_service(db):
    with db.write() as session:
        fleet.register_unknown_camera(session, serial="ghost")
    report = take(db, HEAD + "GHOST;BWC-7;Đội 9;;;;\n")
    assert report.updated == 1
    with db.read() as session:
        assert fleet.camera_by_label(session, "BWC-7").state == "in_service"


@pytest.mark.parametrize(
    ("text", "hour"), [("21/11/2026", 17), ("21/11/2026 07:30", 0), ("2026-11-21T07:30", 0), ("21/11/2026 07:30:00", 0)]
)
def test_dates_are_vietnams(text, hour):
    assert parse_local_time(text).astimezone(UTC).hour == hour


def test_an_american_date_is_refused_when_it_cannot_be_ours():
    with pytest.raises(InvalidInputError):
        parse_local_time("11/21/2026")

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bodycam.custody.models import CustodyEvent
from bodycam.people.imports import PEOPLE_COLUMNS, ImportRefusedError, force_of, import_people
from bodycam.people.models import Officer, OfficerPass, Unit
from bodycam.people.passes import Cards, card_key, pass_of
from bodycam.people.sheets import parse_sheet
from bodycam.settings import load_settings

PATTERNS = load_settings({}).number_patterns
TEMPLATE = Path(__file__).parents[3] / "docs/import/people.csv"


@pytest.fixture
def cards(tmp_path):
    return Cards(tmp_path / "keys", prefix="F7")


def take(db, text, **options):
    sheet = parse_sheet("a.csv", text.encode(), PEOPLE_COLUMNS)
    with db.write() as session:
        return import_people(session, sheet, patterns=PATTERNS, **{"cards": Cards(Path("/nowhere")), **options})


def officers(db):
    with db.read() as session:
        query = select(Officer.name, Unit.name).join(Unit, Unit.id == Officer.unit_id).order_by(Officer.name)
        return [tuple(row) for row in session.execute(query)]


HEAD = "Số hiệu;Họ tên;Đơn vị;Lực lượng;Tổ\n"


def test_the_template_comes_in_and_again_changes_nothing(db, cards):
    first = take(db, TEMPLATE.read_text(), cards=cards)
    again = take(db, TEMPLATE.read_text(), cards=cards)
    assert (first.created, len(first.units)) == (2, 2)
    assert (again.created, again.updated, again.unchanged, again.units) == (0, 0, 2, [])
    assert officers(db) == [("Nguyễn Văn Mẫu", "Đội 3"), ("Trần Thị Mẫu", "Đội thủ tục")]


def test_the_same_number_in_the_same_force_is_updated_however_it_is_written(db):
    take(db, HEAD + "123-456;An;Đội 1;CSGT;\n")
    report = take(db, HEAD + "123456;An Nguyễn;Đội 2;csgt;Tổ 2\n")
    assert (report.created, report.updated) == (0, 1)
    assert officers(db) == [("An Nguyễn", "Đội 2")]


def test_every_error_is_told_with_its_row_and_nothing_is_taken(db):
    rows = ["123-456;An;Đội 1;CSGT;", "12;Bình;Đội 1;CSGT;", "123-457;;Đội 1;CSGT;", "123-458;Chi;;CSGT;",
            "123-459;Dũng;Đội 1;Kiểm lâm;", "123456;Em;Đội 1;CSGT;", "123-460;Giang;Đội lạ;;"]  # fmt: skip
    with pytest.raises(ImportRefusedError) as refused:
        take(db, HEAD + "\n".join(rows))
    found = [(error.row, error.column) for error in refused.value.errors]
    assert found == [(3, "Số hiệu"), (4, "Họ tên"), (5, "Đơn vị"), (6, "Lực lượng"), (7, "Số hiệu"), (8, "Đơn vị")]
    assert "dòng 2" in refused.value.errors[4].vi
    assert all(error.vi and error.en for error in refused.value.errors)
    assert officers(db) == []
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(CustodyEvent)) == 0


def test_a_row_without_a_force_takes_its_units_or_the_default(db):
    take(db, HEAD + "1;An;Đội 1;Thuế;\n2;Bình;Đội 1;;\n")
    take(db, HEAD + "3;Chi;Đội 9;;\n", default_force="customs")
    with db.read() as session:
        assert list(session.scalars(select(Officer.force).order_by(Officer.number))) == ["tax", "tax", "customs"]


@pytest.mark.parametrize(
    ("text", "force"),
    [("CSGT", "traffic_police"), ("Hải quan", "customs"), ("HAI QUAN", "customs"), ("tax", "tax"),
     ("traffic_police", "traffic_police"), ("Quản lý thị trường", "market"), ("QLTT", "market"), ("?", None)],
)  # fmt: skip
def test_forces_are_known_by_their_usual_names(text, force):
    assert force_of(text) == force


def test_six_hundred_people_come_in_within_seconds(db):
    rows = [f"{n // 1000 + 100:03}-{n % 1000:03};Người {n};Phòng CSGT/Đội {n % 12};CSGT;" for n in range(600)]
    started = time.monotonic()
    report = take(db, HEAD + "\n".join(rows))
    assert (report.created, len(report.units)) == (600, 12)
    assert time.monotonic() - started < 10


CARDS = "Số hiệu;Họ tên;Đơn vị;Lực lượng;Kiosk card\n"


def held(db, number):
    with db.read() as session:
        officer = session.scalars(select(Officer).where(Officer.number == number)).one()
        found = pass_of(session, officer.id)
        return found.card_key if found else None


def test_a_card_is_kept_as_its_hash_alone_without_what_the_reader_adds(db, cards):
    report = take(
        db,
        CARDS + "123-456;An;Đội 1;CSGT;F70012345678?\n123-457;Bình;Đội 1;CSGT;\n",
        cards=cards,
    )
    assert report.created == 2
    assert held(db, "123-456") == card_key("0012345678", cards.key)
    assert held(db, "123-457") is None
    with db.read() as session:
        kinds = list(session.scalars(select(CustodyEvent.kind).where(CustodyEvent.kind == "officer.card_given")))
        bodies = "".join(session.scalars(select(CustodyEvent.body)))
    assert len(kinds) == 1
    assert "12345678" not in bodies


def test_a_new_card_is_an_update_the_same_or_none_is_not(db, cards):
    take(db, CARDS + "123-456;An;Đội 1;CSGT;0012345678\n", cards=cards)
    for cell, updated in (("0012345678", 0), ("", 0), ("0099999999", 1)):
        report = take(db, CARDS + f"123-456;An;Đội 1;CSGT;{cell}\n", cards=cards)
        assert (report.updated, report.unchanged) == (updated, 1 - updated)
    assert held(db, "123-456") == card_key("0099999999", cards.key)


def test_every_wrong_card_is_told_with_its_row_without_its_number_and_nothing_is_taken(db, cards):
    take(db, CARDS + "123-450;Giang;Đội 1;CSGT;00AA11BB22\n", cards=cards)
    rows = ["123-456;An;Đội 1;CSGT;12", "123-457;Bình;Đội 1;CSGT;0077777777", "123-458;Chi;Đội 1;CSGT;00-7777-7777",
            "123-459;Dũng;Đội 1;CSGT;00aa11bb22"]  # fmt: skip
    with pytest.raises(ImportRefusedError) as refused:
        take(db, CARDS + "\n".join(rows), cards=cards)
    errors = refused.value.errors
    assert [(error.row, error.column) for error in errors] == [(row, "Thẻ trạm cắm") for row in (2, 4, 5)]
    assert "dòng 3" in errors[1].vi
    assert "cán bộ khác" in errors[2].vi
    assert not any(digits in error.vi + error.en for error in errors for digits in ("7777", "11BB"))
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(OfficerPass)) == 1

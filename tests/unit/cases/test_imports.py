import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.cases import links
from bodycam.cases.imports import import_cases, read_cases
from bodycam.cases.queries import CaseFilter, identifiers_of, list_cases, officers_of
from bodycam.people import units
from bodycam.people.imports import ImportRefusedError
from bodycam.people.scope import Scope
from bodycam.people.sheets import SheetError
from tests.unit.cases.makers import START, recording

TEMPLATE = Path(__file__).parents[3] / "docs/import/cases.csv"
ALL = Scope(everything=True, forces=("traffic_police", "customs", "tax"))
ROW = {"kind": "traffic_stop", "unit": "Phòng CSGT/Đội 3", "starts_at": "21/11/2026 14:20", "plate": ["29A-123.45"]}


@pytest.fixture
def customs(db):
    with db.write() as session:
        unit, _ = units.ensure_unit(session, ["Chi cục Hải quan khu vực", "Đội thủ tục"], force="customs")
        units.create_officer(session, unit_id=unit.id, number="HQ-0042", name="Trần Thị Mẫu", force="customs")


def take(db, path):
    sheet = read_cases(path)
    with db.write() as session:
        return import_cases(session, sheet)


def lines(tmp_path, *rows):
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return path


@pytest.mark.usefixtures("customs")
def test_the_template_comes_in_once_and_finds_its_recordings(db, world):
    with db.write() as session:
        filmed = recording(session, officer_id=world.officer, unit_id=world.traffic)
    first, again = take(db, TEMPLATE), take(db, TEMPLATE)
    assert (first.created, again.created, again.updated) == (2, 0, 2)
    with db.read() as session:
        stop, customs = list_cases(session, ALL, CaseFilter()).cases
        assert [(i.kind, i.raw) for i in identifiers_of(session, stop.id)] == [("plate", "29A-123.45")]
        assert (stop.number, stop.starts_at, stop.ends_at - stop.starts_at) == (
            "45/BB-VPHC",
            START,
            timedelta(minutes=15),
        )
        assert officers_of(session, stop.id) == [world.officer]
        assert json.loads(customs.fields) == {"present": "declarant"}
        assert [row.id for _, row in links.recordings_of(session, stop.id)] == [filmed.id]


@pytest.mark.usefixtures("world")
def test_json_lines_say_the_same_with_lists(db, tmp_path):
    path = lines(
        tmp_path,
        ROW | {"officers": ["123-456", "123-457"], "seized": True, "colour": "red", "lat": 21.02, "lon": 105.8},
    )
    assert read_cases(path).ignored == ("colour",)
    take(db, path)
    with db.read() as session:
        case = list_cases(session, ALL, CaseFilter()).cases[0]
        assert (json.loads(case.fields), len(officers_of(session, case.id)), case.lat) == ({"seized": "yes"}, 2, 21.02)


@pytest.mark.usefixtures("world")
def test_every_error_is_told_with_its_line_and_nothing_is_taken(db, tmp_path):
    wrong = [{"kind": "raid"}, {"unit": "Đội lạ"}, {"unit": ""}, {"starts_at": "hôm qua"}, {"ends_at": "?"}, {"plate": "xx"},
             {"officers": "999-999"}, {"lat": "hai mốt"}, {"lat": "95", "lon": "105"}]  # fmt: skip
    with pytest.raises(ImportRefusedError) as refused:
        take(db, lines(tmp_path, ROW, *(ROW | change for change in wrong)))
    columns = [(error.row, error.column) for error in refused.value.errors]
    assert columns == [
        (2, "Loại hồ sơ"), (3, "Đơn vị"), (4, "Đơn vị"), (5, "Bắt đầu"), (6, "Kết thúc"), (7, "Biển số"), (8, "Cán bộ"),
        (9, "Vĩ độ"), (10, "Vĩ độ"),
    ]  # fmt: skip
    with db.read() as session:
        assert list_cases(session, ALL, CaseFilter()).cases == []


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reading_of_lines(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "noise.jsonl"
    path.write_bytes(data)
    with suppress(SheetError):
        read_cases(path)

"""Stations from a list: all or nothing, and importing again changes only what differs."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bodycam.fleet.models import Station
from bodycam.fleet.station_imports import STATION_COLUMNS, import_stations
from bodycam.people.imports import ImportRefusedError
from bodycam.people.sheets import parse_sheet

TEMPLATE = Path(__file__).parents[3] / "docs/import/stations.csv"


def take(db, text):
    with db.write() as session:
        return import_stations(session, parse_sheet("s.csv", text.encode(), STATION_COLUMNS))


def test_the_template_comes_in_and_again_changes_nothing(db):
    text = TEMPLATE.read_text("utf-8")
    first, again = take(db, text), take(db, text)
    assert (first.created, again.created, again.unchanged) == (2, 0, 2)
    more = take(db, text.replace("01;8;", "01;16;"))
    assert (more.updated, more.unchanged) == (1, 1)
    with db.read() as session:
        assert session.scalars(select(Station.slots).order_by(Station.name)).all() == [16, 12]


def test_every_wrong_row_is_named_and_nothing_is_taken(db):
    rows = "Trạm;Số khe;Đơn vị\nA;0;\nB;tám;\nC;8;Đội lạ\n;4;\nE;8;\nE;8;\n"
    with pytest.raises(ImportRefusedError) as refused:
        take(db, rows)
    assert [(e.row, e.column) for e in refused.value.errors] == [
        (2, "Số khe"), (3, "Số khe"), (4, "Đơn vị"), (5, "Trạm"), (7, "Trạm"),
    ]  # fmt: skip
    with db.read() as session:
        assert session.scalars(select(Station)).all() == []

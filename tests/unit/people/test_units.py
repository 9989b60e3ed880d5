import pytest
from sqlalchemy import select

from bodycam.custody.models import CustodyEvent
from bodycam.errors import InvalidInputError
from bodycam.people import units
from bodycam.people.errors import NameTakenError


def test_a_path_of_names_makes_what_is_missing_once(db):
    with db.write() as session:
        first, made = units.ensure_unit(session, ["Phòng CSGT", "Đội 3"], force="traffic_police")
        again, none = units.ensure_unit(session, ["PHÒNG CSGT", "doi 3"], force="traffic_police")
        assert (made, none) == (2, 0)
        assert first.id == again.id
        parent = units.get_unit(session, first.parent_id)
        assert first.path == f"/{parent.id}/{first.id}/"
        kinds = list(session.scalars(select(CustodyEvent.kind)))
    assert kinds == ["unit.created"] * 2


def test_a_tree_may_be_deep(db):
    with db.write() as session:
        names = [f"Cấp {level}" for level in range(12)]
        deepest, _ = units.ensure_unit(session, names, force="other")
        assert deepest.path.count("/") == 13
        assert units.unit_by_names(session, names) is deepest


def test_one_name_below_one_parent_and_one_code(db):
    with db.write() as session:
        units.create_unit(session, name="Đội 1", force="tax", code="T1")
        with pytest.raises(NameTakenError):
            units.create_unit(session, name="Đội  1", force="tax")
        with pytest.raises(NameTakenError):
            units.create_unit(session, name="Đội 2", force="tax", code="T1")


def test_an_empty_step_of_a_path_is_named():
    with pytest.raises(InvalidInputError, match="empty name"):
        units.split_unit_path("Phòng CSGT//Đội 3")


def test_a_number_is_found_however_its_dashes_are_written(db):
    with db.write() as session:
        unit, _ = units.ensure_unit(session, ["Đội 1"], force="traffic_police")
        officer = units.create_officer(
            session, unit_id=unit.id, number="123-456", name="Nguyễn Văn A", force="traffic_police"
        )
        assert units.officer_by_number(session, "traffic_police", "123456") is officer
        assert units.officer_by_number(session, "customs", "123456") is None
        with pytest.raises(NameTakenError):
            units.create_officer(session, unit_id=unit.id, number="123456", name="B", force="traffic_police")

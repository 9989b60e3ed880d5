import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam.cases import queries
from bodycam.cases.errors import CaseFieldError
from bodycam.cases.models import Case
from bodycam.cases.queries import CaseFilter, list_cases
from bodycam.cases.service import close_case, edit_case, open_case
from bodycam.custody.models import CustodyEvent
from bodycam.people.models import Unit
from bodycam.people.scope import EVERYTHING, NOTHING, Scope
from tests.unit.cases.makers import START, facts

TAX = {"identifiers": {"tax_code": ["0100233488"]}, "fields": {"taxpayer": "Công ty Mẫu"}}


def test_a_case_keeps_identifiers_as_typed_and_compact(db, stop):
    with db.write() as session:
        case = stop(session, identifiers={"plate": ["29A-123.45", "29a 12345"], "decision": ["123/QĐ-XPHC"]})
        rows = [(i.kind, i.raw, i.compact, i.variant) for i in queries.identifiers_of(session, case.id)]
        kinds = list(session.scalars(select(CustodyEvent.kind).where(CustodyEvent.object_id == case.id)))
    assert rows == [
        ("plate", "29A-123.45", "29A12345", "car,motorbike"),
        ("decision", "123/QĐ-XPHC", "123QDXPHC", "QĐ"),
    ]
    assert kinds == ["case.opened"]
    assert (case.title, case.year) == ("Dừng xe kiểm soát 45/BB-VPHC", 2026)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"identifiers": {}}, "Plate"),
        ({"identifiers": {"plate": ["xx"]}}, "Plate"),
        ({"identifiers": {"plate": ["29A-123.45"], "shoe": ["1"]}}, "shoe"),
        ({"fields": {"ground": "9"}}, "Ground of the stop"),
        ({"fields": {"seized": "maybe"}}, "Vehicle or papers held"),
        ({"fields": {"shoe": "1"}}, "shoe"),
        ({"ends_at": START - timedelta(days=1)}, "End"),
        ({"lat": None}, "Latitude and longitude"),
        ({"lat": 105.8, "lon": 21.0}, "Latitude"),
        ({"radius_m": 0}, "Radius"),
    ],
)
def test_a_wrong_field_is_named_in_both_languages(db, stop, changes, field):
    with db.write() as session, pytest.raises(CaseFieldError) as error:
        stop(session, **changes)
    assert error.value.values["field_en"] == field
    assert error.value.text("vi")


def test_a_number_taken_this_year_is_named_and_free_again_the_next(db, stop):
    with db.write() as session:
        first = stop(session)
        with pytest.raises(CaseFieldError, match="45/BB-VPHC"):
            stop(session)
        later = timedelta(days=366)
        assert stop(session, starts_at=START + later, ends_at=START + later).number == first.number
        assert edit_case(session, first.id, facts=facts(title="Khác")).title == "Khác"


def test_a_kind_belongs_to_its_forces(db, world):
    with db.write() as session, pytest.raises(CaseFieldError, match="Tax"):
        open_case(session, kind="tax_check", unit_id=world.traffic, facts=facts(**TAX))


def test_fields_are_stored_by_type(db, world):
    with db.write() as session:
        fields = {"taxpayer": "Công  ty Mẫu", "decided_on": "20/11/2026", "amount": "12.000.000"}
        case = open_case(session, kind="tax_check", unit_id=world.tax, facts=facts(**TAX | {"fields": fields}))
    assert json.loads(case.fields) == {"taxpayer": "Công ty Mẫu", "decided_on": "2026-11-20", "amount": "12000000"}


def test_editing_replaces_what_was_entered_and_closing_is_once(db, world, stop):
    with db.write() as session:
        case = stop(session)
        edit_case(session, case.id, facts=facts(identifiers={"plate": ["30E-555.55"]}), actor=world.account)
        close_case(session, case.id, actor=world.account)
        close_case(session, case.id, actor=world.account)
        assert [i.raw for i in queries.identifiers_of(session, case.id)] == ["30E-555.55"]
        kinds = list(session.scalars(select(CustodyEvent.kind).where(CustodyEvent.object_id == case.id)))
    assert kinds == ["case.opened", "case.changed", "case.closed"]


def test_cases_are_listed_newest_first_by_pages(db, stop):
    with db.write() as session:
        made = [
            stop(
                session,
                number=f"{n}/BB-VPHC",
                starts_at=START + timedelta(hours=n // 2),
                ends_at=START + timedelta(days=1),
            ).id
            for n in range(7)
        ]
    seen, after = [], None
    with db.read() as session:
        while True:
            page = list_cases(session, EVERYTHING, CaseFilter(), after=after, limit=3)
            seen += [case.id for case in page.cases]
            after = page.after
            if after is None:
                break
    assert seen == sorted(made, key=lambda i: (made.index(i) // 2, i), reverse=True)


@pytest.mark.parametrize(
    "text", ["29a12345", "29A 123.45", "45/bb-vphc", "0045/BB-VPHC", "km 12 ql1a", "nguyen duc", "dung xe"]
)
def test_a_case_is_found_by_words_or_any_spelling_of_an_identifier(db, stop, text):
    with db.write() as session:
        case = stop(session)
        found = list_cases(session, EVERYTHING, CaseFilter(text=text)).cases
        assert [row.id for row in found] == [case.id]
        assert not list_cases(session, EVERYTHING, CaseFilter(text=f"{text} zzz")).cases


def test_taxpayer_data_are_seen_by_their_force_only(db, world, stop):
    with db.write() as session:
        tax = open_case(session, kind="tax_check", unit_id=world.tax, facts=facts(**TAX))
        traffic = stop(session)
        path = session.get(Unit, world.traffic).path

        def seen(scope):
            return {case.id for case in list_cases(session, scope, CaseFilter()).cases}

        assert seen(Scope(everything=True, forces=("traffic_police",))) == {traffic.id}
        assert seen(Scope(everything=True, forces=("tax",))) == {traffic.id, tax.id}
        assert seen(Scope(subtrees=(path,), forces=("traffic_police",))) == {traffic.id}
        assert seen(Scope(officer_id=world.officer)) == {traffic.id}
        assert seen(Scope(officer_id=world.other)) == seen(NOTHING) == set()
        assert session.get(Case, tax.id) is not None

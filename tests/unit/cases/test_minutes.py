import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bodycam.cases import matching, minutes
from bodycam.cases.errors import IdentifierError
from bodycam.cases.minutes import Answer
from bodycam.cases.models import CaseRecording, MinuteChoice
from bodycam.cases.service import edit_case, open_case
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.errors import NotFoundError
from bodycam.jobs.models import Job
from bodycam.migrations.runner import upgrade_to_head
from bodycam.people import units
from tests.unit.cases.makers import START, facts, recording

NUMBER = Answer(MinuteChoice.NUMBER, "45/BB-VPHC")
NONE = Answer(MinuteChoice.NONE)
LATE = timedelta(hours=6)  # far outside the margin of a stop


def events(session, recording_id):
    query = select(CustodyEvent).where(CustodyEvent.object_id == recording_id).order_by(CustodyEvent.id)
    return [event for event in session.scalars(query) if event.kind == "recording.minute_chosen"]


def proposals(session, case_id):
    query = select(CaseRecording).where(CaseRecording.case_id == case_id, CaseRecording.state == "proposed")
    return {link.recording_id: (link.score, json.loads(link.reasons)) for link in session.scalars(query)}


def test_several_recordings_get_one_number_and_every_change_is_an_event(db, world):
    with db.write() as session:
        ids = [recording(session, officer_id=world.officer, unit_id=world.traffic).id for _ in range(3)]
        assert len(minutes.choose(session, ids, NUMBER, officer_id=world.officer)) == 3
        assert minutes.choose(session, ids, NUMBER, officer_id=world.officer) == []
        assert (
            minutes.choose(session, [ids[0]], Answer(MinuteChoice.NUMBER, "0045 / bb-vphc"), officer_id=world.officer)
            == []
        )
        minutes.choose(session, [ids[0]], NONE, officer_id=world.officer)
        minutes.take_back(session, [ids[0]], officer_id=world.officer)
        assert minutes.take_back(session, [ids[0]], officer_id=world.officer) == []
        told = [json.loads(event.body)["details"]["choice"] for event in events(session, ids[0])]
        assert told == ["number", "none", "undone"]
        assert "VPHC" not in events(session, ids[1])[0].body
        assert set(minutes.minutes_of(session, ids)) == set(ids[1:])
        assert minutes.last_number(session, world.officer) == "45/BB-VPHC"


@pytest.mark.parametrize("number", ["", "   ", "BB-VPHC", "x" * 101, "\x00"])
def test_a_text_that_can_not_be_a_number_is_refused_with_an_example(db, world, number):
    with db.write() as session:
        own = recording(session, officer_id=world.officer, unit_id=world.traffic)
        with pytest.raises(IdentifierError):
            minutes.choose(session, [own.id], Answer(MinuteChoice.NUMBER, number), officer_id=world.officer)
        assert minutes.minutes_of(session, [own.id]) == {}


def test_nobody_answers_for_a_colleague_for_a_citizen_or_for_nothing(db, world):
    with db.write() as session:
        own = recording(session, officer_id=world.officer, unit_id=world.traffic)
        theirs = recording(session, officer_id=world.other, unit_id=world.traffic)
        citizens = recording(session, officer_id=world.officer, origin="citizen")
        for ids in ([own.id, theirs.id], [citizens.id], ["nothing"], []):
            with pytest.raises(NotFoundError):
                minutes.choose(session, ids, NONE, officer_id=world.officer)
        assert minutes.minutes_of(session, [own.id, theirs.id, citizens.id]) == {}


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_number_proposes_the_recording_before_and_after_the_case_is_made(url, request, db):
    """On both databases: from the recording's side, and from the case's."""
    database = db
    if url == "postgres":
        database = Database(request.getfixturevalue("postgres_url"))
        upgrade_to_head(database.url)
    with database.write() as session:
        team, _ = units.ensure_unit(session, ["Phòng CSGT", "Đội 3"], force="traffic_police")
        other, _ = units.ensure_unit(session, ["Phòng CSGT", "Đội 4"], force="traffic_police")
        people = [
            units.create_officer(session, unit_id=unit.id, number=n, name="Lê", force="traffic_police")
            for unit, n in ((team, "200-001"), (team, "200-002"), (other, "200-003"))
        ]
        first, second, elsewhere = (
            recording(session, officer_id=p.id, unit_id=p.unit_id, started_at=START + LATE) for p in people
        )
        past = recording(session, officer_id=people[1].id, unit_id=team.id, started_at=START - timedelta(days=365))
        for person, given in zip((*people, people[1]), (first, second, elsewhere, past), strict=True):
            if given is not second:
                minutes.choose(session, [given.id], NUMBER, officer_id=person.id)
        case = open_case(session, kind="traffic_stop", unit_id=team.id, facts=facts(officer_ids=[]))
        assert set(proposals(session, case.id)) == {first.id}  # not another team's 45, nor last year's
        minutes.choose(session, [second.id], NUMBER, officer_id=people[1].id)
        found = proposals(session, case.id)
        assert set(found) == {first.id, second.id}
        score, reasons = found[second.id]
        assert matching.strength(score, "vi") == "Rất khớp"
        assert reasons[0]["vi"] == "cán bộ ghi số biên bản 45/BB-VPHC"
        minutes.choose(session, [second.id], NONE, officer_id=people[1].id)
        assert set(proposals(session, case.id)) == {first.id}
        edit_case(session, case.id, facts=facts(number="46/BB-VPHC", officer_ids=[]))
        assert proposals(session, case.id) == {}
    if database is not db:
        database.close()


def test_many_recordings_of_one_number_are_matched_in_jobs(db, world, stop):
    with db.write() as session:
        ids = [recording(session, officer_id=world.officer, unit_id=world.traffic).id for _ in range(13)]
        minutes.choose(session, ids, NUMBER, officer_id=world.officer)
        assert session.scalars(select(Job)).all() == []  # no case bears it yet
        minutes.take_back(session, ids, officer_id=world.officer)
        stop(session, number="45/BB-VPHC")
        minutes.choose(session, ids, NUMBER, officer_id=world.officer)
        asked = session.scalars(select(Job.args).where(Job.name == "recording.match"))
        assert {json.loads(args)["recording_id"] for args in asked} == set(ids)

import hashlib
from datetime import UTC, datetime

import pytest

from bodycam import clock
from bodycam.custody import history, record, record_now
from bodycam.custody.canonical import canonical, parse
from bodycam.custody.kinds import KINDS
from bodycam.custody.leaf import commitment
from bodycam.custody.models import CustodyEvent
from bodycam.custody.service import openings_of


def test_the_leaf_is_canonical_and_says_who_what_and_when(db):
    clock.set_now(lambda: datetime(2026, 11, 21, 7, 20, tzinfo=UTC))
    try:
        with db.write() as session:
            event = record(
                session,
                "recording.viewed",
                object_id="rec1",
                actor="acc1",
                reason_code="complaint",
                case_id="case1",
                details={"range": [0, 10]},
            )
    finally:
        clock.set_now(None)
    leaf = parse(event.body)
    assert canonical(leaf) == event.body
    assert leaf["schema"] == "bodycam/event/1"
    assert leaf["time"] == "2026-11-21T07:20:00.000000Z"
    assert (leaf["kind"], leaf["object"], leaf["actor"]) == ("recording.viewed", "rec1", "acc1")
    assert (leaf["reason"], leaf["case"], leaf["details"]) == ("complaint", "case1", {"range": [0, 10]})
    assert "previous" not in leaf


def test_personal_values_and_content_stand_in_the_leaf_only_as_salted_hashes(db):
    digest = hashlib.sha256(b"video").hexdigest()
    with db.write() as session:
        event = record(
            session, "recording.sealed", object_id="r", sha256=digest, size=5, private={"officer": "Nguyễn Văn Đức"}
        )
    assert "Nguyễn" not in event.body
    assert digest not in event.body
    openings = openings_of(event)
    assert openings["officer"]["value"] == "Nguyễn Văn Đức"
    assert parse(event.body)["commitments"] == {name: commitment(opening) for name, opening in openings.items()}
    assert commitment(openings["content"]) == (
        hashlib.sha256(bytes.fromhex(openings["content"]["salt"] + digest) + (5).to_bytes(8, "big")).hexdigest()
    )
    assert openings["content"]["salt"] != openings["officer"]["salt"]


def test_each_event_names_the_one_before_it_of_the_same_object(db):
    ids = [record_now(db, "recording.read", object_id=name) for name in ("a", "b", "a", "a")]
    with db.read() as session:
        events = history(session, "a")
        assert [event.id for event in events] == [ids[0], ids[2], ids[3]]
        assert [parse(event.body).get("previous") for event in events] == [None, ids[0], ids[2]]
        assert [event.id for event in history(session, "a", after=ids[0], limit=1)] == [ids[2]]


def test_an_event_dies_with_the_change_it_belongs_to_and_a_refusal_stays(db):
    def change():
        with db.write() as session:
            record(session, "case.opened", object_id="c")
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError):
        change()
    refusal = record_now(db, "access.refused", object_id="c", actor="acc1")
    with db.read() as session:
        assert [event.id for event in history(session, "c")] == [refusal]


def test_mistakes_of_the_program_are_refused(db):
    with db.write() as session:
        with pytest.raises(ValueError, match="unknown event kind"):
            record(session, "recording.sung", object_id="r")
        with pytest.raises(ValueError, match="go together"):
            record(session, "recording.sealed", object_id="r", sha256="00")
        with pytest.raises(ValueError, match="65535"):
            record(session, "recording.read", object_id="r", details={"x": "y" * 70_000})
        with pytest.raises(ValueError, match="content"):
            record(session, "recording.read", object_id="r", private={"content": "x"})


def test_the_caller_may_choose_the_id(db):
    with db.write() as session:
        assert record(session, "recording.sealed", object_id="r", event_id="chosen").id == "chosen"
        assert session.get(CustodyEvent, "chosen") is not None


def test_kinds_are_sorted_and_named_noun_verb():
    assert list(KINDS) == sorted(KINDS)
    assert all(kind.count(".") == 1 and kind == kind.lower() for kind in KINDS)
    assert all(kind.vi and kind.en for kind in KINDS.values())

"""Signed negatives: what a search says, what it can't exclude, and how one reopens when footage appears."""

import json
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from retention_world import START, World

from bodycam import custody
from bodycam.coverage.models import Debt
from bodycam.coverage.service import open_debt
from bodycam.custody.receipts import verify_receipt
from bodycam.recordings.models import Origin, RecordingPlate
from bodycam.retention import negatives
from bodycam.retention.errors import FootageFoundError
from bodycam.retention.models import SignedNegative
from bodycam.retention.negative_paper import negative_paper
from bodycam.retention.negatives import Asked

AT = START - timedelta(hours=3)


def asked(**changes: object) -> Asked:
    values = {"starts_at": AT, "ends_at": AT + timedelta(hours=1), "everything": True}
    return Asked(**(values | changes))


def signed(world: World, **changes: object) -> SignedNegative:
    with world.rt.db.write() as session:
        row = negatives.sign(session, asked(**changes), actor=world.accounts["commander"], unit_id=world.units["a"])
    world.drain()
    return row


def appeared(world: World, recording_id: str) -> list[str]:
    with world.rt.db.write() as session:
        return negatives.appeared(session, recording_id)


def made_at(minutes: int = 10, **changes: object) -> dict[str, object]:
    start = AT + timedelta(minutes=minutes)
    return {
        "kind": "video", "started_at": start, "shown_at": start, "ended_at": start + timedelta(minutes=5),
        "time_source": "dock", **changes,
    }  # fmt: skip


def test_a_negative_says_what_was_searched_has_a_receipt_and_prints(world: World) -> None:
    world.seal(**made_at(minutes=90))  # another time
    row = signed(world, place="QL1A", officer_id=world.officer_id)
    document = json.loads(row.document)
    assert document["searched"] == {
        "recordings": 0, "cameras": 0, "unsure": 0, "destroyed": 0, "debts": 0, "units": ["*"],
    }  # fmt: skip
    with world.rt.db.read() as session:
        receipt = custody.receipt_for(session, row.event_id)
        paper = negative_paper(session, row, "vi")
    assert receipt is not None
    proven = verify_receipt(receipt.body, world.rt.log.verifier)
    assert proven.size == len(row.document.encode())
    text = PdfReader(BytesIO(paper)).pages[0].extract_text()
    assert row.number in text
    assert "Trần Văn Nam" in text


def test_no_negative_is_signed_while_there_is_footage(world: World) -> None:
    world.seal(**made_at())
    with pytest.raises(FootageFoundError):
        signed(world)
    assert signed(world, plate="29A-123.45").number.startswith("KBG-")  # looked at, and no such plate noted


def test_the_search_ends_with_the_last_recording_however_many_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negatives, "_PAGE", 2)
    for minutes in (-300, -200, -100, 200, 10):  # the one that fits comes last
        world.seal(**made_at(minutes, time_source=None))
    with pytest.raises(FootageFoundError):
        signed(world)


def test_what_a_citizen_sent_neither_stops_nor_reopens_a_negative(world: World) -> None:
    world.seal(origin=Origin.CITIZEN, **made_at())
    signed(world)
    assert appeared(world, world.seal(origin=Origin.CITIZEN, **made_at())) == []


def test_footage_that_appears_reopens_the_negative_and_somebody_is_told_until_he_says_so(world: World) -> None:
    row = signed(world, officer_id=world.officer_id)
    recording_id = world.seal(**made_at())
    assert appeared(world, recording_id) == [row.id]
    assert appeared(world, recording_id) == []
    with world.rt.db.write() as session:
        negatives.acknowledge(session, row.id, actor=world.accounts["commander"])
    assert world.kinds(row.id) == ["negative.signed", "negative.reopened", "negative.seen"]
    with world.rt.db.read() as session:
        assert (
            "ĐÃ MỞ LẠI"
            in PdfReader(BytesIO(negative_paper(session, session.get_one(SignedNegative, row.id), "vi")))
            .pages[0]
            .extract_text()
        )


@pytest.mark.parametrize("year", [1980, 2050])
def test_footage_of_a_camera_whose_clock_stands_at_1980_or_2050_reopens_what_it_may_fit(
    world: World, year: int
) -> None:
    row = signed(world)
    start = AT.replace(year=year)
    recording_id = world.seal(kind="video", started_at=start, ended_at=start, shown_at=start, time_source="device")
    assert appeared(world, recording_id) == [row.id]


def test_a_plate_noted_later_reopens_the_negative(world: World) -> None:
    recording_id = world.seal(**made_at())
    row = signed(world, plate="29A-123.45")
    with world.rt.db.write() as session:
        session.add(RecordingPlate(recording_id=recording_id, compact="29A12345", raw="29A-123.45"))
    with world.rt.db.write() as session:
        assert negatives.look_again(session) == [row.id]


def test_footage_from_elsewhere_or_of_another_officer_leaves_it_standing(world: World) -> None:
    row = signed(world, lat=20.98713, lon=105.86442, radius_m=500.0)
    assert appeared(world, world.seal(**made_at(lat=10.77, lon=106.7))) == []
    assert appeared(world, world.seal(**made_at(lat=20.9872, lon=105.8645))) == [row.id]


def test_what_cannot_be_excluded_is_counted(world: World) -> None:
    world.seal(kind="video")  # nobody knows when it was made
    with world.rt.db.write() as session:
        debt = Debt(
            kind="docking", officer_id=world.officer_id, unit_id=world.units["a"], camera_id=world.camera_id,
            opened_at=world.now, due_at=world.now,
        )  # fmt: skip
        open_debt(session, debt, actor="system")
    searched = json.loads(signed(world).document)["searched"]
    assert (searched["unsure"], searched["debts"]) == (1, 1)


def test_destroyed_footage_of_that_time_is_said_and_not_passed_over(world: World) -> None:
    world.seal(**made_at())
    world.later(days=100)
    batch = world.approved()
    world.cool_off()
    world.run(batch)
    assert json.loads(signed(world).document)["searched"]["destroyed"] == 1

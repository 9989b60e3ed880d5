"""The pages of retention: a change by two people, a hold, a batch approved and undone, a negative signed, printed and reopened."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from staff_story import STARTED, Story

from bodycam import clock
from bodycam.custody.sequencer import Sequencer
from bodycam.people.models import Account, Grant
from bodycam.people.units import create_unit
from bodycam.recordings.models import Recording, State
from bodycam.retention import batches, changes, clockwatch, negatives
from bodycam.retention.models import DispositionBatch, LegalHold, RetentionSchedule, SignedNegative, Tombstone
from bodycam.runtime import Runtime

JUMP = timedelta(hours=72)


def drain(rt: Runtime) -> None:
    Sequencer(rt.db, rt.log).run_once()


@pytest.fixture
def batch(rt: Runtime) -> DispositionBatch:
    """A batch of what the story holds, 14 months on; the auditor's role stands on another unit than the monitor's."""
    drain(rt)
    moment = clock.now() + timedelta(days=420)
    clock.set_now(lambda: moment)
    with rt.db.write() as session:
        auditor = session.scalars(select(Account).where(Account.username == "auditor")).one()
        grant = session.scalars(select(Grant).where(Grant.account_id == auditor.id)).one()
        grant.unit_id = create_unit(session, name="Thanh tra", force="traffic_police").id
        clockwatch.confirm(session, JUMP, actor=auditor.id)
    drain(rt)
    made = batches.propose(rt.db, rt.settings.retention)
    assert made is not None
    drain(rt)
    return made


def approve(client, batch: DispositionBatch) -> int:
    page = client.get(f"/disposition/{batch.id}").text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    return client.post(f"/disposition/{batch.id}/approve", data={"seen": seen}).status_code


def state_of(rt: Runtime, batch: DispositionBatch) -> str:
    with rt.db.read() as session:
        return session.get_one(DispositionBatch, batch.id).state


def test_a_batch_is_approved_by_two_people_of_two_units_and_undone(
    rt: Runtime, as_role, batch: DispositionBatch
) -> None:
    monitor, auditor = as_role("monitor"), as_role("auditor")
    assert "chờ người thứ nhất duyệt" in monitor.get("/disposition").text
    assert approve(monitor, batch) == 303
    assert "Lần thứ hai phải là người khác" in monitor.get(f"/disposition/{batch.id}").text
    assert monitor.post(f"/disposition/{batch.id}/approve", data={"seen": batch.list_sha256}).status_code == 403
    assert auditor.post(f"/disposition/{batch.id}/approve", data={"seen": "x"}).status_code == 409
    assert approve(auditor, batch) == 303
    assert state_of(rt, batch) == "cooling"
    assert "Rút lại đợt này" in auditor.get(f"/disposition/{batch.id}").text
    assert auditor.post(f"/disposition/{batch.id}/undo", data={"reason": " "}).status_code == 400
    assert monitor.post(f"/disposition/{batch.id}/undo", data={"reason": "còn cần"}).status_code == 303
    assert state_of(rt, batch) == "undone"
    assert auditor.post(f"/disposition/{batch.id}/undo", data={"reason": "x"}).status_code == 409


def test_a_change_of_the_schedule_waits_for_a_second_person_on_the_page(rt: Runtime, as_role) -> None:
    administrator, auditor = as_role("administrator"), as_role("auditor")
    answer = administrator.post(
        "/retention/propose", data={"amount-official": "120", "unit-official": "days", "reason": "theo PC08"}
    )
    assert answer.status_code == 303
    page = administrator.get("/retention").text
    assert "Chờ người thứ hai phê duyệt" in page
    assert "120 ngày" in page
    with rt.db.read() as session:
        row = changes.proposed(session)
    assert row is not None
    assert administrator.post(f"/retention/{row.id}/agree").status_code == 403
    assert as_role("head").post(f"/retention/{row.id}/agree").status_code == 403
    assert auditor.post(f"/retention/{row.id}/agree").status_code == 303
    with rt.db.read() as session:
        assert session.get_one(RetentionSchedule, row.id).state == "in_force"
    for wrong in ("0", "x", "99999999", "-1", "1.5"):
        data = {"amount-official": wrong, "reason": "sai"}
        assert administrator.post("/retention/propose", data=data).status_code == 400, wrong


def test_a_jump_of_the_clock_is_an_alarm_on_the_page_until_somebody_confirms(rt: Runtime, as_role) -> None:
    drain(rt)
    with rt.db.write() as session:
        clockwatch.look(session, JUMP)
    moment = clock.now() + timedelta(days=400)
    clock.set_now(lambda: moment)
    administrator = as_role("administrator")
    drain(rt)
    with rt.db.write() as session:
        assert clockwatch.look(session, JUMP) is not None
    assert "Đồng hồ máy chủ đã nhảy" in administrator.get("/retention").text
    assert as_role("head").post("/retention/clock").status_code == 403
    assert administrator.post("/retention/clock").status_code == 303
    drain(rt)
    assert "Đồng hồ máy chủ đã nhảy" not in administrator.get("/retention").text
    assert administrator.post("/retention/clock").status_code == 409


def test_a_hold_is_placed_from_a_recording_shows_on_it_and_is_released_by_another(
    rt: Runtime, story: Story, as_role
) -> None:
    head, monitor, commander = as_role("head"), as_role("monitor"), as_role("commander")
    data = {"kind": "recording", "recording": story.stop_id, "reason": "court", "words": "CV 12/TA"}
    assert head.post("/holds/new", data={**data, "words": ""}).status_code == 400
    assert head.post("/holds/new", data={**data, "recording": story.citizen_id}).status_code == 404
    assert head.post("/holds/new", data={**data, "discreet": "1"}).status_code == 303  # the mark is not his to make
    with rt.db.read() as session:
        row = session.scalars(select(LegalHold)).one()
    assert row.cause == "order"
    commander.post(f"/recordings/{story.stop_id}/view", data={"reason": "shift_check"})
    assert row.number in commander.get(f"/recordings/{story.stop_id}").text
    assert row.number in commander.get("/holds").text
    assert head.post(f"/holds/{row.id}/release", data={"reason": "xong"}).status_code == 403
    assert monitor.post(f"/holds/{row.id}/release", data={"reason": "xong"}).status_code == 303
    assert row.number not in commander.get(f"/recordings/{story.stop_id}").text
    place = {
        "kind": "place",
        "starts_at": "09/11/2026 13:00",
        "ends_at": "09/11/2026",
        "reason": "incident",
        "words": "tai nạn",
    }
    assert head.post("/holds/new", data=place).status_code == 303
    assert head.post("/holds/new", data={**place, "starts_at": "hôm qua"}).status_code == 400


def test_a_negative_is_signed_printed_and_when_footage_appears_somebody_is_told(
    rt: Runtime, story: Story, as_role
) -> None:
    commander = as_role("commander")
    found = {"starts_at": "09/11/2026 14:00", "ends_at": "09/11/2026 15:00"}
    with rt.db.write() as session:
        session.get_one(Recording, story.stop_id).time_source = "gps"
    answer = commander.post("/negatives/new", data=found)
    assert (answer.status_code, "bản ghi khớp" in answer.text) == (400, True)
    wanted = {"starts_at": "01/11/2026 08:00", "ends_at": "01/11/2026 09:00", "place": "Cầu Giấy", "officer": "184-221"}
    assert commander.post("/negatives/new", data=wanted).status_code == 303
    drain(rt)
    with rt.db.read() as session:
        row = session.scalars(select(SignedNegative)).one()
    assert commander.get(f"/negatives/{row.id}.pdf").data[:5] == b"%PDF-"
    assert commander.get(f"/negatives/{row.id}/receipt").status_code == 200
    assert "<i>1<" not in commander.get("/negatives").text
    with rt.db.write() as session:
        recording = session.get_one(Recording, story.plain_id)
        recording.started_at = recording.ended_at = recording.shown_at = STARTED - timedelta(days=8, hours=6)
        recording.time_source = "gps"
    with rt.db.write() as session:
        assert negatives.appeared(session, story.plain_id) == [row.id]
    assert "<i>1<" in commander.get("/negatives").text
    assert commander.post(f"/negatives/{row.id}/seen").status_code == 303
    assert "<i>1<" not in commander.get("/negatives").text


def test_what_those_who_read_reports_asked_for_shows_to_nobody_else(rt: Runtime, as_role) -> None:
    data = {"starts_at": "01/11/2026 08:00", "ends_at": "01/11/2026 09:00", "place": "Cầu Giấy"}
    assert as_role("auditor").post("/negatives/new", data=data).status_code == 303
    with rt.db.read() as session:
        row = session.scalars(select(SignedNegative)).one()
    assert row.number in as_role("auditor").get("/negatives").text
    commander = as_role("commander")
    assert row.number not in commander.get("/negatives").text
    assert commander.get(f"/negatives/{row.id}").status_code == 404


def test_a_destroyed_recording_leaves_the_lists_and_its_page_says_what_became_of_it(
    rt: Runtime, story: Story, as_role
) -> None:
    with rt.db.write() as session:
        moment = clock.now()
        session.get_one(Recording, story.plain_id).state = State.DESTROYED
        session.add(
            Tombstone(
                leaf_index=1, leaf_hash="cd" * 32, recording_id=story.plain_id, rule="official", sealed_at=moment,
                due_at=moment, destroyed_at=moment, complete_at=moment, event_id="e",
            )
        )  # fmt: skip
    client = as_role("commander")
    assert story.plain_id not in client.get("/recordings").text
    page = client.get(f"/recordings/{story.plain_id}").text
    assert "cd" * 32 in page
    assert "bản sao lưu cuối cùng" in page

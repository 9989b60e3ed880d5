"""Attacks on disposal, each named after itself: nothing is destroyed, and the log tells of it."""

import hashlib
from datetime import timedelta

import pytest
from retention_world import JUMP, World
from sqlalchemy import delete, select, update

from bodycam import clock, custody
from bodycam.cases import links
from bodycam.cases.models import CaseRecording
from bodycam.cases.service import CaseFacts, open_case
from bodycam.custody.models import CustodyEvent
from bodycam.fixity.check import is_destroyed
from bodycam.people.accounts import create_account, grant
from bodycam.people.models import Account, Grant
from bodycam.recordings.models import Recording, State
from bodycam.retention import batches, changes, clockwatch, execution, holds
from bodycam.retention.errors import (
    ApproverTwiceError,
    BatchChangedError,
    BatchStateError,
    ClockDoubtfulError,
    HoldTamperedError,
    SameUnitError,
    ScheduleTamperedError,
    SecondPersonError,
)
from bodycam.retention.models import (
    BatchState,
    DispositionBatch,
    DispositionItem,
    LegalHold,
    RetentionSchedule,
)
from bodycam.retention.queries import is_held
from bodycam.retention.schedule import Schedule
from bodycam.retention.targets import Target
from bodycam.tasks.retention import may_approve


def lies(world: World, recording_id: str) -> bool:
    """Whether every copy of a recording is still there."""
    with world.rt.db.read() as session:
        object_id = session.get_one(Recording, recording_id).object_id
    return all(world.rt.vault.verify_copy(object_id, place.name).ok for place in world.rt.vault.places)


def batch_of(world: World, batch: DispositionBatch) -> DispositionBatch:
    with world.rt.db.read() as session:
        return session.get_one(DispositionBatch, batch.id)


@pytest.fixture
def due(world: World) -> str:
    """A recording that is past its term."""
    recording_id = world.seal()
    world.later(days=100)
    return recording_id


def shortened(world: World, days: int) -> Schedule:
    with world.rt.db.read() as session:
        schedule = changes.in_force(session)
    rules = [rule.model_copy(update={"amount": days}) if rule.key == "official" else rule for rule in schedule.rule]
    return schedule.model_copy(update={"rule": tuple(rules)})


def test_an_approver_approving_twice_is_refused(world: World, due: str) -> None:
    batch = world.propose()
    world.approve(batch, "monitor", "a")
    for unit in ("a", "b"):
        with pytest.raises(ApproverTwiceError):
            world.approve(batch, "monitor", unit)
    assert batch_of(world, batch).state == BatchState.APPROVED
    assert lies(world, due)


def test_two_accounts_of_one_person_are_one_approver(world: World, due: str) -> None:
    with world.rt.db.write() as session:
        for name, officer, display in (
            ("both-1", world.officer_id, "Trần Văn Nam"),
            ("both-2", world.officer_id, "Kiểm tra viên"),
            ("nobody-1", None, "Lê  Thị Hoa"),
            ("nobody-2", None, "LÊ THỊ HOA"),
        ):
            account = create_account(
                session, username=name, display_name=display, password="mat-khau-thu-1",
                settings=world.rt.settings.sign_in, officer_id=officer,
            )  # fmt: skip
            grant(session, account.id, "auditor", world.units["a" if name.endswith("1") else "b"])
            world.accounts[name] = account.id
    batch = world.propose()
    world.approve(batch, "both-1", "a")
    with pytest.raises(ApproverTwiceError):
        world.approve(batch, "both-2", "b")
    with world.rt.db.write() as session:
        batches.undo(session, batch.id, actor=world.accounts["auditor"], reason="thử lại")
    world.later(days=31)
    batch = world.propose()
    world.approve(batch, "nobody-1", "a")
    with pytest.raises(ApproverTwiceError):
        world.approve(batch, "nobody-2", "b")
    assert lies(world, due)


def test_two_people_of_one_unit_are_refused(world: World, due: str) -> None:
    batch = world.propose()
    world.approve(batch, "monitor", "a")
    with pytest.raises(SameUnitError):
        world.approve(batch, "monitor2", "a")
    assert lies(world, due)


def test_a_role_withdrawn_between_approval_and_execution_ends_the_batch(world: World, due: str) -> None:
    batch = world.approved()
    with world.rt.db.write() as session:
        session.execute(delete(Grant).where(Grant.account_id == world.accounts["monitor"]))
    world.cool_off()
    assert world.run(batch) == "undone"
    assert "không còn quyền duyệt" in batch_of(world, batch).reason
    assert world.kinds(batch.id)[-2:] == ["disposition.stopped", "disposition.undone"]
    assert lies(world, due)


def test_an_account_closed_between_approval_and_execution_ends_the_batch(world: World, due: str) -> None:
    batch = world.approved()
    with world.rt.db.write() as session:
        session.get_one(Account, world.accounts["auditor"]).active = False
    world.cool_off()
    assert world.run(batch) == "undone"
    assert lies(world, due)


def test_a_hold_placed_during_the_cooling_off_keeps_what_it_covers(world: World, due: str) -> None:
    other = world.seal()
    world.later(days=100)
    batch = world.approved()
    with world.rt.db.write() as session:
        holds.place(
            session, Target(recording_id=due), actor=world.accounts["head"], reason_code="court", reason="CV 12/TA"
        )
    world.cool_off()
    assert world.run(batch) == "done"
    assert (lies(world, due), world.rt.vault.holds(_object(world, other))) == (True, False)
    with world.rt.db.read() as session:
        item = session.scalars(select(DispositionItem).where(DispositionItem.recording_id == due)).one()
    assert (item.state, item.reason) == ("kept", "held")
    assert "recording.destroying" not in world.kinds(due)


def test_a_hold_placed_during_the_execution_keeps_what_is_not_yet_begun(world: World, due: str, monkeypatch) -> None:
    ids = [due, world.seal(), world.seal()]
    world.later(days=100)
    batch = world.approved()
    world.cool_off()
    destroy = world.rt.vault.destroy

    def placing(object_id: str):
        if object_id == _object(world, ids[0]):
            with world.rt.db.write() as session:
                holds.place_for_complaint(session, Target(recording_id=ids[2]), submission_id="s1")
        return destroy(object_id)

    monkeypatch.setattr(type(world.rt.vault), "destroy", lambda _, object_id: placing(object_id))
    assert world.run(batch) == "done"
    assert [world.rt.vault.holds(_object(world, one)) for one in ids] == [False, False, True]
    assert lies(world, ids[2])


def test_a_hold_placed_after_a_crash_keeps_what_is_left_of_a_begun_recording(
    world: World, due: str, monkeypatch
) -> None:
    batch = world.approved()
    world.cool_off()
    second = next(place for place in world.rt.vault.places if place.name == "second")
    with monkeypatch.context() as patch:

        def killed(_: str) -> None:
            raise KeyboardInterrupt

        patch.setattr(second, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            world.run(batch)
    with world.rt.db.write() as session:
        holds.place_for_complaint(session, Target(recording_id=due), submission_id="s1")
    assert world.run(batch) == "done"
    assert world.rt.vault.verify_copy(_object(world, due), "second").ok
    with world.rt.db.read() as session:
        assert not is_destroyed(session, _object(world, due))  # so a scrub repairs the copy that is gone


def test_a_schedule_shortened_then_run_destroys_nothing_before_the_notice_is_over(world: World) -> None:
    recording_id = world.seal()
    world.later(days=10)
    with world.rt.db.write() as session:
        row = changes.propose(session, shortened(world, 1), actor=world.accounts["admin"], reason="dọn kho")
        with pytest.raises(SecondPersonError):
            changes.agree(session, row.id, actor=world.accounts["admin"])
        changes.agree(session, row.id, actor=world.accounts["auditor"])
    world.drain()
    assert batches.propose(world.rt.db, world.rt.settings.retention) is None
    world.later(days=31)
    assert world.propose().items == 1  # the change was announced for a month
    assert lies(world, recording_id)


def test_a_schedule_lengthened_during_the_cooling_off_counts_at_once(world: World, due: str) -> None:
    batch = world.approved()
    with world.rt.db.write() as session:
        row = changes.propose(session, shortened(world, 400), actor=world.accounts["admin"], reason="giữ lâu hơn")
        changes.agree(session, row.id, actor=world.accounts["auditor"])
    world.cool_off()
    assert world.run(batch) == "done"
    assert lies(world, due)


def test_an_insider_who_edits_the_schedules_row_stops_all_disposal(world: World, due: str) -> None:
    batch = world.approved()
    world.cool_off()
    body = shortened(world, 1).body()
    with world.rt.db.write() as session:
        session.execute(update(RetentionSchedule).values(body=body, sha256=hashlib.sha256(body.encode()).hexdigest()))
    assert world.run(batch) == "running"
    with world.rt.db.read() as session, pytest.raises(ScheduleTamperedError):
        changes.effective(session, 30)
    assert lies(world, due)


def test_an_insider_who_edits_the_batch_table_destroys_nothing(world: World, due: str) -> None:
    """The rows say approved by two and cooled off; the log has no such approvals."""
    batch = world.propose()
    with world.rt.db.write() as session:
        session.execute(
            update(DispositionBatch).values(
                state="cooling", first_by=world.accounts["monitor"], first_unit_id=world.units["a"],
                second_by=world.accounts["auditor"], second_unit_id=world.units["b"],
                cooling_until=world.now - timedelta(days=1),
            )
        )  # fmt: skip
    with world.rt.db.read() as session:
        assert execution.due_batches(session) == [batch.id]
    assert world.run(batch) == "cooling"
    assert "hai lần duyệt" in batch_of(world, batch).reason
    assert world.kinds(batch.id)[-1] == "disposition.stopped"
    assert lies(world, due)


def test_an_insider_who_adds_a_recording_to_an_approved_list_destroys_nothing(world: World, due: str) -> None:
    batch = world.approved()
    fresh = world.seal()
    with world.rt.db.write() as session:
        known = session.scalars(select(DispositionItem)).one()
        event = session.get_one(CustodyEvent, session.get_one(Recording, fresh).sealed_event_id)
        session.add(
            DispositionItem(
                batch_id=batch.id, recording_id=fresh, size=1, leaf_index=event.log_index, leaf_hash="0" * 64,
                rule=known.rule, since=known.since, due_at=known.due_at,
            )
        )  # fmt: skip
    world.cool_off()
    assert world.run(batch) == "cooling"
    assert "danh sách đã bị sửa" in batch_of(world, batch).reason
    assert lies(world, due)
    assert lies(world, fresh)


def test_an_insider_who_edits_list_and_digest_alike_destroys_nothing(world: World, due: str) -> None:
    assert lies(world, due)
    batch = world.approved()
    fresh = world.seal()
    with world.rt.db.write() as session:
        item = session.scalars(select(DispositionItem)).one()
        event = session.get_one(CustodyEvent, session.get_one(Recording, fresh).sealed_event_id)
        item.recording_id, item.leaf_index = fresh, event.log_index
        session.flush()
        row = session.get_one(DispositionBatch, batch.id)
        row.list_sha256 = batches.list_sha256(session, row)
    world.cool_off()
    assert world.run(batch) == "cooling"
    assert "không có đề nghị với danh sách này" in batch_of(world, batch).reason
    assert lies(world, fresh)


def test_an_insider_who_forges_approvals_without_the_log_destroys_nothing(world: World, due: str) -> None:
    """Event rows with an index of their own, as if the sequencer had taken them: the tiles don't have them."""
    batch = world.propose()
    with world.rt.db.write() as session:
        for name, unit in (("monitor", "a"), ("auditor", "b")):
            event = custody.record(
                session, "disposition.approved", object_id=batch.id, actor=world.accounts[name],
                details={
                    "list": batch.list_sha256, "unit": world.units[unit], "until": "2020-01-01T00:00:00.000000Z",
                },
            )  # fmt: skip
            taken = 3 if name == "monitor" else 4
            session.execute(update(CustodyEvent).where(CustodyEvent.log_index == taken).values(log_index=None))
            event.log_index = taken
            session.flush()
        session.execute(update(DispositionBatch).values(state="cooling", cooling_until=world.now))
    state = execution.run(world.rt, batch.id, may_approve)
    assert state == BatchState.COOLING
    assert "hai lần duyệt" in batch_of(world, batch).reason
    assert lies(world, due)


def test_an_insider_who_swaps_two_recordings_objects_destroys_neither(world: World, due: str) -> None:
    fresh = world.seal()
    batch = world.approved()
    with world.rt.db.write() as session:
        one, two = session.get_one(Recording, due), session.get_one(Recording, fresh)
        first, second = one.object_id, two.object_id
        one.object_id = "0" * 64
        session.flush()
        two.object_id = first
        session.flush()
        one.object_id = second  # the batch's row points at footage of today now
    world.cool_off()
    assert world.run(batch) == "done"
    with world.rt.db.read() as session:
        item = session.scalars(select(DispositionItem)).one()
    assert (item.state, item.reason) == ("kept", "not_in_log")
    assert world.rt.vault.holds(first)
    assert world.rt.vault.holds(second)


def test_an_insider_who_deletes_or_releases_a_holds_row_stops_all_disposal(world: World, due: str) -> None:
    with world.rt.db.write() as session:
        hold = holds.place_for_complaint(session, Target(recording_id=due), submission_id="s1")
    world.drain()
    with world.rt.db.write() as session:
        session.get_one(LegalHold, hold.id).released_at = clock.now()
    with world.rt.db.read() as session:
        assert is_held(session, due)  # the log knows no release
    with world.rt.db.write() as session:
        session.get_one(LegalHold, hold.id).target = Target(recording_id="another").body()
    with world.rt.db.read() as session, pytest.raises(HoldTamperedError):
        is_held(session, due)
    with world.rt.db.write() as session:
        session.execute(delete(LegalHold))
    with pytest.raises(HoldTamperedError):
        batches.propose(world.rt.db, world.rt.settings.retention)


def test_an_insider_who_takes_a_case_link_out_of_the_table_shortens_no_term(world: World) -> None:
    recording_id = world.seal()
    with world.rt.db.write() as session:
        facts = CaseFacts(
            starts_at=world.now, ends_at=world.now, number="1/BB-VPHC", identifiers={"plate": ["29A-123.45"]}
        )
        case = open_case(session, kind="traffic_stop", unit_id=world.units["a"], facts=facts)
        links.attach(session, case_id=case.id, recording_id=recording_id, account_id=world.accounts["commander"])
    with world.rt.db.write() as session:
        session.execute(delete(CaseRecording))
    world.later(days=400)
    assert batches.propose(world.rt.db, world.rt.settings.retention) is None


def test_the_list_that_was_shown_is_the_one_that_is_approved(world: World, due: str) -> None:
    batch = world.propose()
    with pytest.raises(BatchChangedError), world.rt.db.write() as session:
        batches.approve(
            session, batch.id, actor=world.accounts["monitor"], units={world.units["a"]}, seen="0" * 64,
            settings=world.rt.settings.retention,
        )  # fmt: skip
    assert lies(world, due)


def test_an_undone_batch_is_not_carried_out_whatever_its_row_says(world: World, due: str) -> None:
    batch = world.approved()
    with world.rt.db.write() as session:
        batches.undo(session, batch.id, actor=world.accounts["auditor"], reason="còn cần cho vụ khác")
    with world.rt.db.write() as session:
        session.execute(update(DispositionBatch).values(state="cooling"))
    world.cool_off()
    assert world.run(batch) == "cooling"
    assert "đã được rút lại" in batch_of(world, batch).reason
    assert lies(world, due)
    with pytest.raises(BatchStateError), world.rt.db.write() as session:
        session.execute(update(DispositionBatch).values(state="done"))
        batches.undo(session, batch.id, actor=world.accounts["auditor"], reason="muộn")


def test_a_server_clock_stepped_by_400_days_releases_nothing(world: World) -> None:
    recording_id = world.seal()
    with world.rt.db.write() as session:
        clockwatch.look(session, JUMP)
    world.later(days=400, confirmed=False)
    with pytest.raises(ClockDoubtfulError):
        batches.propose(world.rt.db, world.rt.settings.retention)
    world.tick()
    with pytest.raises(ClockDoubtfulError):
        batches.propose(world.rt.db, world.rt.settings.retention)
    with world.rt.db.read() as session:
        [doubt] = clockwatch.doubts(session)
    assert (doubt.until, (doubt.seen_at - doubt.before).days) == (None, 400)
    world.now -= timedelta(days=400)  # somebody sets it right again, and says so
    world.later(days=0.01)
    assert batches.propose(world.rt.db, world.rt.settings.retention) is None
    with world.rt.db.read() as session:
        assert session.get_one(Recording, recording_id).state != State.DESTROYED


def test_a_clock_stepped_during_the_cooling_off_does_not_shorten_it(world: World, due: str) -> None:
    batch = world.approved()
    world.later(days=400, confirmed=False)
    world.tick()
    assert world.run(batch) == "cooling"
    assert batch_of(world, batch).reason.startswith("Đồng hồ máy chủ đã nhảy")
    assert lies(world, due)


def test_a_clock_that_creeps_within_one_boot_is_noticed_against_the_machines_own(world: World, monkeypatch) -> None:
    machine = [world.now.timestamp()]
    monkeypatch.setattr(clock, "monotonic", lambda: machine[0])
    world.seal()
    for _ in range(5):
        machine[0] += 60
        world.now += timedelta(hours=20)  # each step is below the limit
        world.tick()
    with world.rt.db.write() as session:
        assert clockwatch.look(session, JUMP) is not None


def test_what_is_sealed_while_the_servers_clock_stands_at_1980_is_not_due_when_it_is_set_right(world: World) -> None:
    right = world.now
    world.tick()
    world.now = world.now.replace(year=1980)
    recording_id = world.seal()
    world.now = right
    world.tick()
    with pytest.raises(ClockDoubtfulError):
        batches.propose(world.rt.db, world.rt.settings.retention)
    world.later(days=1)
    assert batches.propose(world.rt.db, world.rt.settings.retention) is None
    world.later(days=80)
    assert batches.propose(world.rt.db, world.rt.settings.retention) is None
    world.later(days=11)
    with world.rt.db.read() as session:
        batch = world.propose()
        [item] = session.scalars(select(DispositionItem).where(DispositionItem.batch_id == batch.id))
    assert (item.recording_id, item.since.year) == (recording_id, 2026)


def _object(world: World, recording_id: str) -> str:
    with world.rt.db.read() as session:
        return session.get_one(Recording, recording_id).object_id

"""Destroying what is past its term: every copy, envelope and salt; what stays; and what goes wrong on the way."""

import json
from pathlib import Path

from retention_world import World
from sqlalchemy import select, text

from bodycam import custody
from bodycam.backup.models import Backup
from bodycam.backup.service import make_backup
from bodycam.custody.models import CustodyEvent
from bodycam.custody.proof import parse_proof, prove
from bodycam.custody.receipts import verify_receipt
from bodycam.recordings.models import Recording, State
from bodycam.retention.models import BatchState, DestroyedCopy, DispositionBatch, DispositionItem, Tombstone


def test_a_batch_destroys_every_copy_and_every_salt_and_leaves_a_tombstone_that_still_proves(world: World) -> None:
    recording_id = world.seal()
    made = world.render(recording_id)
    world.drain()
    with world.rt.db.read() as session:
        row = session.get_one(Recording, recording_id)
        receipt = custody.receipt_for(session, row.sealed_event_id)
    assert receipt is not None
    handed_out = receipt.body
    world.later(days=100)
    batch = world.approved()
    assert batch.state == BatchState.COOLING
    world.cool_off()
    assert world.run(batch) == "done"
    for place in world.rt.vault.places:
        assert list(place.ids("")) == []
    assert not world.rt.vault.holds(row.object_id)
    with world.rt.db.read() as session:
        gone = session.get_one(Recording, recording_id)
        event = session.get_one(CustodyEvent, gone.sealed_event_id)
        copies = sorted((one.what, one.place, one.ok) for one in session.scalars(select(DestroyedCopy)))
        stone = session.scalars(select(Tombstone)).one()
        again = custody.receipt_for(session, gone.sealed_event_id)
    assert (gone.state, event.openings) == (State.DESTROYED, None)
    assert copies == [
        ("original", "main", True), ("original", "second", True),
        ("thumbnail", "main", True), ("thumbnail", "second", True),
    ]  # fmt: skip
    assert made
    # what was destroyed still proves: the receipt in somebody's hands, and the leaf the tombstone names
    proven = verify_receipt(handed_out, world.rt.log.verifier)
    assert (proven.leaf_hash, proven.sha256) == (stone.leaf_hash, row.sha256)
    checkpoint = world.rt.log.checkpoint()
    assert checkpoint is not None
    parse_proof(prove(world.rt.log, stone.leaf_index, checkpoint)).check(event.body.encode(), world.rt.log.verifier)
    assert again is not None
    assert verify_receipt(again.body, world.rt.log.verifier).sha256 is None  # ours opens nothing any more
    assert (stone.complete_at - stone.destroyed_at).days == world.rt.settings.retention.backup_days
    told = world.kinds(recording_id)
    assert told[-3:] == ["recording.destroying", "openings.destroyed", "recording.destroyed"]
    assert world.kinds(batch.id) == [
        "disposition.proposed", "disposition.approved", "disposition.approved", "disposition.started", "disposition.done",
    ]  # fmt: skip


def test_a_destruction_is_complete_only_when_the_last_registered_backup_from_before_has_expired(
    world: World, tmp_path: Path
) -> None:
    world.seal()
    rt, nobody = world.rt, lambda _what, _count: None
    with rt.db.write() as session:
        session.execute(text("CREATE TABLE alembic_version AS SELECT '0000' AS version_num"))
    world.later(days=100)
    make_backup(rt.settings, rt.db, rt.log, tmp_path / "backup", progress=nobody, keep_days=400)
    batch = world.approved()
    world.cool_off()
    assert world.run(batch) == "done"
    with rt.db.read() as session:
        stone = session.scalars(select(Tombstone)).one()
        assert stone.complete_at == session.scalars(select(Backup.expires_at)).one()
    assert (stone.complete_at - stone.destroyed_at).days > rt.settings.retention.backup_days


def test_the_log_says_what_became_of_each_copy(world: World) -> None:
    recording_id = world.seal()
    world.later(days=100)
    batch = world.approved()
    world.cool_off()
    world.run(batch)
    with world.rt.db.read() as session:
        query = select(CustodyEvent.body).where(CustodyEvent.kind == "recording.destroyed")
        details = json.loads(session.scalars(query).one())["details"]
    assert details["copies"] == [["original", "main", "destroyed"], ["original", "second", "destroyed"]]
    assert (details["rule"], details["batch"]) == ("official", batch.id)
    assert world.kinds(recording_id)[-1] == "recording.destroyed"


def test_nothing_is_destroyed_before_the_cooling_off_is_over(world: World) -> None:
    recording_id = world.seal()
    world.later(days=100)
    batch = world.approved()
    world.now = world.now.replace(hour=world.now.hour + 1)
    assert world.run(batch) == "cooling"
    with world.rt.db.read() as session:
        assert world.rt.vault.holds(session.get_one(Recording, recording_id).object_id)
        assert "chưa hết thời gian chờ" in session.get_one(DispositionBatch, batch.id).reason


def test_a_copy_that_cannot_be_destroyed_is_a_debt_with_its_place_and_is_tried_again(world: World) -> None:
    recording_id = world.seal()
    world.later(days=100)
    batch = world.approved()
    world.cool_off()
    second = next(place for place in world.rt.vault.places if place.name == "second")
    root = second.root
    root.rename(root.with_name("away"))  # the disk is pulled
    assert world.run(batch) == "debt"
    with world.rt.db.read() as session:
        item = session.scalars(select(DispositionItem)).one()
        row = session.get_one(Recording, recording_id)
        assert item.reason.startswith("second: ")
        assert row.state != State.DESTROYED
        assert session.scalar(select(Tombstone)) is None
    assert "recording.destroy_failed" in world.kinds(recording_id)
    root.with_name("away").rename(root)
    assert world.run(batch) == "done"
    assert list(second.ids("")) == []
    assert world.kinds(recording_id)[-1] == "recording.destroyed"


def test_a_run_that_dies_between_the_copies_goes_on_where_it_was(world: World, monkeypatch) -> None:
    ids = [world.seal() for _ in range(3)]
    world.later(days=100)
    batch = world.approved()
    world.cool_off()
    second = next(place for place in world.rt.vault.places if place.name == "second")
    removed = second.remove
    calls = []

    def killed(object_id: str) -> None:
        calls.append(object_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        removed(object_id)

    monkeypatch.setattr(second, "remove", killed)
    try:
        world.run(batch)
    except KeyboardInterrupt:
        world.drain()
    with world.rt.db.read() as session:
        states = list(session.scalars(select(DispositionItem.state).order_by(DispositionItem.leaf_index)))
    assert states == ["destroyed", "destroying", "waiting"]
    assert world.run(batch) == "done"
    assert [world.kinds(one).count("recording.destroying") for one in ids] == [1, 1, 1]
    assert [world.kinds(one).count("recording.destroyed") for one in ids] == [1, 1, 1]
    assert list(second.ids("")) == []

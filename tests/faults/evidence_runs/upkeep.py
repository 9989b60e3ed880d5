"""What is done with what is sealed and logged, while the power may go: heads cosigned, copies scrubbed and repaired, terms ended."""

from contextlib import contextmanager
from unittest.mock import patch

import evidence_packages
import retention_world
from sqlalchemy import select

from bodycam import clock, custody
from bodycam.custody import witnessing
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.policy import Policy
from bodycam.custody.receipts import upgrade
from bodycam.custody.witness_client import Answer, check_line
from bodycam.fixity.service import Scrub
from bodycam.people.models import Unit
from bodycam.recordings.models import Recording, Rendition, State
from bodycam.retention import execution
from bodycam.retention.models import DispositionBatch, Tombstone
from bodycam.tasks.retention import may_approve
from bodycam.tasks.vault import known_objects

_BOOT = "boot-1"


@contextmanager
def slow_time():
    """Let the machine's time follow the wall clock, which a disposition moves by days; a restart has the same."""
    with (
        patch.object(clock, "boot_id", lambda: _BOOT),
        patch.object(clock, "monotonic", lambda: clock.now().timestamp()),
    ):
        try:
            yield
        finally:
            clock.set_now(None)


# checkpoints


def policy_of(world):
    """Two of three witnesses."""
    keys = "".join(f"witness w{n} {one.cosigner}\n" for n, one in enumerate(evidence_packages.WITNESSES, 1))
    return Policy.parse(f"log {world.rt.log.verifier}\n{keys}group all 2 w1 w2 w3\nquorum all\n")


def cosign(world):
    """Have two witnesses sign the newest head, publish it and write the receipts that wait for it anew."""
    rt, policy, head = world.rt, policy_of(world), world.rt.log.checkpoint()
    named = {witness.cosigner.name: witness for witness in policy.witnesses.values()}
    for signer in evidence_packages.WITNESSES[:2]:
        witness = named[signer.cosigner.name]
        line, signed_at = check_line(witness, head, signer.line(head.body))
        with rt.db.write() as session:
            witnessing.note_answer(session, witness, head, Answer(line=line, signed_at=signed_at))
    witnessed = witnessing.publish(rt.db, rt.log, policy, head)
    world.published()
    upgrade(rt.db, rt.log, witnessed)
    with rt.db.read() as session:
        world.told.receipts |= {row.event_id: row.body for row in session.scalars(select(Receipt))}


def judge_cosigned(world, wrong):
    """Every receipt has its quorum in the end, and so has the published head."""
    policy, log = policy_of(world), world.rt.log
    with world.rt.db.read() as session:
        waiting = session.scalars(select(Receipt.event_id).where(Receipt.witnessed_at.is_(None))).all()
    if waiting:
        wrong.append(f"RECEIPT: {len(waiting)} never got their quorum")
    witnessed = log.witnessed_checkpoint()
    if witnessed is None or not policy.judge(witnessed.note).quorum or witnessed.size != log.checkpoint().size:
        wrong.append("the newest head has no quorum")


# scrub


def spoil(world, dice):
    """Spoil copies, never both of one object: a bit of bytes, envelope or manifest, a cut, or the whole file gone."""
    site = world.site
    for object_id in world.rt.vault.iter_objects():
        root = site / dice.choice(("vault", "vault2"))
        suffix = dice.choice(("", "", ".env", ".manifest"))
        path = root / "objects" / object_id[:2] / (object_id + suffix)
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        match dice.choice(("bit", "cut", "gone", "none")):
            case "bit":
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
                path.write_bytes(data)
            case "cut":
                path.write_bytes(data[: dice.randrange(len(data))])
            case "gone":
                path.unlink()


def scrub(world):
    """Check every copy, and repair the bad ones from the good."""
    rt = world.rt
    run = Scrub(rt, lambda: known_objects(rt.db))
    for _ in run.steps():
        pass
    run.finish()
    world.sequence()


# disposition


def age(world, count):
    """Seal recordings, let their term pass, have a batch approved and cooled off, and seal one more that stays."""
    clock.set_now(None)
    keeper = retention_world.World(world.rt, now=clock.now())
    clock.set_now(lambda: keeper.now)
    keeper.people()
    for _ in range(count):
        _render(keeper, keeper.seal())
    keeper.later(days=100)
    keeper.approved()
    keeper.cool_off()
    keeper.seal()


def _render(keeper, recording_id):
    object_id = keeper.render(recording_id)
    with keeper.rt.db.write() as session:
        made = session.scalars(select(Rendition).where(Rendition.object_id == object_id)).one()
        known = {"sha256": made.sha256, "size": made.size, "details": {"object": object_id, "kind": made.kind}}
        custody.record(session, "recording.rendered", object_id=recording_id, actor="system", **known)


def dispose(world):
    """Carry out what is due."""
    with world.rt.db.read() as session:
        due = execution.due_batches(session)
    for batch_id in due:
        execution.run(world.rt, batch_id, may_approve)
    world.sequence()


def to_be_destroyed(session):
    """Return the recordings whose destruction the log was told of: from then on their copies may go."""
    query = select(CustodyEvent.object_id).where(CustodyEvent.kind == "recording.destroying")
    return set(session.scalars(query))


def judge_destroyed(world, wrong):
    """All that was due is gone from every place, with a tombstone; the one that wasn't is whole."""
    with world.rt.db.read() as session:
        batches = session.scalars(select(DispositionBatch)).all()
        rows = session.scalars(select(Recording)).all()
        stones = set(session.scalars(select(Tombstone.recording_id)))
        names = session.scalars(select(Unit.name)).all()
        salted = session.scalars(
            select(CustodyEvent.object_id).where(CustodyEvent.object_id.in_(stones), CustodyEvent.openings.is_not(None))
        ).all()
    gone = {row.id for row in rows if row.state == State.DESTROYED}
    if not names or [batch.state for batch in batches] != ["done"] or len(rows) - len(gone) != 1 or gone != stones:
        told = [(batch.state, batch.reason) for batch in batches]
        wrong.append(f"disposition ended as {told}: {len(gone)} of {len(rows)} destroyed, {len(stones)} tombstones")
    if salted:
        wrong.append(f"{len(salted)} salts of destroyed recordings are left")
    kept = {row.object_id for row in rows if row.id not in gone}
    for root in ("vault", "vault2"):
        left = {path.name[:64] for path in (world.site / root / "objects").glob("*/*")} - kept
        if left:
            wrong.append(f"{len(left)} destroyed objects have left something in {root}")

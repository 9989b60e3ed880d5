"""What must be so after the power came back: before anything is done again, and after it was."""

import hashlib
from functools import lru_cache

from sqlalchemy import select

from bodycam.cli.catalogues import CATALOGUES
from bodycam.custody.audit import audit
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.note import Verifier
from bodycam.custody.receipts import receipt_path, verify_receipt
from bodycam.custody.report import Verdict
from bodycam.errors import BodycamError
from bodycam.recordings.models import Recording, Rendition, State
from tests.faults.evidence_runs import phases, upkeep
from tests.faults.evidence_runs.world import World


def judge(folder, variant, told):
    """Open what a restart finds, go on, and return what is wrong in one line each; nothing means all promises held."""
    wrong = []
    try:
        with World(folder, variant, told.copy()) as world:
            _judge_rows(world, wrong)
            _judge_spool(world, told, wrong)
            world.sequence()
            phases.work(world)
            _judge_end(world, told, wrong)
    except (BodycamError, OSError, AssertionError, ValueError, KeyError) as error:
        wrong.append(f"going on failed: {type(error).__name__}: {error}")
    return wrong


def _judge_rows(world, wrong):
    with world.rt.db.read() as session:
        recordings = session.scalars(select(Recording)).all()
        receipts = session.scalars(select(Receipt)).all()
        doomed = upkeep.to_be_destroyed(session)
    for recording in recordings:
        if recording.id not in doomed:
            _judge_bytes(world, recording, wrong)
    for receipt in receipts:
        _judge_receipt(world, receipt.event_id, receipt.body, wrong)


def _judge_bytes(world, recording, wrong):
    vault = world.rt.vault
    found = [vault.verify_copy(recording.object_id, place.name) for place in vault.places]
    if not any(result.ok for result in found):
        wrong.append(f"LOST: {recording.name} {', '.join(found[0].problems)}")
        return
    if world.variant.phase == "scrub" and not found[0].ok:
        return  # not repaired yet; its other copy is whole
    with world.rt.vault.open(recording.object_id) as reader:
        if hashlib.sha256(b"".join(reader.chunks())).hexdigest() != recording.sha256:
            wrong.append(f"LOST: {recording.name} has other bytes")


@lru_cache(maxsize=10_000)
def _verify(text, key):
    verify_receipt(text, Verifier.parse(key))


def _judge_receipt(world, event_id, text, wrong):
    try:
        for copy in {text, receipt_path(world.rt.log, event_id).read_text("utf-8")}:
            _verify(copy, str(world.rt.log.verifier))
    except (BodycamError, OSError, UnicodeDecodeError) as error:
        wrong.append(f"RECEIPT of {event_id}: {error}")


def _judge_spool(world, told, wrong):
    sources = [source for source in world.variant.sources if source.key not in told.sealed]
    for source in sources:
        with world.rt.db.read() as session:
            attempt = phases.attempt_of(session, source)
        if attempt is None or attempt.recording_id is not None:
            continue
        with world.rt.spool.open(attempt.id) as writer:
            if writer.offset < told.spooled.get(source.key, 0):
                wrong.append(f"LOST: {source.key} has {writer.offset} of {told.spooled[source.key]} bytes in the spool")
        if not source.data.startswith(b"".join(world.rt.spool.read(attempt.id))):
            wrong.append(f"LOST: {source.key} has other bytes in the spool")


def _judge_log(world, told, wrong):
    report = audit(world.rt.db, world.rt.log, kept=told.checkpoints, catalogues=CATALOGUES)
    if report.verdict is not Verdict.VALID:
        wrong.extend(f"LOG: {problem.code} {problem.where}: {problem.en}" for problem in report.problems)
    with world.rt.db.read() as session:
        present = set(session.scalars(select(Receipt.event_id)))
    wrong.extend(f"RECEIPT of {event_id} is gone" for event_id in told.receipts.keys() - present)
    for event_id, text in told.receipts.items():
        _judge_receipt(world, event_id, text, wrong)


def _judge_end(world, told, wrong):
    _judge_rows(world, wrong)
    _judge_log(world, told, wrong)
    with world.rt.db.read() as session:
        kept = session.scalars(select(Recording).where(Recording.state != State.DESTROYED)).all()
        made = session.scalars(select(Rendition.object_id)).all()
        waiting = session.scalars(select(CustodyEvent.id).where(CustodyEvent.log_index.is_(None))).all()
        receipts = set(session.scalars(select(Receipt.event_id)))
    if waiting:
        wrong.append(f"{len(waiting)} events still wait for the log")
    wrong.extend(
        f"RECEIPT: {recording.name} has none" for recording in kept if recording.sealed_event_id not in receipts
    )
    _judge_copies(world, [recording.object_id for recording in kept], wrong)
    match world.variant.phase:
        case "disposition":
            upkeep.judge_destroyed(world, wrong)
            return
        case "checkpoint":
            upkeep.judge_cosigned(world, wrong)
    _judge_sources(world.variant, kept, wrong)
    if made:
        wrong.append(f"{len(made)} renditions nobody made")


def _judge_copies(world, expected, wrong):
    """Each recording is one object, whole in every place, and nothing else lies there."""
    vault = world.rt.vault
    for place in vault.places:
        if sorted(place.ids()) != sorted(expected):
            wrong.append(f"{len(list(place.ids()))} objects in {place.name} for {len(expected)} recordings")
        for object_id in expected:
            result = vault.verify_copy(object_id, place.name)
            if not result.ok:
                wrong.append(f"LOST: the copy of {object_id[:8]} in {place.name}: {', '.join(result.problems)}")


def _judge_sources(variant, recordings, wrong):
    given = {f"{source.key}.mp4": source.data for source in (*variant.before, *variant.sources)}
    names = sorted(recording.name for recording in recordings)
    if names != sorted(given):
        wrong.append(f"recordings are {names}, not {sorted(given)}")
        return
    for recording in recordings:
        if recording.sha256 != hashlib.sha256(given[recording.name]).hexdigest():
            wrong.append(f"LOST: {recording.name} was catalogued with other bytes")

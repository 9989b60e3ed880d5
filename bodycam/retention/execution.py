"""Carrying out a batch: recording by recording, every copy with its envelope and manifest, then its salts; a tombstone stays.

Before a recording's first byte goes, its term, the holds and the log are asked once more, and the intent is committed
(`recording.destroying`): whoever places a hold meets this step at one lock, and is either in time or not. No transaction is open
while copies are removed. A run that dies goes on where it was: removing twice is the same as once. A copy that can't be removed
is a debt with the place's name, tried again each day. Destruction completes when the last backup that holds the envelope expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.backup.queries import gone_by
from bodycam.custody.canonical import JSON
from bodycam.custody.checkpoint import Checkpoint
from bodycam.db import new_id
from bodycam.errors import BodycamError
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.recordings.models import Recording, Rendition
from bodycam.retention import changes, clockwatch
from bodycam.retention.authority import RoleWithdrawnError, UnitsOf, check_batch, check_sealing
from bodycam.retention.batches import end, get_batch
from bodycam.retention.forgetting import bury
from bodycam.retention.holds import holding
from bodycam.retention.models import (
    BatchState,
    DestroyedCopy,
    DispositionBatch,
    DispositionItem,
    ItemState,
)
from bodycam.retention.terms import keeping_of, root_of
from bodycam.runtime import Runtime

ORIGINAL = "original"
_OPEN_ITEMS = (ItemState.WAITING, ItemState.DESTROYING, ItemState.DEBT)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Told:
    """What became of one copy."""

    object_id: str
    what: str
    place: str
    ok: bool
    reason: str = ""


def due_batches(session: Session) -> list[str]:
    """Return the batches that may be carried out, or go on, now: by their rows, which `run` doesn't believe."""
    states = (BatchState.COOLING, BatchState.RUNNING, BatchState.DEBT)
    query = select(DispositionBatch.id).where(
        DispositionBatch.state.in_(states), DispositionBatch.cooling_until <= clock.now()
    )
    return list(session.scalars(query.order_by(DispositionBatch.id)))


def run(rt: Runtime, batch_id: str, units_of: UnitsOf) -> BatchState:
    """Carry out a batch whose cooling-off is over, or go on with it; return how it stands.

    What the log doesn't bear out is not carried out: the batch keeps its state, with the reason and an event
    (`disposition.stopped`); it ends when an approver lost his role.
    """
    try:
        checkpoint = _begin(rt, batch_id, units_of)
        with rt.db.read() as session:
            query = select(DispositionItem.id).where(
                DispositionItem.batch_id == batch_id, DispositionItem.state.in_(_OPEN_ITEMS)
            )
            items = list(session.scalars(query.order_by(DispositionItem.leaf_index)))
        for item_id in items:
            _dispose(rt, batch_id, item_id, checkpoint)
        return _finish(rt, batch_id)
    except BodycamError as error:
        return _stop(rt, batch_id, error)


def _begin(rt: Runtime, batch_id: str, units_of: UnitsOf) -> Checkpoint:
    settings = rt.settings.retention
    with rt.db.write() as session:
        clockwatch.look(session, timedelta(hours=settings.clock_jump_hours))  # an alarm outlives the refusal
    with rt.db.write() as session:
        batch = get_batch(session, batch_id, BatchState.COOLING, BatchState.RUNNING, BatchState.DEBT)
        moment = clockwatch.believed_now(session, timedelta(hours=settings.clock_jump_hours))
        checkpoint = check_batch(
            session, rt.log, batch, units_of, moment=moment, cooling=timedelta(days=settings.cooling_days)
        )
        if batch.state == BatchState.COOLING:
            details: dict[str, JSON] = {"list": batch.list_sha256}
            custody.record(session, "disposition.started", object_id=batch.id, actor="system", details=details)
        batch.state, batch.reason = BatchState.RUNNING, ""
    return checkpoint


def _dispose(rt: Runtime, batch_id: str, item_id: str, checkpoint: Checkpoint) -> None:
    with rt.db.write() as session:
        clockwatch.lock(session)
        batch = get_batch(session, batch_id)
        item = session.get_one(DispositionItem, item_id, with_for_update=True, populate_existing=True)
        if batch.state != BatchState.RUNNING or item.state not in _OPEN_ITEMS:
            return
        why_not = _why_not(session, rt, item, checkpoint)
        if why_not:
            if item.state != ItemState.WAITING:  # begun before a crash: what is left of it is to be kept, and repaired
                spared: dict[str, JSON] = {"recording": item.recording_id}
                custody.record(session, "recording.spared", object_id=batch_id, actor="system", details=spared)
            item.state, item.reason, item.done_at = ItemState.KEPT, why_not, clock.now()
            return
        if item.state == ItemState.WAITING:
            item.state = ItemState.DESTROYING
            details: dict[str, JSON] = {"batch": batch_id, "rule": item.rule}
            custody.record(
                session, "recording.destroying", object_id=item.recording_id, actor="system", details=details
            )
        objects = _objects(session, item.recording_id)
    told = [
        _Told(object_id, what, one.place, one.ok, one.reason)
        for object_id, what in objects
        for one in rt.vault.destroy(object_id)
    ]
    with rt.db.write() as session:
        _settle(session, rt, item_id, [*told, *_out_of_reach(session, objects, told)])


def _why_not(session: Session, rt: Runtime, item: DispositionItem, checkpoint: Checkpoint) -> str:
    """Return the code of what speaks against destroying a recording now, "" when nothing does."""
    settings = rt.settings.retention
    moment = clockwatch.believed_now(session, timedelta(hours=settings.clock_jump_hours))
    recording = session.get_one(Recording, item.recording_id)
    root = root_of(session, recording)
    if holding(session, [root]):
        return "held"
    keeping = keeping_of(session, [root], changes.effective(session, settings.notice_days))[root.id]
    if keeping.due_at is None or keeping.due_at > moment:
        return "not_due"
    return "" if check_sealing(session, rt.log, checkpoint, item, recording) else "not_in_log"


def _objects(session: Session, recording_id: str) -> list[tuple[str, str]]:
    """Return the sealed objects of a recording with what they are: itself, and what was made from it."""
    recording = session.get_one(Recording, recording_id)
    made = select(Rendition).where(Rendition.recording_id == recording_id).order_by(Rendition.kind)
    return [(recording.object_id, ORIGINAL), *((one.object_id, one.kind) for one in session.scalars(made))]


def _out_of_reach(session: Session, objects: Sequence[tuple[str, str]], told: Sequence[_Told]) -> list[_Told]:
    """Return the copies that are known to lie where this installation no longer reaches: they are owed, not forgotten."""
    reached = {(one.object_id, one.place) for one in told}
    what = dict(objects)
    gone = (CopyState.DESTROYED, CopyState.MISSING)
    query = select(VaultCopy).where(VaultCopy.object_id.in_(what), VaultCopy.state.not_in(gone))
    return [
        _Told(copy.object_id, what[copy.object_id], copy.place, ok=False, reason="place_unknown")
        for copy in session.scalars(query.order_by(VaultCopy.object_id, VaultCopy.place))
        if (copy.object_id, copy.place) not in reached
    ]


def _settle(session: Session, rt: Runtime, item_id: str, told: Sequence[_Told]) -> None:
    item = session.get_one(DispositionItem, item_id, with_for_update=True, populate_existing=True)
    moment = clock.now()
    for one in told:
        _note(session, item, one)
        copy = session.get(VaultCopy, (one.object_id, one.place))
        if copy is not None and one.ok:
            copy.state, copy.problems = CopyState.DESTROYED, ""
    copies: list[JSON] = [[one.what, one.place, "destroyed" if one.ok else one.reason] for one in told]
    objects: list[JSON] = [*sorted({one.object_id for one in told})]  # an inventory that lacks them is explained
    details: dict[str, JSON] = {"batch": item.batch_id, "rule": item.rule, "copies": copies, "objects": objects}
    failed = [one for one in told if not one.ok]
    if failed:
        item.state, item.reason = ItemState.DEBT, "; ".join(f"{one.place}: {one.reason}" for one in failed)[:200]
        custody.record(
            session, "recording.destroy_failed", object_id=item.recording_id, actor="system", details=details
        )
        _log.warning("disposition.debt", item=item_id, reason=item.reason)
        return
    item.state, item.reason, item.done_at = ItemState.DESTROYED, "", moment
    by_rule = moment + timedelta(days=rt.settings.retention.backup_days)  # for backups that others make of disks
    bury(session, item, details=details, complete_at=max(by_rule, gone_by(session, moment) or moment))


def _note(session: Session, item: DispositionItem, told: _Told) -> None:
    same = (
        DestroyedCopy.item_id == item.id,
        DestroyedCopy.object_id == told.object_id,
        DestroyedCopy.place == told.place,
    )
    row = session.scalar(select(DestroyedCopy).where(*same))
    if row is None:
        row = DestroyedCopy(
            id=new_id(),
            item_id=item.id,
            object_id=told.object_id,
            what=told.what,
            place=told.place,
            ok=False,
            tried_at=clock.now(),
        )
        session.add(row)
    row.ok, row.reason, row.tried_at = told.ok, told.reason[:300], clock.now()


def _finish(rt: Runtime, batch_id: str) -> BatchState:
    with rt.db.write() as session:
        batch = get_batch(session, batch_id)
        if batch.state != BatchState.RUNNING:
            return BatchState(batch.state)
        query = select(DispositionItem.state, func.count()).where(DispositionItem.batch_id == batch_id)
        counts = {str(state): count for state, count in session.execute(query.group_by(DispositionItem.state))}
        if counts.get(ItemState.DEBT):
            batch.state = BatchState.DEBT
        elif not any(counts.get(state) for state in _OPEN_ITEMS):
            batch.state, batch.ended_at = BatchState.DONE, clock.now()
            details: dict[str, JSON] = {"list": batch.list_sha256, **counts}
            custody.record(session, "disposition.done", object_id=batch.id, actor="system", details=details)
        return BatchState(batch.state)


def _stop(rt: Runtime, batch_id: str, error: BodycamError) -> BatchState:
    """Leave the reason and an event of why a batch isn't carried out; one whose approver lost his role ends."""
    _log.error("disposition.stopped", batch=batch_id, code=error.code)
    with rt.db.write() as session:
        batch = get_batch(session, batch_id)
        custody.record(session, "disposition.stopped", object_id=batch_id, actor="system", reason_code=error.code)
        batch.reason = error.text("vi")
        untouched = batch.state == BatchState.COOLING
        if isinstance(error, RoleWithdrawnError) and untouched:
            end(session, batch, BatchState.UNDONE, actor=None, words=error.text("vi"))
        return BatchState(batch.state)

"""What the log knows of its witnesses: their cosignatures, how each stands, and whether a quorum is late."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from bodycam import clock
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import PolicyError
from bodycam.custody.log import Log
from bodycam.custody.models import Cosignature, CustodyEvent, WitnessStanding
from bodycam.custody.policy import NO_QUORUM, Policy, Witness
from bodycam.custody.service import record
from bodycam.custody.witness_client import Answer, check_line
from bodycam.db import Database

LATE, BACK = "witness.quorum_late", "witness.quorum_back"
_MOST_WITNESSES = 100
_KEPT = timedelta(days=30)
OBJECT = "witnesses"  # what the events about all of them are about


def own_policy(log: Log, path: Path) -> Policy:
    """Read the policy of this log.

    Raises:
        PolicyError: it can't be read, isn't one, or doesn't name this log's key.
        LogKeyError: nothing was ever signed.
    """
    policy = Policy.load(path)
    if log.verifier not in policy.logs:
        raise PolicyError(line=0, reason=f"{path} doesn't name this log's key {log.verifier}")
    return policy


def key_of(witness: Witness) -> str:
    """Return how a witness's key is written in the tables: "<name>+<key id>"; a new key is another witness."""
    return f"{witness.cosigner.name}+{witness.cosigner.key_id.hex()}"


def known_size(session: Session, witness: Witness) -> int:
    """Return the largest size this witness cosigned, as far as we know."""
    query = select(func.max(Cosignature.size)).where(Cosignature.witness == key_of(witness))
    return session.scalar(query) or 0


def note_answer(session: Session, witness: Witness, checkpoint: Checkpoint, answer: Answer) -> None:
    """Keep a cosignature that was checked, and how the witness stands; what contradicts the log gets its event."""
    key = key_of(witness)
    if answer.line is not None and answer.signed_at is not None:
        row = Cosignature(
            size=checkpoint.size,
            witness=key,
            line=answer.line,
            signed_at=answer.signed_at,
            received_at=clock.now(),
        )
        session.merge(row)
    standing = session.get(WitnessStanding, key)
    if (standing.trouble if standing else None) == answer.trouble:
        return
    session.merge(WitnessStanding(witness=key, trouble=answer.trouble, since=clock.now()))
    if answer.trouble is not None and answer.trouble.contradicts:
        details = {"witness": witness.cosigner.name, "trouble": answer.trouble.value, "size": checkpoint.size}
        object_id = f"witness:{witness.cosigner.key_id.hex()}"
        record(session, "witness.contradicted", object_id=object_id, actor="system", details=details)


def publish(db: Database, log: Log, policy: Policy, checkpoint: Checkpoint) -> Checkpoint | None:
    """Put together what witnesses signed of a checkpoint; when they are a quorum, publish it as `log/witnessed` and return it.

    An older one, or one with fewer witnesses, never replaces what is published.
    """
    with db.read() as session:
        query = select(Cosignature.witness, Cosignature.line).where(Cosignature.size == checkpoint.size)
        rows = session.execute(query.limit(_MOST_WITNESSES)).all()
    lines = {key: line for key, line in rows}  # noqa: C416  rows are no pairs to the type checker
    # checked again: a row changed meanwhile must not spoil the note
    found = [check_line(each, checkpoint, lines.get(key_of(each), "")) for each in policy.witnesses.values()]
    note = checkpoint.note + "".join(item[0] for item in found if item is not None)
    judged = policy.judge(note)
    if not judged.quorum or not judged.witnesses:
        return None
    current = log.witnessed_checkpoint()
    if current is None or (current.size, len(current.note)) < (checkpoint.size, len(note)):
        log.publish_witnessed(judged.checkpoint)
    return judged.checkpoint


def watch_quorum(db: Database, log: Log, policy: Policy, late: timedelta) -> bool:
    """Say whether an event has waited longer than `late` for a quorum, and record it when that begins or ends."""
    with db.read() as session:
        is_late = quorum_is_late(session, log, policy, late)
        query = select(CustodyEvent.kind).where(CustodyEvent.object_id == OBJECT, CustodyEvent.kind.in_((LATE, BACK)))
        was_late = session.scalar(query.order_by(CustodyEvent.id.desc()).limit(1)) == LATE
    if is_late != was_late:
        with db.write() as session:
            record(session, LATE if is_late else BACK, object_id=OBJECT, actor="system")
    return is_late


def quorum_is_late(session: Session, log: Log, policy: Policy, late: timedelta) -> bool:
    """Say whether the oldest event that no cosigned checkpoint covers is older than `late`."""
    if policy.quorum == NO_QUORUM:
        return False
    witnessed = log.witnessed_checkpoint()
    query = select(CustodyEvent.created_at).where(CustodyEvent.log_index >= (witnessed.size if witnessed else 0))
    oldest = session.scalar(query.order_by(CustodyEvent.log_index).limit(1))
    return oldest is not None and clock.now() - oldest > late


def forget_old(db: Database) -> int:
    """Delete cosignatures older than 30 days, each witness's newest excepted; receipts and `log/witnessed` hold their own."""
    newest = aliased(Cosignature)
    largest = select(func.max(newest.size)).where(newest.witness == Cosignature.witness).scalar_subquery()
    old = delete(Cosignature).where(Cosignature.received_at < clock.now() - _KEPT, Cosignature.size < largest)
    with db.write() as session:
        result = session.execute(old.execution_options(synchronize_session=False))
        return int(getattr(result, "rowcount", 0))


def note_policy(db: Database, path: Path) -> None:
    """Record which policy file is in force when it is another than before: who counts as a witness is itself evidence."""
    digest = sha256(path.read_bytes()).hexdigest()
    kind = "witness.policy_set"
    with db.write() as session:
        query = select(CustodyEvent.body).where(CustodyEvent.object_id == OBJECT, CustodyEvent.kind == kind)
        last = session.scalar(query.order_by(CustodyEvent.id.desc()).limit(1))
        if last is None or digest not in last:
            record(session, kind, object_id=OBJECT, actor="system", details={"policy_sha256": digest})

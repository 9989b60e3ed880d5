"""The one door, in the order that is the promise (EVIDENCE: commit protocol).

`begin` commits an attempt before the first byte and finds it again after a broken try; the bytes go to a spool writer; `finish`
seals them (fsync, re-read, decrypt, compare, link) and only then commits the catalogue row with its custody event: the only
commit point. Nothing here is told "done" before that, and a receipt comes later, when a checkpoint covers the event.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import Database, fold, new_id, nfc
from bodycam.fixity.copies import note_sealed
from bodycam.intake.models import AttemptState, IntakeAttempt
from bodycam.jobs import service as jobs
from bodycam.recordings.models import Kind, Origin, Recording
from bodycam.recordings.names import NameFacts, kind_of
from bodycam.runtime import Runtime
from bodycam.vault.local import SealedObject
from bodycam.vault.spool import Spooled


@dataclass(frozen=True)
class Facts:
    """What the source says of a file; nothing of it is trusted, all of it is kept."""

    origin: Origin
    name: str  # path on the device, or the sender's file name
    actor: str  # "station:…", an account's id, "system"
    camera_id: str | None = None
    officer_id: str | None = None
    unit_id: str | None = None
    visit_id: str | None = None
    device_time_raw: str | None = None  # as the device's file system wrote it
    clock_offset_s: float | None = None  # device minus dock, seconds
    event_flag: bool = False
    quarantine: bool = False
    is_sidecar: bool = False  # its camera's profile says so, whatever its extension
    named: NameFacts | None = None  # what its name says


@dataclass(frozen=True)
class SealedRecording:
    """What `finish` achieved; `duplicate` when the same camera's same bytes had been sealed before."""

    recording_id: str
    sha256: str
    size: int
    event_id: str
    duplicate: bool = False


def begin(db: Database, source_key: str) -> IntakeAttempt:
    """Commit an attempt for this source, or return the open or finished one that an earlier try left."""
    key = _hash(source_key)
    with db.write() as session:
        attempt = session.scalar(select(IntakeAttempt).where(IntakeAttempt.source_key == key))
        if attempt is None:
            attempt = IntakeAttempt(
                id=new_id(), source_key=key, event_id=new_id(), state=AttemptState.OPEN, created_at=clock.now()
            )
            session.add(attempt)
        return attempt


def already_sealed(session: Session, source_key: str) -> Recording | None:
    """Return the recording that this very source was sealed as, or None if it's new."""
    query = select(Recording).join(IntakeAttempt, IntakeAttempt.recording_id == Recording.id)
    return session.scalar(query.where(IntakeAttempt.source_key == _hash(source_key)))


def finish(rt: Runtime, attempt: IntakeAttempt, spooled: Spooled, facts: Facts) -> SealedRecording:
    """Seal what the spool holds and catalogue it; call with no session open, since bytes are re-read here.

    Raises the vault's errors (full, damaged); the spool then stays as it is, and the next try goes on from it.
    """
    known = _same_bytes(rt, attempt.id, spooled, facts)
    if known is not None:
        rt.spool.discard(attempt.id)
        return known
    sealed = rt.vault.seal(spooled, _manifest(attempt, spooled, facts))
    with rt.db.write() as session:
        catalogue(session, sealed, facts, recording_id=attempt.id, event_id=attempt.event_id)
        note_sealed(session, sealed.object_id, sealed.cipher_size, sealed.copies, clock.now())
        row = session.get_one(IntakeAttempt, attempt.id)
        row.state, row.finished_at, row.recording_id = AttemptState.SEALED, clock.now(), attempt.id
    rt.spool.discard(attempt.id)
    return SealedRecording(attempt.id, sealed.sha256, sealed.size, attempt.event_id)


def catalogue(session: Session, sealed: SealedObject, facts: Facts, *, recording_id: str, event_id: str) -> None:
    """Insert a sealed object's recording, its custody event and the job that reads it."""
    now = clock.now()
    name = nfc(facts.name)
    custody.record(
        session,
        "recording.sealed",
        object_id=recording_id,
        actor=facts.actor,
        device=facts.camera_id,
        sha256=sealed.sha256,
        size=sealed.size,
        device_time=facts.device_time_raw,
        details={
            "object": sealed.object_id,
            "origin": facts.origin,
            "visit": facts.visit_id,
            "copies": list(sealed.copies),
        },
        private={"name": name},
        event_id=event_id,
    )
    session.add(
        Recording(
            id=recording_id,
            object_id=sealed.object_id,
            sha256=sealed.sha256,
            size=sealed.size,
            name=name,
            kind=Kind.SIDECAR if facts.is_sidecar else kind_of(name) or Kind.OTHER,
            origin=facts.origin,
            quarantine=facts.quarantine,
            event_flag=facts.event_flag,
            camera_id=facts.camera_id,
            officer_id=facts.officer_id,
            unit_id=facts.unit_id,
            visit_id=facts.visit_id,
            sealed_at=now,
            sealed_event_id=event_id,
            shown_at=now,
            time_raw=facts.device_time_raw,
            clock_offset_s=facts.clock_offset_s,
            said=facts.named.to_json() if facts.named else None,
            folded=fold(name),
        )
    )
    jobs.enqueue(session, "recording.read", {"recording_id": recording_id}, key=f"recording.read:{recording_id}")


def _same_bytes(rt: Runtime, attempt_id: str, spooled: Spooled, facts: Facts) -> SealedRecording | None:
    """Find the same camera's same bytes under the same base name: a camera may show other times after its clock was set.

    Only a copy that still reads back from the vault counts; else what the camera gives now is kept as well.
    """
    if facts.camera_id is None:
        return None
    base = nfc(facts.name).rpartition("/")[2]
    query = select(Recording).where(Recording.camera_id == facts.camera_id, Recording.sha256 == spooled.sha256)
    with rt.db.read() as session:
        found = session.scalars(query.order_by(Recording.id).limit(100)).all()
    for known in found:
        is_same = known.size == spooled.size and known.name.rpartition("/")[2] == base
        if not is_same or not rt.vault.verify(known.object_id).ok:
            continue
        with rt.db.write() as session:
            row = session.get_one(IntakeAttempt, attempt_id)
            row.state, row.finished_at, row.recording_id = AttemptState.DUPLICATE, clock.now(), known.id
            custody.record(session, "intake.duplicate_found", object_id=known.id, actor=facts.actor)
        return SealedRecording(known.id, known.sha256, known.size, known.sealed_event_id, duplicate=True)
    return None


def _manifest(attempt: IntakeAttempt, spooled: Spooled, facts: Facts) -> dict[str, object]:
    """What lies encrypted beside the object, so that footage outlives a lost database."""
    return {
        "recording": attempt.id,
        "event": attempt.event_id,
        "sha256": spooled.sha256,
        "size": spooled.size,
        "name": nfc(facts.name),
        "origin": facts.origin.value,
        "camera": facts.camera_id,
        "officer": facts.officer_id,
        "unit": facts.unit_id,
        "visit": facts.visit_id,
        "device_time": facts.device_time_raw,
        "clock_offset_s": facts.clock_offset_s,
        "attempt_began": _iso(attempt.created_at),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hash(source_key: str) -> str:
    return hashlib.sha256(nfc(source_key).encode()).hexdigest()

"""What remains of a destroyed recording: its row as a stub, its leaf in the log, and the public tombstone.

The salts go, so nobody can confirm any more what the leaf's commitments hid; the leaf and every proof of it stay. Place, plates, track,
findings and names leave the catalogue; camera, officer, unit and time stay, so that a search for that hour says
"destroyed under the schedule" and not "there was nothing".
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.recordings.models import Recording, State, Track
from bodycam.retention.leaves import details_of, time_of
from bodycam.retention.models import DispositionItem, Tombstone
from bodycam.verification.models import VerificationFinding

GONE = "–"


def bury(session: Session, item: DispositionItem, *, details: Mapping[str, JSON], complete_at: datetime) -> Tombstone:
    """Destroy a recording's salts, leave its row as a stub, log the destruction, and set the tombstone."""
    recording = session.get_one(Recording, item.recording_id)
    sealed = session.get_one(CustodyEvent, recording.sealed_event_id)
    custody.destroy_openings(session, recording.id)
    _forget_as_sent(session, recording.object_id)
    told = {**details, "leaf": item.leaf_hash, "index": item.leaf_index}
    event = custody.record(session, "recording.destroyed", object_id=recording.id, actor="system", details=told)
    _blank(session, recording)
    stone = Tombstone(
        leaf_index=item.leaf_index,
        leaf_hash=item.leaf_hash,
        recording_id=recording.id,
        rule=item.rule,
        sealed_at=time_of(sealed),
        due_at=item.due_at,
        destroyed_at=clock.now(),
        complete_at=complete_at,
        event_id=event.id,
    )
    session.add(stone)
    session.flush()
    return stone


def _forget_as_sent(session: Session, object_id: str) -> None:
    """Destroy the salt of the event by which a citizen's file was sealed: it stands under the report, which stays."""
    query = select(CustodyEvent).where(
        CustodyEvent.kind == "submission.file_sealed",
        CustodyEvent.openings.is_not(None),
        CustodyEvent.body.contains(object_id, autoescape=True),
    )
    for event in session.scalars(query):
        if details_of(event).get("object") == object_id:
            event.openings = None
            session.execute(delete(Receipt).where(Receipt.event_id == event.id))  # issued again without what it opened
            custody.record(
                session, "openings.destroyed", object_id=event.object_id, actor="system", details={"events": 1}
            )


def _blank(session: Session, recording: Recording) -> None:
    recording.state = State.DESTROYED
    recording.name, recording.folded, recording.media = GONE, "", "{}"
    recording.lat = recording.lon = recording.place = recording.time_raw = recording.said = None
    recording.device_make = recording.device_model = None
    recording.plates.clear()
    session.flush()
    for table in (Track, VerificationFinding):
        session.execute(delete(table).where(table.recording_id == recording.id))

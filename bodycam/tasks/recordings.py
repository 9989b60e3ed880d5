"""Jobs of recordings: read, check anew, make the pictures, propose for cases."""

import json

from bodycam.cases import matching
from bodycam.media.info import info_from_json
from bodycam.recordings import renditions
from bodycam.recordings.models import Recording, State
from bodycam.retention import negatives
from bodycam.runtime import Runtime
from bodycam.verification.examine import examine


def read(rt: Runtime, recording_id: str) -> None:
    """Read and check a newly sealed recording."""
    examine(rt, recording_id)


def recheck(rt: Runtime, recording_id: str) -> None:
    """Read the sealed bytes from the disk again, and check anew; what a disposition destroyed is left alone."""
    with rt.db.read() as session:
        if session.get_one(Recording, recording_id).state == State.DESTROYED:
            return
    examine(rt, recording_id, reread=True)


def render(rt: Runtime, recording_id: str) -> None:
    """Make the pictures and the viewing copy that are missing."""
    with rt.db.read() as session:
        media = json.loads(session.get_one(Recording, recording_id).media)
    if media:
        renditions.make(rt, recording_id, info_from_json(media))


def match(rt: Runtime, recording_id: str) -> None:
    """Propose a recording for the cases it may belong to, and reopen the negatives it speaks against."""
    with rt.db.write() as session:
        matching.match_recording(session, recording_id)
        negatives.appeared(session, recording_id)

"""The one table of jobs: name -> function of (runtime, **ids). Each is a few lines; the logic lies in the slices."""

import json
from collections.abc import Callable, Mapping
from functools import partial

from bodycam.cases import matching
from bodycam.jobs.service import Handler
from bodycam.media.info import info_from_json
from bodycam.recordings import renditions
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from bodycam.tasks import petitions, vault
from bodycam.verification.examine import examine


def read(rt: Runtime, recording_id: str) -> None:
    """Read and check a newly sealed recording."""
    examine(rt, recording_id)


def recheck(rt: Runtime, recording_id: str) -> None:
    """Read the sealed bytes from the disk again, and check anew."""
    examine(rt, recording_id, reread=True)


def render(rt: Runtime, recording_id: str) -> None:
    """Make the pictures and the viewing copy that are missing."""
    with rt.db.read() as session:
        media = json.loads(session.get_one(Recording, recording_id).media)
    if media:
        renditions.make(rt, recording_id, info_from_json(media))


def match(rt: Runtime, recording_id: str) -> None:
    """Propose a recording for the cases it may belong to."""
    with rt.db.write() as session:
        matching.match_recording(session, recording_id)


def match_case(rt: Runtime, case_id: str) -> None:
    """Propose recordings for a case."""
    with rt.db.write() as session:
        matching.match_case(session, case_id)


HANDLERS: dict[str, Callable[..., None]] = {
    "recording.read": read,
    "recording.recheck": recheck,
    "recording.render": render,
    "recording.match": match,
    "case.match": match_case,
    "submission.adopt_file": petitions.adopt_file,
    "submission.seal_file": petitions.seal_file,
    "vault.scrub": vault.scrub,
}


def bind(rt: Runtime) -> Mapping[str, Handler]:
    """Return the handlers with the runtime filled in, as `jobs.service` takes them."""
    return {name: partial(function, rt) for name, function in HANDLERS.items()}

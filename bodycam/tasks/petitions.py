"""Jobs of citizens' reports: sealing, and the core's taking over of what the public side sealed.

The name that the sender's device gave a file stays encrypted with the report: it may say who he is. The catalogue keeps only
its ending.
"""

from pathlib import PurePosixPath

from bodycam.db import new_id
from bodycam.intake.service import Facts, catalogue
from bodycam.petitions import holding, sealing, service, uploads
from bodycam.petitions.models import Submission, SubmissionFile
from bodycam.recordings.models import Origin
from bodycam.runtime import Runtime
from bodycam.vault.local import SealedObject

_MOST_ENDING = 10


def seal_file(rt: Runtime, file_id: str) -> None:
    """Seal a complete file of a received report."""
    sealing.seal_file(rt, file_id)


def adopt_file(rt: Runtime, file_id: str) -> None:
    """Catalogue a sealed file as a recording of origin "citizen", once; it is read and checked like any other."""
    with rt.db.write() as session:
        file = session.get_one(SubmissionFile, file_id)
        if file.recording_id is not None or file.object_id is None or file.sha256 is None:
            return
        sealed = SealedObject(object_id=file.object_id, sha256=file.sha256, size=file.size, cipher_size=0)
        name = file.id + PurePosixPath(uploads.name_of(session, rt.keyring, file)).suffix.lower()[:_MOST_ENDING]
        file.recording_id = new_id()
        facts = Facts(origin=Origin.CITIZEN, name=name, actor="system")
        catalogue(session, sealed, facts, recording_id=file.recording_id, event_id=new_id())
        holding.hold_file(session, session.get_one(Submission, file.submission_id), file.recording_id)


def hold(rt: Runtime, submission_id: str) -> None:
    """Hold the official footage of a received report's time and place, and nobody in the accused's line sees it."""
    with rt.db.write() as session:
        submission = session.get_one(Submission, submission_id)
        holding.hold_for(session, submission, service.content_of(rt.keyring, submission))


def tidy(rt: Runtime) -> None:
    """Give up uploads and drafts that rest too long."""
    sealing.tidy(rt)

"""Which tables repeat what the log says: an administrator who changes one is seen by `bodycam log verify`."""

from bodycam.custody.catalogues import Catalogue
from bodycam.petitions.models import SubmissionFile
from bodycam.recordings.models import Recording, Rendition

CATALOGUES = (
    Catalogue(
        "recording.sealed",
        Recording.id,
        {
            "object": Recording.object_id,
            "sha256": Recording.sha256,
            "size": Recording.size,
            "name": Recording.name,
            "device": Recording.camera_id,
            "origin": Recording.origin,
            "visit": Recording.visit_id,
        },
    ),
    Catalogue("recording.read", Recording.id, {"officer": Recording.officer_id}, is_listed=False),
    Catalogue("recording.checked", Recording.id, {"verdict": Recording.verdict}, is_listed=False),
    Catalogue(
        "recording.rendered",
        Rendition.recording_id,
        {"object": Rendition.object_id, "sha256": Rendition.sha256, "size": Rendition.size, "kind": Rendition.kind},
    ),
    Catalogue(
        "submission.file_sealed",
        SubmissionFile.submission_id,
        {"object": SubmissionFile.object_id, "sha256": SubmissionFile.sha256, "size": SubmissionFile.size},
    ),
)

"""Where a citizen's uploads go: into the spool, for the report of his session."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bodycam.petitions import sealing, uploads
from bodycam.petitions.models import FileState, SubmissionFile
from webui.common.base import runtime
from webui.common.door import Upload, Writer
from webui.public import visitor


class CitizenDoor:
    """The door of the public application; every method acts for the current request's session."""

    @property
    def most_bytes(self) -> int:
        """The largest file."""
        return runtime().settings.public.max_upload_bytes

    def create(self, size: int, metadata: Mapping[str, str], raw: str) -> Upload:
        """Begin an upload; the browser's own hash comes as `sha256` in the metadata."""
        rt = runtime()
        submission_id = visitor.required()
        sealing.tidy(rt)  # whoever comes makes room: no clock is needed where the portal runs alone
        with rt.db.write() as session:
            file = uploads.create(
                session, rt.keyring, rt.settings, submission_id, size=size, metadata=raw, sha256=metadata.get("sha256")
            )
        return _told(file)

    def find(self, upload_id: str) -> Upload:
        """Return where an upload stands."""
        rt = runtime()
        with rt.db.read() as session:
            file = uploads.find(session, visitor.required(), upload_id)
            return _told(file, uploads.metadata_of(session, rt.keyring, file))

    @contextmanager
    def writing(self, upload_id: str, offset: int) -> Iterator[Writer]:
        """Open an upload to go on."""
        rt = runtime()
        with uploads.writing(rt.db, rt.spool, rt.settings, visitor.required(), upload_id, offset) as writer:
            yield writer

    def remove(self, upload_id: str) -> None:
        """Take an upload back and drop what came of it."""
        rt = runtime()
        submission_id = visitor.required()
        with rt.db.write() as session:
            uploads.remove(session, submission_id, upload_id)
        sealing.drop(rt, [upload_id])


def _told(file: SubmissionFile, metadata: str = "") -> Upload:
    expires_at = file.expires_at if file.state == FileState.RECEIVING else None
    return Upload(file.id, file.size, file.offset, expires_at, metadata)

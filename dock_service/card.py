"""What lies on one camera's card in one visit: kept for the next docking, and compared with the last."""

from collections.abc import Sequence
from threading import Lock

from bodycam import custody
from bodycam.clock import local
from bodycam.db import Database
from bodycam.recordings.models import CameraFile as Row
from bodycam.recordings.on_camera import Seen, note_gone, note_sealed, note_seen
from bodycam.wipes.execution import settle_begun
from dock_service.cameras.camera import CameraFile
from dock_service.errors import FilesGoneError, VisitNoteError
from dock_service.remarks import remarks_on
from dock_service.visit import Visit

_NAMED = 100  # files an event names; a leaf has its limit


class Card:
    """The files one visit saw; safe for the threads that seal."""

    def __init__(self, db: Database, visit: Visit) -> None:
        """Begin with nothing seen."""
        self._db = db
        self._visit = visit
        self._offsets: dict[Seen, float | None] = {}
        self._sealed: dict[Seen, str] = {}
        self._files: list[CameraFile] = []  # as listed last
        self._new: set[str] = set()  # paths never sealed before this visit
        self._lock = Lock()

    def saw(self, files: Sequence[CameraFile]) -> None:
        """Keep what a listing shows, with the clock's offset that its times are to be read by."""
        self._files = list(files)
        with self._db.write() as session:
            self._offsets |= note_seen(
                session,
                camera_id=self._visit.camera_id,
                visit_id=self._visit.id,
                files=[_seen(file) for file in files],
                offset_s=self._visit.offset_s,
            )

    def offset_of(self, file: CameraFile) -> float | None:
        """Return the clock's offset, camera minus dock in seconds, at the docking at which the file was first seen."""
        return self._offsets.get(_seen(file), self._visit.offset_s)

    def sealed(self, file: CameraFile, recording_id: str, *, is_new: bool) -> None:
        """Learn which recording a file is, and whether this visit brought it."""
        with self._lock:
            self._sealed[_seen(file)] = recording_id
            if is_new:
                self._new.add(file.path)

    def close(self, visit: Visit) -> list[VisitNoteError]:
        """Keep which file is which recording, and what is gone since the last visit; returns what is to be said of it.

        `visit` is as it is known by now: the card may have told its profile.
        """
        with self._db.write() as session:
            note_sealed(session, camera_id=self._visit.camera_id, recordings=self._sealed)
            settle_begun(
                session, self._visit.camera_id, actor=self._visit.place.actor, visit_id=self._visit.id
            )  # else what we deleted would be called missing
            remarks = remarks_on(session, visit, self._files, self._new, self.offset_of)
            gone = note_gone(session, camera_id=self._visit.camera_id, visit_id=self._visit.id)
            if not gone:
                return remarks
            unsaved = [row for row in gone if row.recording_id is None]
            custody.record(
                session,
                "camera.files_missing",
                object_id=self._visit.camera_id,
                actor=self._visit.place.actor,
                device=self._visit.camera_id,
                details={
                    "visit": self._visit.id,
                    "files": len(gone),
                    "unsaved": len(unsaved),
                    "bytes": sum(row.size for row in gone),
                    "last_seen": max(row.last_seen_at for row in gone).isoformat(timespec="seconds"),
                    "unsaved_files": [row.id for row in unsaved[:_NAMED]],
                },
            )
        return [_missing(gone, len(unsaved)), *remarks]


def _missing(gone: Sequence[Row], unsaved: int) -> FilesGoneError:
    times = sorted(row.modified_raw for row in gone if row.modified_raw)
    seen = local(max(row.last_seen_at for row in gone)).strftime("%d/%m/%Y %H:%M")
    first, last = (times[0], times[-1]) if times else ("?", "?")
    return FilesGoneError(files=len(gone), unsaved=unsaved, first=first, last=last, seen=seen)


def _seen(file: CameraFile) -> Seen:
    return Seen(file.path, file.size, file.modified_raw)

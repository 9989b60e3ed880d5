"""What lies on a camera's card, docking by docking: seen, sealed as which recording, gone without our doing, wiped.

A file is the same one at the next docking while path, size and time written are the same. The clock's offset is kept from the
docking at which a file was first seen, since the dock may set the clock afterwards. A file that is gone accuses nobody: most
cameras overwrite their oldest files when the card is full.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.db import new_id
from bodycam.fleet.models import Camera, DockingVisit, VisitState
from bodycam.people.scope import Scope
from bodycam.recordings.models import CameraFile, CameraFileState

_AT_ONCE = 400  # rows a statement, below every database's limit of parameters
_LONGEST = 1000
_T = TypeVar("_T")


@dataclass(frozen=True)
class Seen:
    """A file as a camera lists it: its path there, size in bytes and the time written as raw text."""

    path: str
    size: int
    modified_raw: str

    @property
    def key(self) -> "Seen":
        """Return what it is stored as."""
        return Seen(self.path[-_LONGEST:], self.size, self.modified_raw[:100])


@dataclass(frozen=True)
class Waiting:
    """Files seen on a camera that is away, whose recordings never came: how many, their bytes, and when it was last docked."""

    camera: Camera
    files: int
    size: int
    last_seen_at: datetime


def note_seen(
    session: Session, *, camera_id: str, visit_id: str, files: Sequence[Seen], offset_s: float | None
) -> dict[Seen, float | None]:
    """Keep what a camera lists in a visit; returns, by file, the clock's offset (s) to read its time with.

    `offset_s` is today's, camera minus dock, for files never seen before.
    """
    keys = {file.key: file for file in files}
    known = {_key_of(row): row for row in _rows(session, camera_id, [key.path for key in keys])}
    moment = now()
    again = [known[key].id for key in keys if key in known]
    for ids in _parts(again):
        session.execute(
            update(CameraFile)
            .where(CameraFile.id.in_(ids))
            .values(state=CameraFileState.ON_CAMERA.value, last_seen_at=moment, last_visit_id=visit_id, ended_at=None)
        )
    fresh = [
        {
            "id": new_id(),
            "camera_id": camera_id,
            "path": key.path,
            "size": key.size,
            "modified_raw": key.modified_raw,
            "state": CameraFileState.ON_CAMERA.value,
            "first_seen_at": moment,
            "last_seen_at": moment,
            "last_visit_id": visit_id,
            "clock_offset_s": offset_s,
        }
        for key in keys
        if key not in known
    ]
    for rows in _parts(fresh):
        session.execute(insert(CameraFile), rows)
    return {file: known[key].clock_offset_s if key in known else offset_s for key, file in keys.items()}


def note_sealed(session: Session, *, camera_id: str, recordings: Mapping[Seen, str]) -> None:
    """Keep which recording each file was sealed as."""
    keys = {file.key: recording_id for file, recording_id in recordings.items()}
    for row in _rows(session, camera_id, [key.path for key in keys]):
        recording_id = keys.get(_key_of(row))
        if recording_id is not None and row.recording_id != recording_id:
            session.execute(update(CameraFile).where(CameraFile.id == row.id).values(recording_id=recording_id))


def note_gone(session: Session, *, camera_id: str, visit_id: str) -> list[CameraFile]:
    """Mark as gone what lay on the camera at an earlier visit and was not listed in this one; returns those, oldest first.

    A path that is still there with another size or time was written on or anew: it is ended, but not returned.
    """
    here = (CameraFile.camera_id == camera_id, CameraFile.state == CameraFileState.ON_CAMERA)
    query = select(CameraFile).where(*here, CameraFile.last_visit_id.is_distinct_from(visit_id))
    missing = list(session.scalars(query.order_by(CameraFile.id)))
    if not missing:
        return []
    paths = set(session.scalars(select(CameraFile.path).where(*here, CameraFile.last_visit_id == visit_id)))
    for rows in _parts(missing):
        session.execute(
            update(CameraFile)
            .where(CameraFile.id.in_([row.id for row in rows]))
            .values(state=CameraFileState.GONE.value, ended_at=now())
        )
    return [row for row in missing if row.path not in paths]


def waiting_on_cameras(session: Session, scope: Scope, *, limit: int = 100) -> list[Waiting]:
    """Return the cameras that are away and on which files were seen that were never sealed, those away longest first."""
    query = (
        select(Camera, func.count(), func.sum(CameraFile.size), func.max(CameraFile.last_seen_at))
        .join(Camera, Camera.id == CameraFile.camera_id)
        .where(
            CameraFile.state == CameraFileState.ON_CAMERA,
            CameraFile.recording_id.is_(None),
            ~exists().where(DockingVisit.camera_id == Camera.id, DockingVisit.state == VisitState.OPEN),
            scope.condition(Camera.unit_id),
        )
        .group_by(Camera.id)
        .order_by(func.max(CameraFile.last_seen_at), Camera.id)
        .limit(limit)
    )
    return [Waiting(camera, files, int(size), seen) for camera, files, size, seen in session.execute(query)]


def _key_of(row: CameraFile) -> Seen:
    return Seen(row.path, row.size, row.modified_raw)


def _rows(session: Session, camera_id: str, paths: Sequence[str]) -> Iterator[CameraFile]:
    for part in _parts(sorted(set(paths))):
        yield from session.scalars(
            select(CameraFile).where(CameraFile.camera_id == camera_id, CameraFile.path.in_(part))
        )


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]

"""What a camera's file names say that doesn't fit: missing numbers, another camera, another officer. Remarks, never accusations."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.fleet.models import Camera
from bodycam.fleet.service import issued_to
from bodycam.recordings.models import CameraFile as Row
from dock_service.cameras.camera import CameraFile
from dock_service.errors import FilesMissingError, OtherCameraNamedError, OtherOfficerNamedError, VisitNoteError
from dock_service.profiles import FileName, Profile, gaps, other_cameras, other_officers
from dock_service.visit import Visit, recorded_at

_KNOWN = 3000  # files of earlier dockings that fill a run
_TOLD = 10  # remarks of one kind a visit keeps


def remarks_on(session: Session, visit: Visit, files: Sequence[CameraFile], new: set[str]) -> list[VisitNoteError]:
    """Return what is to be said of a card's files, as far as it concerns the paths in `new`; gaps are events, too."""
    names = _names(visit.profile, files)
    fresh = [name for name in names if name.path in new]
    if not fresh:
        return []
    return [*_gaps(session, visit, names, new), *_cameras(session, visit, fresh), *_officers(session, visit, fresh)]


def _names(profile: Profile, files: Sequence[CameraFile]) -> list[FileName]:
    read = ((profile.read_name(file.path), file.modified) for file in files if profile.is_recording(file.path))
    return [said if said.start else replace(said, start=written) for said, written in read if said is not None]


def _gaps(session: Session, visit: Visit, names: Sequence[FileName], new: set[str]) -> list[VisitNoteError]:
    """Tell a gap once: at the docking that brought a file beside it."""
    query = select(Row.path).where(Row.camera_id == visit.camera_id, Row.recording_id.is_not(None))
    earlier = session.scalars(query.order_by(Row.id.desc()).limit(_KNOWN))
    known = [said for path in earlier if (said := visit.profile.read_name(path)) is not None]
    found = gaps(names, known, overwrites=visit.profile.recorder.overwrites)
    here = [gap for gap in found if gap.after.path in new or gap.before.path in new]
    for gap in here[:_TOLD]:
        custody.record(
            session,
            "camera.sequence_gap",
            object_id=visit.camera_id,
            actor=visit.place.actor,
            device=visit.serial,
            details={
                "visit": visit.id,
                "kind": gap.kind.value,
                "first": gap.first,
                "last": gap.last,
                "count": gap.count,
                "since": gap.since.isoformat() if gap.since else None,
                "until": gap.until.isoformat() if gap.until else None,
            },
            private={"after": gap.after.path, "before": gap.before.path},
        )
    return [FilesMissingError(vi=gap.vi, en=gap.en) for gap in here[:_TOLD]]


def _cameras(session: Session, visit: Visit, fresh: Sequence[FileName]) -> list[VisitNoteError]:
    camera = session.get_one(Camera, visit.camera_id)
    found = other_cameras(fresh, [visit.serial, camera.label or ""])
    return [
        OtherCameraNamedError(path=one.paths[0], count=len(one.paths), named=one.named, booked=one.booked)
        for one in found[:_TOLD]
    ]


def _officers(session: Session, visit: Visit, fresh: Sequence[FileName]) -> list[VisitNoteError]:
    named = [name for name in fresh if name.officer and name.start is not None]
    held: list[tuple[FileName, str | None]] = []
    for name in named[:_KNOWN]:
        assert name.start is not None
        officer = issued_to(session, visit.camera_id, recorded_at(name.start, visit.offset_s))
        held.append((name, officer.number if officer else None))
    return [
        OtherOfficerNamedError(path=one.paths[0], count=len(one.paths), named=one.named, booked=one.booked)
        for one in other_officers(held)[:_TOLD]
    ]

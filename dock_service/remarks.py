"""What a camera's file names say that doesn't fit: missing numbers, silent times, another camera or officer. Remarks, never accusations.

Times are told by the dock's clock: each file's by the offset measured at the docking at which it was first seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.fleet.models import Camera
from bodycam.fleet.service import issued_to
from bodycam.recordings.models import CameraFile as Row
from dock_service.cameras.camera import CameraFile
from dock_service.errors import (
    FilesMissingError,
    OtherCameraNamedError,
    OtherOfficerNamedError,
    OtherOfficerSetError,
    SilentTimeError,
    VisitNoteError,
)
from dock_service.profiles import FileName, Gap, Profile, gaps, other_cameras, other_officers, silences
from dock_service.profiles.notes import is_same, says_something
from dock_service.visit import Visit, recorded_at

_KNOWN = 3000  # files of earlier dockings that fill a run
_TOLD = 10  # remarks of one kind a visit keeps


def remarks_on(
    session: Session,
    visit: Visit,
    files: Sequence[CameraFile],
    new: set[str],
    offset_of: Callable[[CameraFile], float | None],
) -> list[VisitNoteError]:
    """Return what is to be said of a card's files, as far as it concerns the paths in `new`; gaps are events, too."""
    names = _names(visit.profile, files, offset_of)
    fresh = [name for name in names if name.path in new]
    if not fresh:
        return []
    known = _known(session, visit)
    earlier = [name for name in known if name.path not in new]
    return [
        *_gaps(session, visit, names, known, new),
        *_cameras(session, visit, fresh, earlier),
        *_officers(session, visit, fresh),
        *_setting(visit),
    ]


def _names(
    profile: Profile, files: Sequence[CameraFile], offset_of: Callable[[CameraFile], float | None]
) -> list[FileName]:
    read = [(profile.read_name(file.path), file) for file in files if profile.is_recording(file.path)]
    return [_at(said, said.start or file.modified, offset_of(file)) for said, file in read if said is not None]


def _at(said: FileName, start: datetime | None, offset_s: float | None) -> FileName:
    return replace(said, start=recorded_at(start, offset_s) if start else None)


def _known(session: Session, visit: Visit) -> list[FileName]:
    """Return what the names of this camera's sealed files say, there still or gone."""
    query = select(Row.path, Row.clock_offset_s).where(Row.camera_id == visit.camera_id, Row.recording_id.is_not(None))
    rows = session.execute(query.order_by(Row.id.desc()).limit(_KNOWN)).all()
    read = [(visit.profile.read_name(row.path), row.clock_offset_s) for row in rows]
    return [_at(said, said.start, offset_s) for said, offset_s in read if said is not None]


def _silence(visit: Visit, names: Sequence[FileName], new: set[str]) -> list[VisitNoteError]:
    """Tell the times without a file in one remark: how many, and the longest."""
    if visit.profile.segment_s is None:
        return []
    timed = [name for name in names if name.start_raw]
    found = [gap for gap in silences(timed, visit.profile.segment_s) if gap.before.path in new]
    if not found:
        return []
    longest = max(found, key=lambda gap: gap.minutes)
    if len(found) == 1:
        return [SilentTimeError(vi=longest.vi, en=longest.en)]
    vi = f"{len(found)} khoảng không có tệp, dài nhất: {longest.vi}"
    en = f"{len(found)} times without a file, the longest: {longest.en}"
    return [SilentTimeError(vi=vi, en=en)]


def _gaps(
    session: Session, visit: Visit, names: Sequence[FileName], known: Sequence[FileName], new: set[str]
) -> list[VisitNoteError]:
    """Tell a gap once: at the docking that brought a file beside it."""
    found = gaps(names, known, overwrites=visit.profile.recorder.overwrites)
    here = [gap for gap in found if gap.after.path in new or gap.before.path in new]
    _keep(session, visit, here[:_TOLD])
    return [*(FilesMissingError(vi=gap.vi, en=gap.en) for gap in here[:_TOLD]), *_silence(visit, names, new)]


def _keep(session: Session, visit: Visit, found: Sequence[Gap]) -> None:
    for gap in found:
        custody.record(
            session,
            "camera.sequence_gap",
            object_id=visit.camera_id,
            actor=visit.place.actor,
            device=visit.camera_id,
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


def _cameras(
    session: Session, visit: Visit, fresh: Sequence[FileName], earlier: Sequence[FileName]
) -> list[VisitNoteError]:
    camera = session.get_one(Camera, visit.camera_id)
    found = other_cameras(fresh, [visit.serial, camera.label or ""], earlier)
    return [
        OtherCameraNamedError(path=one.paths[0], count=len(one.paths), named=one.named, booked=one.booked)
        for one in found[:_TOLD]
    ]


def _setting(visit: Visit) -> list[VisitNoteError]:
    number = visit.officer_set
    if not number or not visit.number or not says_something(number) or is_same(number, visit.number):
        return []
    return [OtherOfficerSetError(named=number, booked=visit.number)]


def _officers(session: Session, visit: Visit, fresh: Sequence[FileName]) -> list[VisitNoteError]:
    named = [name for name in fresh if name.officer and name.start is not None]
    held: list[tuple[FileName, str | None]] = []
    for name in named[:_KNOWN]:
        assert name.start is not None
        officer = issued_to(session, visit.camera_id, name.start)
        held.append((name, officer.number if officer else None))
    return [
        OtherOfficerNamedError(path=one.paths[0], count=len(one.paths), named=one.named, booked=one.booked)
        for one in other_officers(held)[:_TOLD]
    ]

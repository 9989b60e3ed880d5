"""Cameras: registered, issued to officers over time, and found again when they dock.

A camera nobody registered is let in, into quarantine: what it holds is saved, and somebody decides later. Issues of one
camera never overlap; each ends when the next begins.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import local, now
from bodycam.db import new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.fleet.errors import CameraTakenError, IssueOverlapError
from bodycam.fleet.models import Camera, CameraIssue, CameraState
from bodycam.people.models import Officer
from bodycam.people.scope import Scope

MAX_SERIAL = 100


def serial_form(text: str) -> str:
    """Return a serial as it is stored and compared: NFC, trimmed, upper case."""
    return nfc(text).strip().upper()[:MAX_SERIAL]


def register_camera(
    session: Session,
    *,
    serial: str,
    label: str | None = None,
    unit_id: str | None = None,
    profile: str | None = None,
    state: CameraState = CameraState.IN_SERVICE,
    actor: str | None = None,
) -> Camera:
    """Add a camera; raises `CameraTakenError` when its serial or label is another's."""
    serial = serial_form(serial)
    label = nfc(label).strip() or None if label else None
    if not serial:
        raise InvalidInputError(field="serial", reason="a camera needs a serial", reason_vi="máy cần có số máy")
    if camera_for(session, serial):
        raise CameraTakenError(what_vi="số máy", what_en="the serial", name=serial)
    check_label(session, label)
    camera = Camera(id=new_id(), serial=serial, label=label, unit_id=unit_id, profile=profile, state=state.value)
    session.add(camera)
    session.flush()
    custody.record(
        session,
        "camera.registered",
        object_id=camera.id,
        actor=actor,
        device=camera.id,
        details={"state": state.value, "unit": unit_id},
        private={"serial": serial},
    )
    return camera


def register_unknown_camera(
    session: Session, *, serial: str, profile: str | None = None, unit_id: str | None = None
) -> Camera:
    """Add a camera that docked without being registered; it is quarantined, in the station's unit if it has one."""
    return register_camera(
        session,
        serial=serial,
        profile=profile,
        unit_id=unit_id,
        state=CameraState.QUARANTINED,
        actor="system",
    )


def camera_for(session: Session, serial: str) -> Camera | None:
    """Return the camera that names itself by this serial."""
    return session.scalar(select(Camera).where(Camera.serial == serial_form(serial)))


def camera_by_label(session: Session, label: str) -> Camera | None:
    """Return the camera with this label, such as BWC-0412."""
    return session.scalar(select(Camera).where(Camera.label == nfc(label).strip()))


def check_label(session: Session, label: str | None, camera_id: str | None = None) -> None:
    """Raise `CameraTakenError` when another camera has this label."""
    other = camera_by_label(session, label) if label else None
    if other is not None and other.id != camera_id:
        raise CameraTakenError(what_vi="mã máy", what_en="the label", name=label)


def get_camera(session: Session, camera_id: str) -> Camera:
    """Return a camera or raise `NotFoundError`."""
    camera = session.get(Camera, camera_id)
    if camera is None:
        raise NotFoundError(what="camera")
    return camera


def change_event(session: Session, camera: Camera, actor: str | None) -> None:
    """Record that a camera's entry was changed, with what it is now."""
    custody.record(
        session,
        "camera.changed",
        object_id=camera.id,
        actor=actor,
        device=camera.id,
        details={"state": camera.state, "unit": camera.unit_id},
        private={"serial": camera.serial},
    )


def issue_camera(
    session: Session, camera_id: str, officer_id: str, *, starts_at: datetime, actor: str | None = None
) -> CameraIssue:
    """Put a camera into an officer's hands from a moment on; whoever had it had it until then.

    Raises:
        IssueOverlapError: an issue begins at that moment or later.
    """
    camera = get_camera(session, camera_id)
    later = select(CameraIssue).where(CameraIssue.camera_id == camera_id, CameraIssue.starts_at >= starts_at)
    blocking = session.scalar(later.order_by(CameraIssue.starts_at).limit(1))
    if blocking is not None:
        since = local(blocking.starts_at).strftime("%d/%m/%Y %H:%M")
        raise IssueOverlapError(camera=camera.label or camera.serial, since=since)
    holding = issue_at(session, camera_id, starts_at)
    if holding is not None:
        holding.ends_at = starts_at
    issue = CameraIssue(id=new_id(), camera_id=camera_id, officer_id=officer_id, starts_at=starts_at)
    session.add(issue)
    session.flush()
    details = {"officer": officer_id, "from": starts_at.isoformat()}
    custody.record(session, "camera.issued", object_id=camera_id, actor=actor, device=camera.id, details=details)
    return issue


def return_camera(session: Session, camera_id: str, *, ends_at: datetime, actor: str | None = None) -> None:
    """Take a camera back; nothing happens when nobody holds it."""
    holding = issue_at(session, camera_id, ends_at)
    if holding is None:
        return
    holding.ends_at = ends_at
    details = {"officer": holding.officer_id}
    custody.record(session, "camera.returned", object_id=camera_id, actor=actor, details=details)


def issue_at(session: Session, camera_id: str, at: datetime) -> CameraIssue | None:
    """Return the issue of a camera that covers a moment."""
    query = select(CameraIssue).where(
        CameraIssue.camera_id == camera_id,
        CameraIssue.starts_at <= at,
        or_(CameraIssue.ends_at.is_(None), CameraIssue.ends_at > at),
    )
    return session.scalar(query.order_by(CameraIssue.starts_at.desc()).limit(1))


def issued_to(session: Session, camera_id: str, at: datetime) -> Officer | None:
    """Return the officer who held a camera at a moment."""
    issue = issue_at(session, camera_id, at)
    return session.get(Officer, issue.officer_id) if issue else None


def list_cameras(session: Session, scope: Scope, *, after: str | None = None, limit: int = 100) -> list[Camera]:
    """Return the cameras of a scope by id (the order they were registered), the page after an id."""
    query = select(Camera).where(scope.condition(Camera.unit_id)).order_by(Camera.id).limit(limit)
    return list(session.scalars(query.where(Camera.id > after) if after else query))


def unknown_cameras(session: Session, scope: Scope, *, limit: int = 50) -> list[Camera]:
    """Return the cameras that docked without being registered and that nobody decided on yet, the latest docked first."""
    query = select(Camera).where(Camera.state == CameraState.QUARANTINED, scope.condition(Camera.unit_id))
    return list(session.scalars(query.order_by(Camera.last_docked_at.desc().nulls_last(), Camera.id).limit(limit)))


def cameras_overdue(
    session: Session, scope: Scope, *, hours: int, at: datetime | None = None, limit: int = 200
) -> list[tuple[Camera, Officer, datetime]]:
    """Return issued cameras that didn't come to the dock within the allowed hours, longest missing first.

    Each comes with its holder and since when it is missed: its last docking or, when later or when it never docked, the
    moment it was issued. `at` is UTC, by default now.
    """
    moment = at or now()
    limit_at = moment - timedelta(hours=hours)
    query = (
        select(Camera, Officer, CameraIssue.starts_at)
        .join(CameraIssue, CameraIssue.camera_id == Camera.id)
        .join(Officer, Officer.id == CameraIssue.officer_id)
        .where(
            Camera.state == CameraState.IN_SERVICE,
            or_(Camera.last_docked_at.is_(None), Camera.last_docked_at < limit_at),
            CameraIssue.starts_at < limit_at,
            or_(CameraIssue.ends_at.is_(None), CameraIssue.ends_at > moment),
            scope.condition(Camera.unit_id, CameraIssue.officer_id),
        )
        .order_by(Camera.last_docked_at.asc().nulls_first(), Camera.id)
        .limit(limit)
    )
    rows = [
        (camera, officer, max(issued, camera.last_docked_at or issued))
        for camera, officer, issued in session.execute(query)
    ]
    return sorted(rows, key=lambda row: (row[2], row[0].id))

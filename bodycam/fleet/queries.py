"""What pages ask of the fleet: who holds what now (one query for a page, never one a row), and a camera's visits."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.fleet.models import Camera, CameraIssue, DockingVisit, StationCommand
from bodycam.people.models import Officer


def holders_of(session: Session, camera_ids: Sequence[str], at: datetime) -> dict[str, tuple[Officer, datetime]]:
    """Return, by camera id, who held each camera at a moment (UTC) and since when; cameras in nobody's hands are left out."""
    query = (
        select(CameraIssue.camera_id, Officer, CameraIssue.starts_at)
        .join(Officer, Officer.id == CameraIssue.officer_id)
        .where(
            CameraIssue.camera_id.in_(camera_ids),
            CameraIssue.starts_at <= at,
            or_(CameraIssue.ends_at.is_(None), CameraIssue.ends_at > at),
        )
        .order_by(CameraIssue.starts_at)
        .limit(len(camera_ids) * 2)  # issues of one camera never overlap; twice is room to spare
    )
    return {camera_id: (officer, since) for camera_id, officer, since in session.execute(query)}


def cameras_of(session: Session, officer_id: str, *, limit: int = 50) -> list[tuple[Camera, datetime]]:
    """Return the cameras an officer holds now and since when (UTC), longest first."""
    moment = now()
    query = (
        select(Camera, CameraIssue.starts_at)
        .join(CameraIssue, CameraIssue.camera_id == Camera.id)
        .where(
            CameraIssue.officer_id == officer_id,
            CameraIssue.starts_at <= moment,
            or_(CameraIssue.ends_at.is_(None), CameraIssue.ends_at > moment),
        )
        .order_by(CameraIssue.starts_at, Camera.id)
        .limit(limit)
    )
    return [(camera, since) for camera, since in session.execute(query)]


def visits_of(session: Session, camera_id: str, *, after: str | None = None, limit: int = 30) -> list[DockingVisit]:
    """Return a camera's visits to the dock, newest first, the page after an id (ids sort by time)."""
    query = select(DockingVisit).where(DockingVisit.camera_id == camera_id)
    query = query.where(DockingVisit.id < after) if after else query
    return list(session.scalars(query.order_by(DockingVisit.id.desc()).limit(limit)))


def clock_references(session: Session, camera_ids: Sequence[str]) -> dict[str, str]:
    """Return, by camera id, what disciplined the dock's clock when it last measured the camera's ("chrony", "unknown", …)."""
    newest = (
        select(func.max(DockingVisit.id))
        .where(DockingVisit.camera_id.in_(camera_ids), DockingVisit.offset_s.is_not(None))
        .group_by(DockingVisit.camera_id)
    )
    query = select(DockingVisit.camera_id, DockingVisit.reference).where(DockingVisit.id.in_(newest))
    return {camera: reference or "unknown" for camera, reference in session.execute(query) if camera}


def last_commands(session: Session, station_id: str, *, limit: int = 200) -> dict[int, str]:
    """Return, by slot, the last command given for it among a station's newest ones."""
    query = select(StationCommand.slot, StationCommand.command).where(StationCommand.station_id == station_id)
    newest = session.execute(query.order_by(StationCommand.id.desc()).limit(limit)).all()
    return {slot: command for slot, command in reversed(newest) if slot is not None}

"""Cameras reported broken: a slip with a number and the time for the officer, and a camera that nobody is given meanwhile.

A broken camera still offloads: what it holds is wanted all the more. It is back in service when somebody resolves its outage.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import local, now
from bodycam.db import new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.fleet.choices import choices
from bodycam.fleet.errors import ReportedAlreadyError
from bodycam.fleet.models import CameraOutage, CameraState
from bodycam.fleet.service import get_camera

MAX_NOTE = 500
_MOST_A_DAY = 1000


def report_broken(
    session: Session,
    camera_id: str,
    *,
    officer_id: str,
    station_id: str | None,
    symptom: str,
    since: datetime,
    note: str = "",
) -> CameraOutage:
    """Note a camera as broken since a moment (UTC, not in the future); raises `ReportedAlreadyError` with the slip's number."""
    if symptom not in choices("symptom"):
        raise InvalidInputError(field="symptom", reason="choose one of the list", reason_vi="chọn trong danh sách")
    open_one = open_outages(session, [camera_id]).get(camera_id)
    camera = get_camera(session, camera_id)
    if open_one is not None:
        raise ReportedAlreadyError(camera=camera.label or camera.serial, slip=open_one.slip)
    moment = now()
    row = _numbered(
        session,
        CameraOutage(
            id=new_id(),
            slip="",
            camera_id=camera_id,
            officer_id=officer_id,
            station_id=station_id,
            symptom=symptom,
            note=nfc(note).strip()[:MAX_NOTE],
            since=min(since, moment),
            reported_at=moment,
            resolution="",
        ),
    )
    if camera.state == CameraState.IN_SERVICE:
        camera.state = CameraState.BROKEN.value
    custody.record(
        session,
        "camera.reported_broken",
        object_id=camera_id,
        actor=officer_id,
        device=camera.id,
        details={"outage": row.id, "slip": row.slip, "symptom": symptom, "since": row.since.isoformat()},
        private={"note": row.note} if row.note else None,
    )
    return row


def resolve(session: Session, outage_id: str, *, resolution: str, actor: str) -> CameraOutage:
    """End an outage with what was done; the camera is back in service. Ending twice changes nothing."""
    row = session.get(CameraOutage, outage_id)
    if row is None:
        raise NotFoundError(what="outage")
    if row.resolved_at is not None:
        return row
    row.resolved_at, row.resolution = now(), nfc(resolution).strip()[:MAX_NOTE]
    camera = get_camera(session, row.camera_id)
    session.flush()
    if camera.state == CameraState.BROKEN and not open_outages(session, [camera.id]):
        camera.state = CameraState.IN_SERVICE.value
    custody.record(
        session,
        "camera.repaired",
        object_id=camera.id,
        actor=actor,
        device=camera.id,
        details={"outage": row.id, "slip": row.slip},
        private={"resolution": row.resolution} if row.resolution else None,
    )
    return row


def open_outages(session: Session, camera_ids: Sequence[str]) -> dict[str, CameraOutage]:
    """Return, by camera id, the outages that nobody has resolved; of several the first."""
    query = select(CameraOutage).where(CameraOutage.camera_id.in_(camera_ids), CameraOutage.resolved_at.is_(None))
    rows = session.scalars(query.order_by(CameraOutage.reported_at.desc()).limit(10 * len(camera_ids) + 1))
    return {row.camera_id: row for row in rows}


def outages_of(session: Session, camera_id: str, *, limit: int = 50) -> list[CameraOutage]:
    """Return a camera's outages, newest first."""
    query = select(CameraOutage).where(CameraOutage.camera_id == camera_id)
    return list(session.scalars(query.order_by(CameraOutage.reported_at.desc()).limit(limit)))


def outage_by_slip(session: Session, slip: str) -> CameraOutage | None:
    """Return the outage of a slip's number."""
    return session.scalar(select(CameraOutage).where(CameraOutage.slip == slip))


def _numbered(session: Session, row: CameraOutage) -> CameraOutage:
    """Add the row under the day's next free number, such as BH-22112026-003."""
    day = f"BH-{local(row.reported_at):%d%m%Y}-"
    count = session.scalar(select(func.count()).where(CameraOutage.slip.startswith(day))) or 0
    for number in range(count + 1, count + _MOST_A_DAY):
        row.slip = f"{day}{number:03}"
        with suppress(IntegrityError), session.begin_nested():  # another kiosk may take the number at this moment
            session.add(row)
            session.flush()
            return row
    raise RuntimeError("no free number for a slip today")

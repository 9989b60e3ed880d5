"""Who and what is at a station now: the cameras in its slots with their holders, and the officers its kiosk knows."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.fleet.models import Camera, DockingVisit, Station, VisitState
from bodycam.fleet.queries import holders_of
from bodycam.people.models import Officer, Unit

MOST_SLOTS = 128
LEAST_DIGITS = 3
MOST_FOUND = 12


@dataclass(frozen=True)
class Standing:
    """A camera in a slot, and who holds it now (None: nobody)."""

    slot: int
    camera: Camera
    holder: Officer | None
    visit_id: str


def standing_at(session: Session, station_id: str) -> dict[int, Standing]:
    """Return, by slot, the cameras whose visit to this station is open."""
    query = (
        select(DockingVisit, Camera)
        .join(Camera, Camera.id == DockingVisit.camera_id)
        .where(
            DockingVisit.station_id == station_id,
            DockingVisit.state == VisitState.OPEN,
            DockingVisit.slot.is_not(None),
        )
        .order_by(DockingVisit.id)
        .limit(MOST_SLOTS)
    )
    rows = [(visit, camera) for visit, camera in session.execute(query)]
    holders = holders_of(session, [camera.id for _, camera in rows], now()) if rows else {}
    return {
        visit.slot: Standing(visit.slot, camera, holders[camera.id][0] if camera.id in holders else None, visit.id)
        for visit, camera in rows
        if visit.slot is not None
    }


def officers_at(session: Session, station: Station, digits: str) -> list[Officer]:
    """Return the officers the kiosk knows whose number ends with these digits, at most 12, by number.

    Known are those of the station's unit and below, and whoever's camera stands in a slot; a station without a unit knows all.
    """
    typed = "".join(c for c in digits[:40] if c.isascii() and c.isdigit())
    if len(typed) < LEAST_DIGITS:
        return []
    query = select(Officer).where(Officer.active, Officer.folded.endswith(typed, autoescape=True))
    if station.unit_id is not None:
        below = select(Unit.id).where(Unit.path.startswith(_path(session, station), autoescape=True))
        query = query.where(or_(Officer.unit_id.in_(below), Officer.id.in_(_docked(session, station))))
    return list(session.scalars(query.order_by(Officer.number, Officer.id).limit(MOST_FOUND)))


def knows_officer(session: Session, station: Station, officer_id: str) -> Officer | None:
    """Return an active officer if the station's kiosk knows him, else None."""
    officer = session.get(Officer, officer_id)
    if officer is None or not officer.active:
        return None
    if station.unit_id is None or officer.id in _docked(session, station):
        return officer
    unit = session.get_one(Unit, officer.unit_id)
    return officer if unit.path.startswith(_path(session, station)) else None


def _path(session: Session, station: Station) -> str:
    return session.get_one(Unit, station.unit_id).path


def _docked(session: Session, station: Station) -> set[str]:
    return {row.holder.id for row in standing_at(session, station.id).values() if row.holder is not None}

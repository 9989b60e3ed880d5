"""An officer at a station's kiosk: opened by card or PIN, ended by leaving, by a minute's silence, or after ten minutes.

One officer is at a kiosk at a time: whoever comes next ends the session before. The browser holds a random token, the database its
hash. Nothing here opens footage: a kiosk session reaches what the kiosk's own pages do, at its own station.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.db import new_id
from bodycam.fleet.models import KioskSession

IDLE_S = 60
LONGEST = timedelta(minutes=10)


def open_session(session: Session, station_id: str, officer_id: str, *, way: str) -> str:
    """Open an officer's session (`way` is "card" or "pin") and return its token; ends whoever was at the kiosk."""
    end_sessions(session, station_id)
    token, moment = secrets.token_urlsafe(32), now()
    row = KioskSession(
        id=new_id(),
        station_id=station_id,
        officer_id=officer_id,
        token_hash=_hash(token),
        way=way,
        opened_at=moment,
        seen_at=moment,
    )
    session.add(row)
    session.flush()
    custody.record(
        session, "kiosk.signed_in", object_id=officer_id, actor=officer_id, details={"station": station_id, "way": way}
    )
    return token


def find_session(session: Session, token: str, station_id: str) -> KioskSession | None:
    """Return the live session of a token at this station, or None; changes nothing."""
    query = select(KioskSession).where(
        KioskSession.token_hash == _hash(token),
        KioskSession.station_id == station_id,
        KioskSession.ended_at.is_(None),
    )
    row = session.scalar(query) if token else None
    return row if row is not None and ends_at(row) > now() else None


def ends_at(row: KioskSession) -> datetime:
    """Return when a session ends if nobody touches the kiosk any more (UTC)."""
    return min(row.seen_at + timedelta(seconds=IDLE_S), row.opened_at + LONGEST)


def touch_session(session: Session, session_id: str) -> None:
    """Remember that somebody touched the kiosk now."""
    row = session.get(KioskSession, session_id)
    if row is not None and row.ended_at is None:
        row.seen_at = now()


def end_sessions(session: Session, station_id: str) -> None:
    """End whoever is at the kiosk, as of now or of when the silence ended it."""
    query = select(KioskSession).where(KioskSession.station_id == station_id, KioskSession.ended_at.is_(None))
    for row in session.scalars(query.order_by(KioskSession.id).limit(100)):
        row.ended_at = min(ends_at(row), now())
        details = {"station": station_id}
        custody.record(session, "kiosk.signed_out", object_id=row.officer_id, actor=row.officer_id, details=details)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

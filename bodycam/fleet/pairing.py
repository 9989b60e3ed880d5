"""Pairing a kiosk with its station: a one-time code typed at the kiosk becomes the station's token.

The token lives in the kiosk browser's cookie and nowhere else; the database holds its hash, and it can be revoked there. A code
holds for a quarter of an hour and for one use; the former kiosk stays paired until it is used. Wrong codes are slowed by source.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.db import Database, nfc
from bodycam.errors import NotFoundError
from bodycam.fleet.errors import PairingCodeError
from bodycam.fleet.models import Station
from bodycam.people.errors import SignInLockedError
from bodycam.people.throttle import count, forget_old, locked_row, seconds_left, take_back, throttle_key
from bodycam.sections import SignInSettings

CODE_DIGITS = 10
CODE_HOLDS = timedelta(minutes=15)


def make_code(session: Session, station_id: str, *, actor: str | None) -> str:
    """Return a new pairing code of a station, such as "12345-67890"; an earlier code that wasn't used is void."""
    station = get_station(session, station_id)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    station.pairing_hash, station.pairing_until = _hash(code), now() + CODE_HOLDS
    custody.record(session, "station.pairing_code_made", object_id=station_id, actor=actor)
    return f"{code[:5]}-{code[5:]}"


def pair(db: Database, typed: str, *, source: str, settings: SignInSettings) -> tuple[Station, str]:
    """Exchange a code for the station's token; raises `PairingCodeError` or `SignInLockedError`."""
    code, key = "".join(c for c in typed[:40] if c.isascii() and c.isdigit()), throttle_key("pair", source)
    with db.write() as session:
        forget_old(session)
        row = locked_row(session, key)
        seconds = seconds_left(row)
        if seconds == 0:
            count(row, settings)
    if seconds:
        raise SignInLockedError(seconds=seconds)
    with db.write() as session:
        query = select(Station).where(Station.pairing_hash == _hash(code), Station.pairing_until > now())
        station = session.scalar(query.with_for_update())
        if station is None:
            raise PairingCodeError
        take_back(session, key, settings)
        return station, give_token(session, station.id, actor=f"station:{station.id}")


def give_token(session: Session, station_id: str, *, actor: str | None) -> str:
    """Make the station's token anew and return it, for the kiosk's cookie; whoever held the former one is out."""
    station, token = get_station(session, station_id), secrets.token_urlsafe(32)
    station.token_hash, station.paired_at = _hash(token), now()
    station.pairing_hash = station.pairing_until = None
    custody.record(session, "station.paired", object_id=station_id, actor=actor)
    return token


def unpair(session: Session, station_id: str, *, actor: str | None) -> None:
    """Revoke the station's token and any code; nothing happens when there is none."""
    station = get_station(session, station_id)
    if station.token_hash is None and station.pairing_hash is None:
        return
    station.token_hash = station.paired_at = station.pairing_hash = station.pairing_until = None
    custody.record(session, "station.unpaired", object_id=station_id, actor=actor)


def station_of_token(session: Session, token: str) -> Station | None:
    """Return the station whose kiosk holds this token."""
    return session.scalar(select(Station).where(Station.token_hash == _hash(token))) if token else None


def station_by_name(session: Session, name: str) -> Station | None:
    """Return the station of this name."""
    return session.scalar(select(Station).where(Station.name == nfc(name).strip()))


def get_station(session: Session, station_id: str) -> Station:
    """Return a station or raise `NotFoundError`."""
    station = session.get(Station, station_id)
    if station is None:
        raise NotFoundError(what="station")
    return station


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

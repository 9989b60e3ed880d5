"""Sign-in sessions: on the server, revocable one by one or all at once.

The browser holds a 256-bit random token, the database only its SHA-256. A session ends at its expiry, when idle too long,
when revoked, or when its account is switched off.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.db import new_id
from bodycam.people.models import Account, StaffSession

TOUCH_EVERY = timedelta(minutes=1)  # last_seen_at is exact to this, so that a page isn't a write
MAX_AGENT = 200


def open_session(
    session: Session, account_id: str, *, hours: int, user_agent: str | None = None
) -> tuple[str, StaffSession]:
    """Open a session of an account; returns the token (for the cookie, nowhere else) and the row."""
    token = secrets.token_urlsafe(32)
    moment = now()
    row = StaffSession(
        id=new_id(),
        token_hash=_hash(token),
        account_id=account_id,
        created_at=moment,
        last_seen_at=moment,
        expires_at=moment + timedelta(hours=hours),
        user_agent=user_agent[:MAX_AGENT] if user_agent else None,
    )
    session.add(row)
    session.flush()
    return token, row


def find_session(session: Session, token: str, *, idle_minutes: int) -> tuple[StaffSession, Account] | None:
    """Return the live session of a token and its account, or None; changes nothing."""
    query = (
        select(StaffSession, Account)
        .join(Account, Account.id == StaffSession.account_id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.revoked_at.is_(None), Account.active)
    )
    found = session.execute(query).first()
    if found is None:
        return None
    row, account = found
    moment = now()
    if row.expires_at <= moment or row.last_seen_at + timedelta(minutes=idle_minutes) <= moment:
        return None
    return row, account


def needs_touch(row: StaffSession) -> bool:
    """Whether `touch_session` is due: the last one is more than a minute ago."""
    return now() - row.last_seen_at >= TOUCH_EVERY


def touch_session(session: Session, session_id: str) -> None:
    """Remember that the session was used now."""
    row = session.get(StaffSession, session_id)
    if row is not None:
        row.last_seen_at = now()


def sign_out(session: Session, session_id: str) -> None:
    """End a session by its owner."""
    row = session.get(StaffSession, session_id)
    if row is not None and row.revoked_at is None:
        row.revoked_at = now()
        custody.record(session, "account.signed_out", object_id=row.account_id, actor=row.account_id)


def revoke(session: Session, session_id: str, *, actor: str | None = None) -> None:
    """End one session by somebody else, or from another device."""
    row = session.get(StaffSession, session_id)
    if row is not None and row.revoked_at is None:
        row.revoked_at = now()
        custody.record(session, "account.sessions_revoked", object_id=row.account_id, actor=actor, details={"count": 1})


def revoke_all(session: Session, account_id: str, *, actor: str | None = None) -> int:
    """End every live session of an account and return how many; records one event when there were any."""
    rows = live_sessions(session, account_id)
    for row in rows:
        row.revoked_at = now()
    if rows:
        details = {"count": len(rows)}
        custody.record(session, "account.sessions_revoked", object_id=account_id, actor=actor, details=details)
    return len(rows)


def live_sessions(session: Session, account_id: str, *, at: datetime | None = None) -> list[StaffSession]:
    """Return the sessions of an account that haven't ended, oldest first."""
    query = select(StaffSession).where(
        StaffSession.account_id == account_id,
        StaffSession.revoked_at.is_(None),
        StaffSession.expires_at > (at or now()),
    )
    return list(session.scalars(query.order_by(StaffSession.id)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

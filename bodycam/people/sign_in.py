"""Signing in, and how guessing is slowed.

Counted (`throttle`) are the name as typed and the source (an address). From the tenth wrong one a pause begins and doubles with
every further one, up to an hour. Whether a name exists shows neither in words nor in time. These functions take the database, not a session: a failure must outlive its refusal, and no
transaction is open while argon2 works.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.db import Database
from bodycam.people.accounts import account_by_username, hash_password, needs_rehash, password_matches, username_form
from bodycam.people.errors import SignInLockedError, WrongSignInError
from bodycam.people.models import Account
from bodycam.people.sessions import open_session
from bodycam.people.throttle import count, forget, forget_old, locked_row, seconds_left, take_back, throttle_key
from bodycam.sections import SignInSettings

MOST_TYPED = 200  # characters of a name or a source that are looked at

log = structlog.get_logger()


@dataclass(frozen=True)
class SignedIn:
    """A successful sign-in; the token goes into the cookie and nowhere else."""

    token: str
    session_id: str
    account_id: str
    language: str


def sign_in(
    db: Database,
    *,
    username: str,
    password: str,
    source: str,
    settings: SignInSettings,
    hours: int,
    user_agent: str | None = None,
) -> SignedIn:
    """Check a name and a password and open a session; raises `WrongSignInError` or `SignInLockedError`."""
    username, source = username[:MOST_TYPED], source[:MOST_TYPED]
    name_key, source_key = throttle_key("name", username_form(username)), throttle_key("source", source)
    with db.write() as session:
        forget_old(session)
        rows = [locked_row(session, key) for key in sorted((name_key, source_key))]  # one order: no deadlock
        seconds = max(seconds_left(row) for row in rows)
        paused = seconds == 0 and sum(count(row, settings) for row in rows) > 0
        account = account_by_username(session, username)
    if seconds:
        raise SignInLockedError(seconds=seconds)
    good = password_matches(account.password_hash if account else None, password, settings)
    if account is None or not good or not account.active:
        _record_failure(db, account, paused, {"source": source})
        raise WrongSignInError
    renewed = _renewed_hash(account, password, settings)
    with db.write() as session:
        forget(session, name_key)
        take_back(session, source_key, settings)
        if renewed:
            session.get_one(Account, account.id).password_hash = renewed
        token, row = open_session(session, account.id, hours=hours, user_agent=user_agent)
        custody.record(session, "account.signed_in", object_id=account.id, actor=account.id, private={"source": source})
    log.info("signed in", account=account.id)
    return SignedIn(token, row.id, account.id, account.language)


def open_without_password(db: Database, account_id: str, *, hours: int, user_agent: str | None = None) -> SignedIn:
    """Open a session without a password: only for the demo's one-click sign-ins, which the edge guards by setting."""
    with db.write() as session:
        account = session.get(Account, account_id)
        if account is None or not account.active:
            raise WrongSignInError
        token, row = open_session(session, account.id, hours=hours, user_agent=user_agent)
        custody.record(session, "account.signed_in", object_id=account.id, actor=account.id, reason_code="demo")
    return SignedIn(token, row.id, account.id, account.language)


def confirm_password(db: Database, account_id: str, password: str, *, settings: SignInSettings) -> None:
    """Check the password of somebody who is signed in; raises as `sign_in` does, so that a stolen session can't guess on."""
    key = throttle_key("again", account_id)
    with db.write() as session:
        forget_old(session)
        row = locked_row(session, key)
        seconds = seconds_left(row)
        paused = seconds == 0 and count(row, settings)
        account = session.get_one(Account, account_id)
    if seconds:
        raise SignInLockedError(seconds=seconds)
    if not password_matches(account.password_hash, password, settings):
        _record_failure(db, account, paused, {})
        raise WrongSignInError
    with db.write() as session:
        forget(session, key)


def unlock(session: Session, username: str) -> None:
    """Forget the wrong sign-ins of a name (after an administrator reset the password)."""
    forget(session, throttle_key("name", username_form(username)))


def _record_failure(db: Database, account: Account | None, paused: bool, private: dict[str, str]) -> None:
    """Log a wrong sign-in; of a name nobody has, nothing, not even a hash: people type passwords into name fields."""
    log.info("sign-in refused", account=account.id if account else None, paused=paused)
    custody.record_now(
        db,
        "account.throttled" if paused else "account.sign_in_failed",
        object_id=account.id if account else "account:unknown",
        private=private,
    )


def _renewed_hash(account: Account, password: str, settings: SignInSettings) -> str | None:
    return hash_password("\0", password, settings) if needs_rehash(account.password_hash, settings) else None

"""How guessing is slowed: wrong attempts counted by key in the database, and a pause that doubles.

An attempt is counted before the secret is looked at, so that a thousand guesses at once are still as few as allowed; success
takes the count back. Keys are hashes: people type passwords into name fields. Two hours of peace forget it all.
"""

import hashlib
import math
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam.clock import now
from bodycam.people.models import SignInThrottle
from bodycam.sections import SignInSettings

LONGEST_PAUSE_S = 3600
FORGET_AFTER = timedelta(hours=2)


def throttle_key(what: str, text: str) -> str:
    """Return the key a name or a source is counted under: a hash, since people type passwords into name fields."""
    return hashlib.sha256(f"{what}:{text}".encode()).hexdigest()


def pause_seconds(failures: int, settings: SignInSettings) -> int:
    """Return how long to wait after so many wrong sign-ins: 0, then pause_seconds doubling up to an hour."""
    over = failures - settings.attempts
    if over < 0:
        return 0
    return min(settings.pause_seconds << min(over, 12), LONGEST_PAUSE_S)


def locked_row(session: Session, key: str) -> SignInThrottle:
    """Return the key's row, made when missing and locked until the commit: a thousand guesses at once come one by one."""
    row = session.get(SignInThrottle, key, with_for_update=True)
    if row is None:
        with suppress(IntegrityError), session.begin_nested():  # another process may make it at this moment
            session.add(SignInThrottle(key=key, failures=0, failed_at=now()))
        row = session.get_one(SignInThrottle, key, with_for_update=True)
    return row


def seconds_left(row: SignInThrottle) -> int:
    """Return how many seconds of the key's pause are left."""
    left = (row.locked_until - now()).total_seconds() if row.locked_until else 0.0
    return max(math.ceil(left), 0)


def count(row: SignInThrottle, settings: SignInSettings) -> bool:
    """Count an attempt; returns whether a pause begins if it turns out wrong."""
    row.failures += 1
    row.failed_at = now()
    pause = pause_seconds(row.failures, settings)
    row.locked_until = now() + timedelta(seconds=pause) if pause else None
    return pause > 0


def take_back(session: Session, key: str, settings: SignInSettings) -> None:
    """Take back one attempt that turned out right."""
    row = session.get(SignInThrottle, key, with_for_update=True)
    if row is not None:
        row.failures = max(row.failures - 1, 0)
        if row.failures < settings.attempts:
            row.locked_until = None


def forget(session: Session, key: str) -> None:
    """Forget a key's wrong attempts."""
    session.execute(delete(SignInThrottle).where(SignInThrottle.key == key))


def forget_old(session: Session) -> None:
    """Forget the attempts of two hours ago and earlier."""
    session.execute(delete(SignInThrottle).where(SignInThrottle.failed_at < now() - FORGET_AFTER))

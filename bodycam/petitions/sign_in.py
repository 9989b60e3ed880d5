"""Opening a report with its secret code: a signed challenge, one neutral answer, and a brake without addresses.

The browser proves that it holds the code by signing a challenge; the code itself stays with the citizen. Whatever is wrong,
the answer is the same, after a pause that grows with the failures in the database: those alike in the first two digits of the
look-up id (1/256 of all) and, less, all together. The right code is never refused: 130 random bits can't be guessed, while a
lock would let whoever saw a receipt's QR code keep its owner out.
"""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.db import Database
from bodycam.petitions import secret_code
from bodycam.petitions.errors import NoSuchSubmissionError
from bodycam.petitions.models import Submission, SubmissionState, SubmissionThrottle

WINDOW = timedelta(minutes=10)
MOST_PAUSE_S = 1.5
PAUSE_STEP_S = 0.02
ALIKE_STEP_S = 0.1
_PREFIX = 2
_HEX = frozenset("0123456789abcdef")


def message(lookup_id: str, nonce: str) -> bytes:
    """Return the bytes that the sign-in key signs."""
    return f"bodycam sign-in v1\n{lookup_id}\n{nonce}".encode()


def open_submission(db: Database, lookup_id: str, nonce: str, signature: bytes) -> str:
    """Return the id of the report whose code signed the challenge.

    Raises NoSuchSubmissionError alike for an unknown code and a wrong signature; a failure is counted.
    """
    with db.read() as session:
        query = select(Submission).where(Submission.lookup_id == lookup_id, Submission.state != SubmissionState.DRAFT)
        submission = session.scalar(query)
    public = submission.sign_in_public if submission is not None else None
    signed = public is not None and secret_code.verifies(public, signature, message(lookup_id, nonce))
    if submission is not None and signed:
        return submission.id
    with db.write() as session:
        _count(session, _bucket(lookup_id))
    raise NoSuchSubmissionError(what="submission")


def pause_s(session: Session, lookup_id: str) -> float:
    """Return how many seconds to wait before answering a wrong code: little, growing with recent failures."""
    recent = SubmissionThrottle.window_started_at > clock.now() - WINDOW
    total = session.scalar(select(func.sum(SubmissionThrottle.failures)).where(recent)) or 0
    alike = session.scalar(
        select(SubmissionThrottle.failures).where(recent, SubmissionThrottle.key == _bucket(lookup_id))
    )
    return min(MOST_PAUSE_S, PAUSE_STEP_S * int(total) + ALIKE_STEP_S * (alike or 0))


def _bucket(lookup_id: str) -> str:
    """Return what failures are counted under: one of 257, whatever is sent, so that nobody fills the table."""
    prefix = lookup_id[:_PREFIX]
    return prefix if len(prefix) == _PREFIX and set(prefix) <= _HEX else "-"


def _count(session: Session, prefix: str) -> None:
    row = session.get(SubmissionThrottle, prefix, with_for_update=True)
    now = clock.now()
    if row is None:
        with (
            suppress(IntegrityError),
            session.begin_nested(),
        ):  # somebody else's first failure of this prefix counts too
            session.add(SubmissionThrottle(key=prefix, window_started_at=now, failures=1))
    elif row.window_started_at <= now - WINDOW:
        row.window_started_at, row.failures = now, 1
    else:
        row.failures += 1

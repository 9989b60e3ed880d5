"""What the scrub knows, for pages and other slices."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam.fixity.models import FixityCheck


def last_check(session: Session, object_id: str) -> FixityCheck | None:
    """Return when an object was last read back and what was found, or None if it never was."""
    return session.get(FixityCheck, object_id)


def list_damaged(session: Session, since: datetime, after: str = "", limit: int = 100) -> Sequence[FixityCheck]:
    """Return objects whose last check, at `since` (UTC) or later, found damage; by id, those after `after`."""
    query = select(FixityCheck).where(FixityCheck.problems != "", FixityCheck.checked_at >= since)
    return session.scalars(
        query.where(FixityCheck.object_id > after).order_by(FixityCheck.object_id).limit(limit)
    ).all()


def count_checked(session: Session, since: datetime) -> tuple[int, int, int]:
    """Return how many objects were checked at `since` (UTC) or later, their sealed bytes, and how many were damaged."""
    query = select(
        func.count(),
        func.coalesce(func.sum(FixityCheck.cipher_size), 0),
        func.count().filter(FixityCheck.problems != ""),
    ).where(FixityCheck.checked_at >= since)
    objects, size, damaged = session.execute(query).one()
    return int(objects), int(size), int(damaged)

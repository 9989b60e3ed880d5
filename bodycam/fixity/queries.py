"""What the scrub knows, for pages and other slices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from bodycam.fixity.models import CopyState, VaultCopy

_BAD = (CopyState.DAMAGED, CopyState.MISSING)
_COUNTS = VaultCopy.is_listed | (VaultCopy.state == CopyState.DAMAGED)  # what nobody lists may be gone
MAIN = "main"


@dataclass(frozen=True)
class PlaceState:
    """How one place stands: copies, sealed bytes, those read back since a moment, what is wrong, and the longest unread.

    `oldest` (UTC) is None when nothing was ever read back, or `unread` copies never were.
    """

    place: str
    copies: int
    size: int
    fresh: int
    fresh_size: int
    unread: int
    bad: int
    oldest: datetime | None

    def is_late(self, now: datetime, within: timedelta) -> bool:
        """Tell whether a copy was last read back longer ago than allowed."""
        return self.oldest is not None and now - self.oldest > within


def last_check(session: Session, object_id: str) -> VaultCopy | None:
    """Return when an object's main copy was last read back and what was found, or None if nothing is known."""
    return session.get(VaultCopy, (object_id, MAIN))


def list_damaged(session: Session, after: tuple[str, str] = ("", ""), limit: int = 100) -> Sequence[VaultCopy]:
    """Return copies whose last check found damage, or nothing where a catalogue lists the object, by object and place, those after `after`."""
    query = select(VaultCopy).where(VaultCopy.state.in_(_BAD), VaultCopy.problems != "", _COUNTS)
    beyond = (VaultCopy.object_id > after[0]) | ((VaultCopy.object_id == after[0]) & (VaultCopy.place > after[1]))
    return session.scalars(query.where(beyond).order_by(VaultCopy.object_id, VaultCopy.place).limit(limit)).all()


def damaged_objects(session: Session, object_ids: Sequence[str]) -> dict[str, str]:
    """Return, by object id, the problem codes of those of which a copy isn't sound by its last check."""
    found: dict[str, str] = {}
    for start in range(0, len(object_ids), 500):
        part = object_ids[start : start + 500]
        query = select(VaultCopy.object_id, VaultCopy.problems).where(
            VaultCopy.object_id.in_(part), VaultCopy.problems != ""
        )
        found.update({row.object_id: row.problems for row in session.execute(query)})
    return found


def count_checked(session: Session, since: datetime) -> tuple[int, int]:
    """Return how many copies were read back at `since` (UTC) or later, and their sealed bytes."""
    query = select(func.count(), func.coalesce(func.sum(VaultCopy.cipher_size), 0))
    copies, size = session.execute(query.where(VaultCopy.verified_at >= since)).one()
    return int(copies), int(size)


def unlisted(session: Session, limit: int = 100) -> Sequence[str]:
    """Return ids of objects that stand in the vault and in no catalogue, as the last survey found them."""
    query = select(VaultCopy.object_id).where(VaultCopy.is_listed.is_(False), VaultCopy.state == CopyState.PRESENT)
    return session.scalars(query.distinct().order_by(VaultCopy.object_id).limit(limit)).all()


def place_states(session: Session, since: datetime) -> list[PlaceState]:
    """Return how each place stands, by its name; `since` (UTC) is the beginning of the time that counts as fresh."""
    fresh = VaultCopy.verified_at >= since
    query = select(
        VaultCopy.place,
        func.count(),
        func.coalesce(func.sum(VaultCopy.cipher_size), 0),
        func.count().filter(fresh),
        func.coalesce(func.sum(VaultCopy.cipher_size).filter(fresh), 0),
        func.count().filter(VaultCopy.verified_at.is_(None)),
        func.count().filter(and_(VaultCopy.state.in_(_BAD), VaultCopy.problems != "", _COUNTS)),
        func.min(VaultCopy.verified_at),
    ).where(VaultCopy.state != CopyState.DESTROYED)
    rows = session.execute(query.group_by(VaultCopy.place).order_by(VaultCopy.place))
    return [PlaceState(*row) for row in rows]

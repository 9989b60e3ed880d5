"""The rows that say where copies lie. Whoever seals an object notes its copies in the transaction that catalogues it.

A survey compares them with what the places hold and what the catalogues list: a copy that nobody noted gets its row, one that
should be there and isn't gets one too (the scrub then brings it back), and an object in no catalogue is marked. Nothing is
deleted here, neither an object nor a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bodycam.db import Database
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.vault.errors import PlaceAwayError, VaultIoError
from bodycam.vault.places import Place

_BATCH = 400


def note_sealed(session: Session, object_id: str, cipher_size: int, places: Iterable[str], at: datetime) -> None:
    """Note copies that sealing has just written and read back (`at`, UTC); `cipher_size` in bytes. Repeatable."""
    for place in places:
        session.merge(
            VaultCopy(
                object_id=object_id,
                place=place,
                state=CopyState.PRESENT,
                cipher_size=cipher_size,
                written_at=at,
                verified_at=at,
                problems="",
                is_listed=True,
            )
        )


def survey(db: Database, places: Sequence[Place], listed: set[str]) -> set[str]:
    """Bring the rows to what the places hold and the catalogues list; return the ids that no catalogue lists."""
    unlisted: set[str] = set()
    for place in places:
        try:
            held = set(place.ids())
        except (PlaceAwayError, VaultIoError):
            continue
        known = _known(db, place.name)
        again = {object_id for object_id in known.destroyed if object_id in held}  # an old disk came back
        new = sorted((held | listed) - known.ids)
        for start in range(0, len(new), _BATCH):
            with db.write() as session:
                part = new[start : start + _BATCH]
                session.add_all(_found(object_id, place.name, held, listed) for object_id in part)
        standing = known.ids - known.destroyed
        _set(db, place.name, again, state=CopyState.PRESENT, is_listed=False)
        _set(db, place.name, (standing & listed) - known.listed, is_listed=True)
        _set(db, place.name, (standing - listed) & known.listed, is_listed=False)
        unlisted |= held - listed
    return unlisted


@dataclass(frozen=True)
class _Known:
    ids: set[str]
    listed: set[str]
    destroyed: set[str]


def _known(db: Database, place: str) -> _Known:
    known = _Known(set(), set(), set())
    query = select(VaultCopy.object_id, VaultCopy.is_listed, VaultCopy.state).where(VaultCopy.place == place)
    with db.read() as session:
        for object_id, is_listed, state in session.execute(query.execution_options(yield_per=1000)):
            known.ids.add(object_id)
            if is_listed:
                known.listed.add(object_id)
            if state == CopyState.DESTROYED:
                known.destroyed.add(object_id)
    return known


def _found(object_id: str, place: str, held: set[str], listed: set[str]) -> VaultCopy:
    state = CopyState.PRESENT if object_id in held else CopyState.MISSING
    return VaultCopy(object_id=object_id, place=place, state=state, is_listed=object_id in listed)


def _set(db: Database, place: str, object_ids: set[str], **values: object) -> None:
    ordered = sorted(object_ids)
    for start in range(0, len(ordered), _BATCH):
        which = (VaultCopy.place == place, VaultCopy.object_id.in_(ordered[start : start + _BATCH]))
        with db.write() as session:
            session.execute(update(VaultCopy).where(*which).values(**values))

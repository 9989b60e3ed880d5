"""Scrub: every copy of every sealed object is read back from its disk and compared with its name; envelope and manifest open.

The clock's share (`scrub_share`) reads the copies longest unread, so much in an hour that the whole vault is through well within
`vault.scrub_days`. A round (`Scrub`) reads everything once, for somebody who asked; it may be interrupted at any moment and the
next call goes on with it. Nothing is ever deleted; damage and repair are events in the custody log, and the recording is checked
anew. An object that no catalogue lists is only reported. A place that is away is left for the next time.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.db import new_id
from bodycam.fixity.check import AWAY, Checked, Checker
from bodycam.fixity.copies import survey
from bodycam.fixity.models import CopyState, FixityRound, VaultCopy
from bodycam.fixity.queries import count_checked, list_damaged
from bodycam.runtime import Runtime

_BATCH_COPIES = 100
_BATCH_SECONDS = 2.0
_PAGE = 200
SHARES_A_DAY = 24
_AHEAD = 0.8  # of the days that are allowed: nights without a running system must not make it late
_MOST_SECONDS = 20 * 60.0  # of one share: other jobs wait for the same workers
_RESTS = timedelta(days=7)  # a copy read more recently isn't read again by the clock, however small the vault


@dataclass(frozen=True)
class Step:
    """One checked copy, and how far this call is."""

    checked: Checked
    done: int
    total: int


@dataclass(frozen=True)
class Report:
    """A finished round: copies and sealed bytes read, what is damaged still (place, object, problem codes; at most 1,000 are
    named), how many copies were repaired in this call, places that were away, and ids in no catalogue.
    """  # noqa: D205  one sentence

    round_id: str
    copies: int
    size: int
    damaged: int
    named: tuple[tuple[str, str, tuple[str, ...]], ...]
    repaired: int
    away: tuple[str, ...]
    unlisted: tuple[str, ...]


class Scrub:
    """One call's share of a round. Iterate `steps` to the end, then `finish`; leaving earlier loses nothing."""

    def __init__(self, rt: Runtime, list_known: Callable[[], Iterable[str]], actor: str = "system") -> None:
        """Take up the unfinished round or begin one; `list_known` gives the object ids that catalogues list."""
        self._rt = rt
        self._actor = actor
        with rt.db.write() as session:
            self._round = _open_round(session)
        self._unlisted = survey(rt.db, rt.vault.places, set(list_known()))
        self._away: set[str] = set()
        self._repaired = 0

    def steps(self) -> Generator[Step, None, None]:
        """Check one copy after the other; results are saved in small batches, damage at once, the rest on leaving."""
        todo = self._todo()
        checker = Checker(self._rt, self._actor, self._round.id)
        for done, checked in enumerate(_checked(checker, todo, self._away), 1):
            self._repaired += checked.repaired_from != ""
            yield Step(checked, done, len(todo))

    def finish(self) -> Report:
        """Close the round with its custody event, and sweep the vault's `tmp/`; call when `steps` has come to its end."""
        self._rt.vault.sweep()
        with self._rt.db.write() as session:
            scrub = session.get_one(FixityRound, self._round.id)
            scrub.finished_at = clock.now()
            copies, size = count_checked(session, scrub.started_at)
            rows = list_damaged(session, limit=1000)
            counts: dict[str, JSON] = {
                "objects": copies,
                "bytes": size,
                "damaged": len(rows),
                "repaired": self._repaired,
            }
            details = counts | {"unlisted": len(self._unlisted), "away": list(self._away)}
            custody.record(session, "fixity.checked", object_id=scrub.id, actor=self._actor, details=details)
        named = tuple((row.place, row.object_id, tuple(row.problems.split(","))) for row in rows)
        away, unlisted = tuple(sorted(self._away)), tuple(sorted(self._unlisted))
        return Report(self._round.id, copies, size, len(rows), named, self._repaired, away, unlisted)

    def _todo(self) -> list[tuple[str, str]]:
        query = _oldest_first().where(
            or_(VaultCopy.verified_at.is_(None), VaultCopy.verified_at < self._round.started_at)
        )
        reached = {place.name for place in self._rt.vault.places}
        with self._rt.db.read() as session:
            rows = [(object_id, place) for object_id, place in session.execute(query.execution_options(yield_per=1000))]
        self._away |= {place for _, place in rows} - reached  # named by other settings than this command was given
        return [row for row in rows if row[1] in reached]


def scrub_share(rt: Runtime) -> int:
    """Read back this hour's share of the copies, oldest first, and return how many; a share that dies is simply shorter."""
    names = [place.name for place in rt.vault.places]
    with rt.db.read() as session:
        total = session.scalar(select(func.sum(VaultCopy.cipher_size)).where(_standing(names))) or 0
    share = total / (rt.settings.vault.scrub_days * _AHEAD * SHARES_A_DAY)
    checker, away = Checker(rt, "system", new_id()), set[str]()
    deadline, counts = clock.monotonic() + _MOST_SECONDS, dict.fromkeys(("objects", "bytes", "damaged", "repaired"), 0)
    for checked in _checked(checker, _due(rt, names, away), away):
        counts["objects"] += 1
        counts["bytes"] += checked.result.cipher_size
        counts["damaged"] += not checked.ok
        counts["repaired"] += checked.repaired_from != ""
        if counts["bytes"] >= share or clock.monotonic() > deadline:
            break
    if counts["objects"]:
        with rt.db.write() as session:
            details: dict[str, JSON] = {**counts, "away": list(away)}
            custody.record(session, "fixity.checked", object_id="vault", actor="system", details=details)
    return counts["objects"]


def _due(rt: Runtime, names: list[str], away: set[str]) -> Generator[tuple[str, str], None, None]:
    """Yield what the clock asks for, oldest first; each page is asked anew, without the places that are away."""
    seen = set[tuple[str, str]]()
    while True:
        reached = [name for name in names if name not in away]
        rested = or_(VaultCopy.verified_at.is_(None), VaultCopy.verified_at < clock.now() - _RESTS)
        with rt.db.read() as session:
            rows = session.execute(_oldest_first().where(_standing(reached), rested).limit(_PAGE + len(seen))).all()
        fresh = [pair for object_id, place in rows if (pair := (object_id, place)) not in seen]
        if not fresh:
            return
        for pair in fresh:
            seen.add(pair)
            if pair[1] not in away:
                yield pair


def _checked(checker: Checker, pairs: Iterable[tuple[str, str]], away: set[str]) -> Generator[Checked, None, None]:
    """Check copies one by one and save the sound ones in batches; places found away are added to `away` and passed over."""
    batch: list[Checked] = []
    saved_at = clock.monotonic()
    try:
        for object_id, place in pairs:
            if place in away:
                continue
            checked = checker.check(object_id, place)
            if AWAY in checked.result.problems:
                away.add(place)
                continue
            batch.append(checked)
            if clock.monotonic() - saved_at > _BATCH_SECONDS or len(batch) >= _BATCH_COPIES:
                checker.save(batch)
                batch, saved_at = [], clock.monotonic()
            yield checked
    finally:
        checker.save(batch)


def _standing(names: Iterable[str]) -> ColumnElement[bool]:
    return VaultCopy.place.in_(list(names)) & (VaultCopy.state != CopyState.DESTROYED)


def _oldest_first() -> Select[str, str]:
    query = select(VaultCopy.object_id, VaultCopy.place).where(VaultCopy.state != CopyState.DESTROYED)
    return query.order_by(VaultCopy.verified_at.asc().nulls_first(), VaultCopy.object_id, VaultCopy.place)


def _open_round(session: Session) -> FixityRound:
    query = select(FixityRound).where(FixityRound.finished_at.is_(None)).order_by(FixityRound.id).limit(1)
    scrub = session.scalar(query)
    if scrub is None:
        scrub = FixityRound(id=new_id(), started_at=clock.now())
        session.add(scrub)
    return scrub

"""Scrub: every sealed object is read back from the disk and compared with its name, its envelope and manifest are opened.

A round goes through all objects of the catalogue and of the vault's folder, those longest unchecked first. It may be
interrupted at any moment and the next call goes on with it. Nothing is ever deleted or repaired here: damage is an event in
the custody log and a job that checks the recording anew, and so does an object found whole again (put back from a copy); an
object that nobody lists is only reported.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import new_id
from bodycam.fixity.models import FixityCheck, FixityRound
from bodycam.fixity.queries import count_checked, list_damaged
from bodycam.jobs import service as jobs
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from bodycam.vault.places import VerifyResult

_BATCH_OBJECTS = 100
_BATCH_SECONDS = 2.0


@dataclass(frozen=True)
class Step:
    """One checked object, and how far this call is."""

    result: VerifyResult
    done: int
    total: int


@dataclass(frozen=True)
class Report:
    """A finished round: counts, sealed bytes, what is damaged with its problem codes (at most 1,000 are named here), and
    the ids in the vault's folder that no catalogue lists.
    """  # noqa: D205  one sentence

    round_id: str
    objects: int
    size: int
    damaged: int
    named: tuple[tuple[str, tuple[str, ...]], ...]
    unlisted: tuple[str, ...]


class Scrub:
    """One call's share of a round. Iterate `steps` to the end, then `finish`; leaving earlier loses nothing."""

    def __init__(self, rt: Runtime, list_known: Callable[[], Iterable[str]], actor: str = "system") -> None:
        """Take up the unfinished round or begin one; `list_known` gives the object ids that catalogues list."""
        self._rt = rt
        self._list_known = list_known
        self._actor = actor
        with rt.db.write() as session:
            self._round = _open_round(session)
        self._present = set(rt.vault.iter_objects())

    def steps(self) -> Generator[Step, None, None]:
        """Check one object after the other; results are saved in small batches, damage at once, the rest on leaving."""
        todo = self._todo()
        batch: list[VerifyResult] = []
        saved_at = clock.monotonic()
        try:
            for done, object_id in enumerate(todo, 1):
                result = self._rt.vault.verify(object_id)
                batch.append(result)
                late = clock.monotonic() - saved_at > _BATCH_SECONDS
                if late or not result.ok or len(batch) >= _BATCH_OBJECTS:
                    self._save(batch)
                    batch, saved_at = [], clock.monotonic()
                yield Step(result, done, len(todo))
        finally:
            self._save(batch)

    def finish(self) -> Report:
        """Close the round with its custody event, and sweep the vault's `tmp/`; call when `steps` has come to its end."""
        self._rt.vault.sweep()
        unlisted = self._present - set(self._list_known())
        with self._rt.db.write() as session:
            scrub = session.get_one(FixityRound, self._round.id)
            scrub.finished_at = clock.now()
            objects, size, damaged = count_checked(session, scrub.started_at)
            rows = list_damaged(session, scrub.started_at, limit=1000)
            counts = {"objects": objects, "bytes": size, "damaged": damaged, "unlisted": len(unlisted)}
            custody.record(session, "fixity.checked", object_id=scrub.id, actor=self._actor, details=counts)
        named = tuple((row.object_id, tuple(row.problems.split(","))) for row in rows)
        return Report(self._round.id, objects, size, damaged, named, tuple(sorted(unlisted)))

    def _todo(self) -> list[str]:
        ids = self._present | set(self._list_known())
        with self._rt.db.read() as session:
            rows = session.execute(
                select(FixityCheck.object_id, FixityCheck.checked_at)
                .order_by(FixityCheck.checked_at, FixityCheck.object_id)
                .execution_options(yield_per=1000)
            )
            checked = {object_id: at for object_id, at in rows if object_id in ids}
        never = sorted(ids - checked.keys())
        return never + [object_id for object_id, at in checked.items() if at < self._round.started_at]

    def _save(self, batch: list[VerifyResult]) -> None:
        if not batch:
            return
        with self._rt.db.write() as session:
            for result in batch:
                row = FixityCheck(object_id=result.object_id, checked_at=clock.now(), cipher_size=result.cipher_size)
                row.problems = ",".join(result.problems)
                before = session.get(FixityCheck, result.object_id)
                was_damaged = before is not None and before.problems != ""
                session.merge(row)
                if result.ok and not was_damaged:
                    continue
                recording_id = session.scalar(select(Recording.id).where(Recording.object_id == result.object_id))
                if not result.ok:
                    self._tell_damage(session, result, recording_id)
                if recording_id is not None:
                    key = f"recording.recheck:{recording_id}:{self._round.id}"
                    jobs.enqueue(session, "recording.recheck", {"recording_id": recording_id}, key=key)

    def _tell_damage(self, session: Session, result: VerifyResult, recording_id: str | None) -> None:
        custody.record(
            session,
            "fixity.damaged",
            object_id=recording_id or result.object_id,
            actor=self._actor,
            details={"object": result.object_id, "problems": list(result.problems), "round": self._round.id},
        )


def _open_round(session: Session) -> FixityRound:
    query = select(FixityRound).where(FixityRound.finished_at.is_(None)).order_by(FixityRound.id).limit(1)
    scrub = session.scalar(query)
    if scrub is None:
        scrub = FixityRound(id=new_id(), started_at=clock.now())
        session.add(scrub)
    return scrub

"""The jobs that re-read the vault and tidy the spool, and what must be found there."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bodycam import clock
from bodycam.db import Database
from bodycam.fixity import service
from bodycam.fixity.copies import survey
from bodycam.intake.models import IntakeAttempt
from bodycam.petitions import uploads
from bodycam.petitions.models import SubmissionFile
from bodycam.recordings.models import Recording, Rendition
from bodycam.retention.models import DestroyedCopy
from bodycam.runtime import Runtime
from bodycam.vault.errors import SpoolBusyError

_PAGE = 1000
_AT_REST = timedelta(minutes=5)


def scrub(rt: Runtime, account_id: str) -> None:
    """Go through the whole vault once for somebody who asked; a job that died goes on with the same round."""
    run = service.Scrub(rt, lambda: known_objects(rt.db), actor=account_id)
    for _ in run.steps():
        pass
    run.finish()


def scrub_share(rt: Runtime) -> None:
    """Read back this hour's share of the copies."""
    service.scrub_share(rt)


def survey_places(rt: Runtime) -> None:
    """Compare what the places hold with what the catalogues list."""
    survey(rt.db, rt.vault.places, set(known_objects(rt.db)))


def tidy_spool(rt: Runtime) -> None:
    """Discard the spooled bytes of what is catalogued: a process that died right after its commit left them.

    What was committed a moment ago is left to who committed it. Citizens' uploads have a tidying of their own.
    """
    settled_by = clock.now() - _AT_REST
    for name in rt.spool.attempts():
        with rt.db.read() as session:
            kept_at = _catalogued_at(session, name)
        if kept_at is not None and kept_at < settled_by:
            with suppress(SpoolBusyError):
                rt.spool.discard(name)


def stray_attempts(rt: Runtime) -> list[str]:
    """Return what rests in the spool and belongs to nothing that is known: told to people, never discarded here."""
    names = rt.spool.attempts()
    with rt.db.read() as session:
        known = {name for name in names if session.get(IntakeAttempt, name) or _catalogued_at(session, name)}
        _, unknown = uploads.leftovers(session, names)
    uploaded = {name for name in names if name.startswith(uploads.attempt(""))}
    return sorted({name for name in names if name not in known | uploaded} | {uploads.attempt(one) for one in unknown})


def _catalogued_at(session: Session, name: str) -> datetime | None:
    attempt = session.get(IntakeAttempt, name)
    if attempt is not None:
        return attempt.finished_at
    recording_id, _, kind = name.partition(".")
    made = select(Rendition.created_at).where(Rendition.recording_id == recording_id, Rendition.kind == kind)
    return session.scalar(made)


def known_objects(db: Database) -> Iterator[str]:
    """Yield every object id that a catalogue lists and that should be there: recordings, what was made from them, citizens' files.

    What a disposition destroyed, or began to, stays listed and should not be there.
    """
    for column in (Recording.object_id, Rendition.object_id, SubmissionFile.object_id):
        yield from _column(db, column)


def _column(db: Database, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> Iterator[str]:
    last = ""
    destroyed = select(DestroyedCopy.object_id)
    while True:
        with db.read() as session:
            wanted = select(column).where(column > last, column.not_in(destroyed))
            page = session.scalars(wanted.order_by(column).limit(_PAGE)).all()
        yield from (object_id for object_id in page if object_id)
        if len(page) < _PAGE or not page[-1]:
            return
        last = page[-1]


def sweep(rt: Runtime) -> None:
    """Remove what sealings that died left in the vault's `tmp/`."""
    rt.vault.sweep()

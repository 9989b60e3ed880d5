"""The job that re-reads the vault, and what it must find there."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from bodycam.db import Database
from bodycam.fixity.service import Scrub
from bodycam.petitions.models import SubmissionFile
from bodycam.recordings.models import Recording, Rendition
from bodycam.runtime import Runtime

_PAGE = 1000


def scrub(rt: Runtime, account_id: str) -> None:
    """Go through the whole vault once for somebody who asked; a job that died goes on with the same round."""
    run = Scrub(rt, lambda: known_objects(rt.db), actor=account_id)
    for _ in run.steps():
        pass
    run.finish()


def known_objects(db: Database) -> Iterator[str]:
    """Yield every object id that a catalogue lists: recordings, what was made from them, citizens' files."""
    for column in (Recording.object_id, Rendition.object_id, SubmissionFile.object_id):
        yield from _column(db, column)


def _column(db: Database, column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> Iterator[str]:
    last = ""
    while True:
        with db.read() as session:
            page = session.scalars(select(column).where(column > last).order_by(column).limit(_PAGE)).all()
        yield from (object_id for object_id in page if object_id)
        if len(page) < _PAGE or not page[-1]:
            return
        last = page[-1]


def sweep(rt: Runtime) -> None:
    """Remove what sealings that died left in the vault's `tmp/`."""
    rt.vault.sweep()

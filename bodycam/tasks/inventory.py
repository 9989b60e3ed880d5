"""The hourly job that puts an inventory of the vault into the log."""

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import select

from bodycam.custody.inventory import Held
from bodycam.custody.inventory import take as take_inventory
from bodycam.db import Database
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.runtime import Runtime

_PAGE = 2000


def take(rt: Runtime) -> None:
    """Take the inventory of what the vault should hold; what went without a disposition is told in the log."""
    take_inventory(rt.db, rt.log, held(rt.db))


def held(db: Database) -> Iterator[Held]:
    """Yield every object with the places of its copies that stood when last looked at, by object id; destroyed ones are not held."""
    for object_id, rows in groupby(_copies(db), key=lambda row: row.object_id):
        copies = list(rows)
        present = [copy for copy in copies if copy.state == CopyState.PRESENT]
        read = [copy.verified_at for copy in present if copy.verified_at is not None]
        oldest = min(read) if len(read) == len(present) and read else None
        yield Held(object_id, tuple(copy.place for copy in present), oldest)


def _copies(db: Database) -> Iterator[VaultCopy]:
    after = ("", "")
    while True:
        query = select(VaultCopy).where(VaultCopy.state != CopyState.DESTROYED)
        query = query.where(
            (VaultCopy.object_id > after[0]) | ((VaultCopy.object_id == after[0]) & (VaultCopy.place > after[1]))
        )
        with db.read() as session:
            page = session.scalars(query.order_by(VaultCopy.object_id, VaultCopy.place).limit(_PAGE)).all()
        yield from page
        if len(page) < _PAGE:
            return
        after = (page[-1].object_id, page[-1].place)

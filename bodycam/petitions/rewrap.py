"""After the vault's key was replaced: the data keys of citizens' reports are wrapped anew, the texts stay as they are."""

from sqlalchemy import select

from bodycam.db import Database
from bodycam.petitions.models import Submission
from bodycam.petitions.service import identity_place
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.keyring import Keyring

_PAGE = 200


def rewrap_keys(db: Database, keyring: Keyring) -> int:
    """Wrap every report's data keys by the current vault key, page by page; return how many no key we have opens."""
    last, broken = "", 0
    while True:
        with db.write() as session:
            query = (
                select(Submission).where(Submission.id > last).order_by(Submission.id).limit(_PAGE).with_for_update()
            )
            rows = session.scalars(query).all()
            broken += sum(not _rewrap(row, keyring) for row in rows)
        if len(rows) < _PAGE:
            return broken
        last = rows[-1].id


def _rewrap(row: Submission, keyring: Keyring) -> bool:
    try:
        row.wrapped_key = keyring.rewrap(row.wrapped_key, row.id.encode()) or row.wrapped_key
        if row.identity_wrapped_key is not None:
            place = identity_place(row.id).encode()
            row.identity_wrapped_key = keyring.rewrap(row.identity_wrapped_key, place) or row.identity_wrapped_key
    except BrokenMessageError:
        return False
    return True

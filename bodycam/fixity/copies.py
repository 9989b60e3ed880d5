"""The rows that say where copies lie. Whoever seals an object notes its copies in the transaction that catalogues it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from bodycam.fixity.models import CopyState, VaultCopy


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

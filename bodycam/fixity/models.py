"""Tables of the scrub: where copies of each object lie and when each was last read back, and the rounds through the vault."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class CopyState(StrEnum):
    """How a copy stands, as far as it was last looked at."""

    PRESENT = "present"
    DAMAGED = "damaged"
    MISSING = "missing"  # should be there and isn't
    DESTROYED = "destroyed"  # by a disposition; never brought back


class VaultCopy(Base):
    """One copy of one sealed object in one place, and when it was last read back whole."""

    __tablename__ = "vault_copy"
    __table_args__ = (
        Index("ix_vault_copy_state_object_id", "state", "object_id"),  # queries.list_damaged
        Index("ix_vault_copy_verified_at_object_id", "verified_at", "object_id"),  # the scrub: oldest first
    )

    object_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(20), primary_key=True)  # "main", "second", "s3": vault.places
    state: Mapped[str] = mapped_column(String(10), default=CopyState.PRESENT)
    cipher_size: Mapped[int] = mapped_column(BigInteger, default=0)  # 0 while unknown
    written_at: Mapped[datetime | None]  # None: found there, not seen being written
    verified_at: Mapped[datetime | None]  # None: never since it was found
    problems: Mapped[str] = mapped_column(String(200), default="")  # codes of vault.verify, comma-separated
    is_listed: Mapped[bool] = mapped_column(default=True)  # False: no catalogue knows the object; kept, and reported


class FixityRound(Base):
    """One way through the whole vault; an unfinished one is gone on with."""

    __tablename__ = "fixity_round"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

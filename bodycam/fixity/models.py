"""Tables of the scrub: when each object was last read back, and the rounds through the whole vault."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class FixityCheck(Base):
    """The last check of one object of the vault."""

    __tablename__ = "fixity_check"
    __table_args__ = (Index("ix_fixity_check_problems_object_id", "problems", "object_id"),)  # queries.list_damaged

    object_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    checked_at: Mapped[datetime]
    cipher_size: Mapped[int] = mapped_column(BigInteger)
    problems: Mapped[str] = mapped_column(
        String(200), default=""
    )  # codes of vault.verify, comma-separated; "" is sound


class FixityRound(Base):
    """One way through the whole vault; an unfinished one is gone on with."""

    __tablename__ = "fixity_round"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

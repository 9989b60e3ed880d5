"""The `intake_attempt` table: committed before the first byte, so that a retry finds what a broken try left."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class AttemptState(StrEnum):
    """How an attempt ended, if it did."""

    OPEN = "open"
    SEALED = "sealed"
    DUPLICATE = "duplicate"  # the same bytes of the same camera were sealed before


class IntakeAttempt(Base):
    """One source's way in. Its spool segments lie under its id, which becomes the recording's; each has its own wrapped key.

    Both ids are fixed before the first byte, so that a retry after a crash writes the same manifest and finds the same object.
    """

    __tablename__ = "intake_attempt"
    __table_args__ = (Index("uq_intake_attempt_source_key", "source_key", unique=True),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    source_key: Mapped[str] = mapped_column(String(64))  # SHA-256 of what makes the source the same one at a retry
    event_id: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(10), default=AttemptState.OPEN)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id"))

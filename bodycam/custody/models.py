"""Tables of the custody log. The tiles in `log.dir` are the truth; these rows are where events wait and how they are found."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class CustodyEvent(Base):
    """One event: `body` is the leaf of the log, byte for byte; the sequencer alone writes `log_index`."""

    __tablename__ = "custody_event"
    __table_args__ = (Index("ix_custody_event_object_id_id", "object_id", "id"),)  # serves history()

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    # null until sequenced; the unique index also finds the nulls
    log_index: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    # JSON of the salts and what they hide; lies apart from the leaf and may be destroyed, the leaf still proves
    openings: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Receipt(Base):
    """The receipt issued for one event, as the text of its file."""

    __tablename__ = "custody_receipt"

    event_id: Mapped[str] = mapped_column(ForeignKey("custody_event.id"), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(64), index=True)
    body: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime]

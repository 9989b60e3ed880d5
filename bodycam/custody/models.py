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
    # when it was written anew under a checkpoint that a quorum of witnesses had cosigned; the index finds those still waiting
    witnessed_at: Mapped[datetime | None] = mapped_column(index=True)


class Cosignature(Base):
    """A witness's signature line on the checkpoint of `size`, checked when it came in."""

    __tablename__ = "cosignature"
    __table_args__ = (Index("ix_cosignature_witness_size", "witness", "size"),)  # what a witness knows

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(String(300), primary_key=True)  # its key: "<name>+<key id>"
    line: Mapped[str] = mapped_column(Text)
    signed_at: Mapped[datetime]  # the witness's own clock
    received_at: Mapped[datetime]


class WitnessStanding(Base):
    """How a witness answered last: no row or no `trouble` when well, else a code of `witness_client.Trouble`."""

    __tablename__ = "witness_standing"

    witness: Mapped[str] = mapped_column(String(300), primary_key=True)  # its key, as in `cosignature`
    trouble: Mapped[str | None] = mapped_column(String(20))
    since: Mapped[datetime]


class TimestampToken(Base):
    """An RFC 3161 timestamp over a checkpoint's body: asked for (`token_at` null) or had, its file in `log/timestamps`.

    A token is known by its checkpoint and authority, never by its own hash: it can be re-encoded and still be true.
    """

    __tablename__ = "timestamp_token"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    authority: Mapped[str] = mapped_column(String(100), primary_key=True)
    checkpoint: Mapped[str] = mapped_column(Text)
    queued_at: Mapped[datetime]
    token_at: Mapped[datetime | None]  # the time in the token

"""Tables of cases: case, its identifiers and officers, and the recordings proposed for or attached to it.

What a kind's `fields` hold is decided by `config/cases/*.toml`. Identifiers keep the text as typed, the kind, and a
compact form; the compact form is searched and never a key, since different kinds share compact forms.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base, new_id

NUMBER = "number"
"""The identifier kind of the case's own number: kept among the identifiers so that any spelling of it is found."""


class CaseState(StrEnum):
    """How a case stands."""

    OPEN = "open"
    CLOSED = "closed"


class LinkState(StrEnum):
    """How a recording stands to a case; only a person moves it out of `proposed`."""

    PROPOSED = "proposed"
    ATTACHED = "attached"
    REJECTED = "rejected"
    DETACHED = "detached"


class Case(Base):
    """One case; times are UTC, the place WGS 84 degrees with a radius in metres."""

    __tablename__ = "case_file"  # CASE is a word of SQL
    __table_args__ = (
        Index("ix_case_file_unit_id_starts_at", "unit_id", "starts_at", "id"),  # list in a scope, newest first
        Index("ix_case_file_starts_at", "starts_at", "id"),  # list of all, newest first
        Index("ix_case_file_ends_at", "ends_at"),  # cases around a recording's time
        UniqueConstraint("unit_id", "kind", "year", "number"),  # import again = update; numbers restart each year
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[str | None] = mapped_column(String(100))
    year: Mapped[int]
    title: Mapped[str] = mapped_column(String(300))
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    radius_m: Mapped[float | None]
    place: Mapped[str | None] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(20), default=CaseState.OPEN)
    opened_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    folded: Mapped[str] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text, default="{}")


class CaseIdentifier(Base):
    """One identifier of a case: a plate, a tax code, a minute's number."""

    __tablename__ = "case_identifier"
    __table_args__ = (
        UniqueConstraint("case_id", "kind", "compact"),
        Index("ix_case_identifier_compact", "compact", "kind"),  # search by what was typed, match by plate
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"))
    kind: Mapped[str] = mapped_column(String(40))
    raw: Mapped[str] = mapped_column(String(100))
    compact: Mapped[str] = mapped_column(String(100))
    variant: Mapped[str | None] = mapped_column(String(40))


class CaseOfficer(Base):
    """An officer who worked on the case."""

    __tablename__ = "case_officer"
    __table_args__ = (Index("ix_case_officer_officer_id", "officer_id"),)  # an officer's own cases

    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"), primary_key=True)
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), primary_key=True)


class CaseRecording(Base):
    """A recording proposed for, attached to, or rejected from a case; `reasons` is JSON [{code, vi, en}]."""

    __tablename__ = "case_recording"
    __table_args__ = (
        UniqueConstraint("case_id", "recording_id"),  # one row a pair: matching twice proposes once
        Index("ix_case_recording_recording_id", "recording_id"),  # the cases of a recording
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    state: Mapped[str] = mapped_column(String(20), default=LinkState.PROPOSED)
    score: Mapped[float] = mapped_column(default=0.0)
    reasons: Mapped[str] = mapped_column(Text, default="[]")
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)


class MinuteChoice(StrEnum):
    """What an officer says of a recording at the end of a shift."""

    NUMBER = "number"  # it belongs to the minute of this number
    NONE = "none"  # no minute was made
    LATER = "later"  # within 24 hours


class RecordingMinute(Base):
    """The minute (biên bản) a recording belongs to, as its officer says; changes are custody events."""

    __tablename__ = "recording_minute"
    __table_args__ = (
        Index("ix_recording_minute_compact", "compact"),  # recordings of a case's number
        Index("ix_recording_minute_officer_id_due_at", "officer_id", "due_at"),  # what an officer still owes
    )

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    choice: Mapped[str] = mapped_column(String(10))
    number: Mapped[str | None] = mapped_column(String(100))  # as typed
    compact: Mapped[str | None] = mapped_column(String(100))  # as identifiers are compared
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    station_id: Mapped[str | None] = mapped_column(ForeignKey("station.id"))
    chosen_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # until when it was put off; stays when it is answered

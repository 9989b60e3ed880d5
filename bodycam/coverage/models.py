"""Tables of coverage: debts, and ends of shifts.

A debt is a recording, a minute or a docking that is still missing: it has an owner, a deadline, and ends only with a reason.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base, new_id


class DebtKind(StrEnum):
    """What is owed."""

    MINUTE = "minute"  # the minute's number of a recording, put off at the end of a shift
    FOOTAGE = "footage"  # what is still on a camera that was taken out before it was done
    DOCKING = "docking"  # a camera that was due at the dock at the end of a shift


class Debt(Base):
    """One thing that is missing; open while `closed_at` is none. Times are UTC."""

    __tablename__ = "debt"
    __table_args__ = (
        Index("ix_debt_closed_at_due_at", "closed_at", "due_at"),  # open debts, the most urgent first
        Index("ix_debt_officer_id_closed_at", "officer_id", "closed_at"),  # what an officer owes
        Index("ix_debt_camera_id_closed_at", "camera_id", "closed_at"),  # what a docked camera settles
        Index("ix_debt_recording_id", "recording_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(12))
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))  # who owes it
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("camera.id"))
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("docking_visit.id"))
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id"))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    allowed_by: Mapped[str | None] = mapped_column(
        ForeignKey("officer.id")
    )  # the duty officer who ordered or allowed it
    reason: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str] = mapped_column(String(40), default="")  # what ended it: docked, number, none, explained


class ShiftEnd(Base):
    """One officer's end of shift at a kiosk: since when it counts, and the number of its hand-over slip."""

    __tablename__ = "shift_end"
    __table_args__ = (
        UniqueConstraint("slip"),
        Index("ix_shift_end_officer_id_ended_at", "officer_id", "ended_at"),  # an officer's last end of shift
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slip: Mapped[str] = mapped_column(String(30))
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    station_id: Mapped[str | None] = mapped_column(ForeignKey("station.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    body: Mapped[str] = mapped_column(Text)  # JSON: what the slip says, as it was handed over

"""The table of findings, as the last check of each recording left them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class VerificationFinding(Base):
    """One stored finding; `position` keeps the order of the checks, `numbers` is a JSON object."""

    __tablename__ = "verification_finding"
    __table_args__ = (
        Index(
            "uq_verification_finding_recording_id_position", "recording_id", "position", unique=True
        ),  # queries.findings_of
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    position: Mapped[int]
    row: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(40))
    result: Mapped[str] = mapped_column(String(16))
    vi: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    numbers: Mapped[str] = mapped_column(Text, default="{}")
    span_start_s: Mapped[float | None]
    span_end_s: Mapped[float | None]
    checked_at: Mapped[datetime]

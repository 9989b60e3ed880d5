"""Tables of extraction: the order (Phiếu đề nghị trích xuất) and the recordings it names."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base, new_id


class OrderState(StrEnum):
    """How an extraction order stands; no byte leaves before `APPROVED`."""

    REQUESTED = "requested"
    APPROVED = "approved"  # the package may be made until the order expires
    MADE = "made"  # the package is there and was checked
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class MakingState(StrEnum):
    """How the making of an order's package stands."""

    NONE = "none"
    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


class ExtractionOrder(Base):
    """One order to extract recordings for somebody outside; times are UTC, sizes bytes."""

    __tablename__ = "extraction_order"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_extraction_order_state", "state", "id"),  # orders waiting for somebody
        Index("ix_extraction_order_case_id", "case_id", "id"),  # a case's orders
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.id"))
    state: Mapped[str] = mapped_column(String(12), default=OrderState.REQUESTED)
    purpose: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    renditions: Mapped[bool]
    list_sha256: Mapped[str] = mapped_column(String(64))  # of the recordings' ids, as the log has it
    requested_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")  # of a refusal or withdrawal
    making: Mapped[str] = mapped_column(String(10), default=MakingState.NONE)
    making_done: Mapped[int] = mapped_column(BigInteger, default=0)
    making_total: Mapped[int] = mapped_column(BigInteger, default=0)
    making_problem: Mapped[str] = mapped_column(Text, default="")  # an error's text, vi then en, a line each
    package_id: Mapped[str | None] = mapped_column(String(36))
    package_path: Mapped[str | None] = mapped_column(Text)
    package_verdict: Mapped[str | None] = mapped_column(String(20))
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))
    made_at: Mapped[datetime | None]
    handed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    handed_at: Mapped[datetime | None]
    handed_to: Mapped[str] = mapped_column(Text, default="")  # who took it: name and position


class ExtractionItem(Base):
    """A recording of an order; the list is closed when the order is requested."""

    __tablename__ = "extraction_item"
    __table_args__ = (
        UniqueConstraint("order_id", "recording_id"),
        Index("ix_extraction_item_recording_id", "recording_id"),  # the orders of a recording
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("extraction_order.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)

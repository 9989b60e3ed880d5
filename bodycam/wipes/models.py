"""Tables of wiping: the order (one a station and day) and its files."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base, new_id


class OrderState(StrEnum):
    """How a wipe order stands; nothing is deleted before `ORDERED`."""

    RAISED = "raised"  # proposed, by a person or because a camera fills; files may still be added that day
    APPROVED = "approved"  # the plan's approver agrees: the list is closed, the minute is printed
    ORDERED = "ordered"  # the signed copy of the minute is attached: stations may delete
    DONE = "done"  # every file wiped or kept with its reason
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ItemState(StrEnum):
    """What became of one file of an order."""

    WAITING = "waiting"
    WIPED = "wiped"
    KEPT = "kept"  # a check failed, or it was no longer there: see `reason`


class WipeOrder(Base):
    """A batch of files to delete from cameras (Biên bản xóa dữ liệu trên thiết bị); times are UTC."""

    __tablename__ = "wipe_order"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_wipe_order_station_id_day", "station_id", "day"),  # one open batch a station and day
        Index("ix_wipe_order_state", "state", "id"),  # orders waiting for somebody
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(40))
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    day: Mapped[str] = mapped_column(String(10))  # local date, YYYY-MM-DD
    state: Mapped[str] = mapped_column(String(12), default=OrderState.RAISED)
    cause: Mapped[str] = mapped_column(String(20))  # card_filling, person
    raised_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # none: the system, for a card that fills
    raised_at: Mapped[datetime]
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    list_sha256: Mapped[str | None] = mapped_column(String(64))  # of the closed list, printed on the minute
    signed_recording_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id"))  # the signed minute, sealed
    signed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # who attached it
    signed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")  # of a refusal or withdrawal


class WipeItem(Base):
    """One file of an order."""

    __tablename__ = "wipe_item"
    __table_args__ = (
        UniqueConstraint("order_id", "camera_file_id"),
        Index("ix_wipe_item_camera_id_state", "camera_id", "state"),  # what to delete from a docked camera
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("wipe_order.id"))
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    camera_file_id: Mapped[str] = mapped_column(ForeignKey("camera_file.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    leaf_index: Mapped[int]  # of the sealing event in the log
    state: Mapped[str] = mapped_column(String(10), default=ItemState.WAITING)
    reason: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[datetime | None]

"""Tables of retention: schedules, holds, disposition batches with their results, tombstones, signed negatives.

The rows are what people read; before anything is destroyed, the events of the custody log decide (`authority`), so that a row
edited behind our back destroys nothing and lifts no hold. Times are UTC.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base, new_id


class ScheduleState(StrEnum):
    """How a version of the schedule stands."""

    PROPOSED = "proposed"  # waits for a second person
    IN_FORCE = "in_force"
    PAST = "past"
    REFUSED = "refused"


class RetentionSchedule(Base):
    """One version of the schedule: its rules as canonical JSON, and who proposed and who agreed."""

    __tablename__ = "retention_schedule"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_retention_schedule_state", "state", "number"),  # the one in force, those proposed
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))  # of the body; stands in the events too
    state: Mapped[str] = mapped_column(String(12), default=ScheduleState.PROPOSED)
    reason: Mapped[str] = mapped_column(Text, default="")
    proposed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # none: shipped with the program
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    event_id: Mapped[str | None] = mapped_column(String(36))  # the event that put it in force
    ended_at: Mapped[datetime | None]  # when the next one came


class HoldTarget(StrEnum):
    """What a hold covers."""

    RECORDING = "recording"
    CASE = "case"
    PERSON = "person"  # an officer, over a span of time or for good
    PLACE = "place"  # a place and a span of time: whole shifts


class HoldCause(StrEnum):
    """Why a hold was placed: by a person's order, or because somebody complained (then the accused's line never sees it)."""

    ORDER = "order"
    COMPLAINT = "complaint"


class LegalHold(Base):
    """A hold ("Tạm dừng xóa"): nothing that it covers is destroyed while it stands."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_legal_hold_released_at", "released_at", "id"),  # those that stand
        Index("ix_legal_hold_submission_id", "submission_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[str | None] = mapped_column(String(40))  # a complaint's has none: numbers would count it
    kind: Mapped[str] = mapped_column(String(12))
    cause: Mapped[str] = mapped_column(String(12))
    target: Mapped[str] = mapped_column(Text)  # canonical JSON; the event commits to it
    reason_code: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text, default="")
    submission_id: Mapped[str | None] = mapped_column(String(36))
    placed_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # none: the system
    placed_at: Mapped[datetime]
    event_id: Mapped[str] = mapped_column(String(36))
    until: Mapped[datetime | None]  # a complaint's end: set when it is closed
    released_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str] = mapped_column(Text, default="")


class BatchState(StrEnum):
    """How a disposition batch stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"  # by one person; a second one of another unit is needed
    COOLING = "cooling"  # both agreed; may be undone until the cooling-off is over
    RUNNING = "running"
    DONE = "done"
    DEBT = "debt"  # done but for copies that could not be destroyed: named, tried again
    UNDONE = "undone"
    REFUSED = "refused"


class ItemState(StrEnum):
    """What became of one recording of a batch."""

    WAITING = "waiting"
    KEPT = "kept"  # no longer due, or held: see `reason`
    DESTROYING = "destroying"  # begun: goes on after a crash
    DESTROYED = "destroyed"
    DEBT = "debt"


class DispositionBatch(Base):
    """What a job proposed to destroy; `list_sha256` is over its items and stands in every event of it."""

    __tablename__ = "disposition_batch"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_disposition_batch_state", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12), default=BatchState.PROPOSED)
    list_sha256: Mapped[str] = mapped_column(String(64))
    schedule_sha256: Mapped[str] = mapped_column(String(64))
    items: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    proposed_at: Mapped[datetime]
    first_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    first_unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    first_at: Mapped[datetime | None]
    second_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    second_unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    second_at: Mapped[datetime | None]
    cooling_until: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # who undid or refused it
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class DispositionItem(Base):
    """One recording of a batch: the rule it is due under, since when the time ran, and its sealing's leaf."""

    __tablename__ = "disposition_item"
    __table_args__ = (
        UniqueConstraint("batch_id", "recording_id"),
        Index("ix_disposition_item_recording_id", "recording_id"),
        Index("ix_disposition_item_state", "state"),  # what waits for another try
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    batch_id: Mapped[str] = mapped_column(ForeignKey("disposition_batch.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    size: Mapped[int] = mapped_column(BigInteger)
    leaf_index: Mapped[int]
    leaf_hash: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12), default=ItemState.WAITING)
    reason: Mapped[str] = mapped_column(String(200), default="")
    done_at: Mapped[datetime | None]


class DestroyedCopy(Base):
    """What became of one copy of one object: the result per copy."""

    __tablename__ = "destroyed_copy"
    __table_args__ = (UniqueConstraint("item_id", "object_id", "place"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    item_id: Mapped[str] = mapped_column(ForeignKey("disposition_item.id"))
    object_id: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(12))  # original, or a rendition's kind
    place: Mapped[str] = mapped_column(String(40))
    ok: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(300), default="")
    tried_at: Mapped[datetime]


class Tombstone(Base):
    """What stays in public of a destroyed recording: the leaf of its sealing, the rule, the dates; nothing of its content."""

    __tablename__ = "tombstone"
    __table_args__ = (
        Index("ix_tombstone_destroyed_at", "destroyed_at", "leaf_index"),
    )  # the public list, newest first

    leaf_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf_hash: Mapped[str] = mapped_column(String(64), unique=True)
    recording_id: Mapped[str] = mapped_column(String(36), unique=True)  # never published
    rule: Mapped[str] = mapped_column(String(40))
    sealed_at: Mapped[datetime]
    due_at: Mapped[datetime]
    destroyed_at: Mapped[datetime]
    complete_at: Mapped[datetime]  # when the last backup that holds the envelope has expired
    event_id: Mapped[str] = mapped_column(String(36))


class ClockWatch(Base):
    """How far the log's times were looked through; one row. What was found stands in the log (`clock.stepped`)."""

    __tablename__ = "clock_watch"

    id: Mapped[str] = mapped_column(String(10), primary_key=True)
    scanned: Mapped[int]  # entries looked at
    high: Mapped[datetime | None]  # the latest time believed
    boots: Mapped[str] = mapped_column(Text, default="{}")  # JSON: boot id -> [time, monotonic µs] last seen


class SignedNegative(Base):
    """“No footage found for …, searched … by …”: a statement that reopens by itself when footage appears."""

    __tablename__ = "signed_negative"
    __table_args__ = (
        UniqueConstraint("number"),
        Index("ix_signed_negative_unit_id", "unit_id", "id"),
        Index("ix_signed_negative_reopened_at", "reopened_at", "id"),  # those that stand
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    asked: Mapped[str] = mapped_column(Text)  # JSON of negatives.Asked
    document: Mapped[str] = mapped_column(Text)  # canonical JSON of the statement; its SHA-256 stands in the event
    made_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime]
    event_id: Mapped[str] = mapped_column(String(36))
    reopened_at: Mapped[datetime | None]
    reopened_by: Mapped[str | None] = mapped_column(ForeignKey("recording.id"))  # the footage that appeared
    seen_by: Mapped[str | None] = mapped_column(ForeignKey("account.id"))  # who was told, and said so
    seen_at: Mapped[datetime | None]

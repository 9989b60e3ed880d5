"""Tables of the fleet: camera, camera issue, station, board, command, docking visit.

A camera's holder is never a column of the camera: it is the issue that covers the moment asked about. A serial is what the
device says of itself and is unique here; a second device that says the same is refused while the first is docked.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.clock import now
from bodycam.db import Base, new_id


class CameraState(StrEnum):
    """Where a camera stands; what a quarantined one brings in is kept apart until somebody decides."""

    IN_SERVICE = "in_service"
    QUARANTINED = "quarantined"
    BROKEN = "broken"
    LOST = "lost"
    RETIRED = "retired"


class VisitState(StrEnum):
    """How a docking visit stands."""

    OPEN = "open"
    DONE = "done"
    LOST = "lost"
    FAILED = "failed"
    RELEASED = "released"  # taken out before it was done, by order of the duty officer


class Camera(Base):
    """A body-worn camera; times are UTC, `last_offset_s` is camera clock minus dock clock at the last docking."""

    __tablename__ = "camera"
    __table_args__ = (
        UniqueConstraint("serial"),  # a docking camera names itself by serial
        UniqueConstraint("label"),
        Index("ix_camera_unit_id", "unit_id", "id"),  # list of a unit's cameras, keyset on id
        Index("ix_camera_last_docked_at", "last_docked_at"),  # overdue to the dock
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    serial: Mapped[str] = mapped_column(String(100))
    label: Mapped[str | None] = mapped_column(String(40))
    profile: Mapped[str | None] = mapped_column(String(60))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(String(20), default=CameraState.IN_SERVICE)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_docked_at: Mapped[datetime | None]
    last_offset_s: Mapped[float | None]
    battery_percent: Mapped[int | None]
    storage_bytes: Mapped[int | None] = mapped_column(BigInteger)
    storage_free_bytes: Mapped[int | None] = mapped_column(BigInteger)


class CameraIssue(Base):
    """A camera in an officer's hands from `starts_at` (inclusive) to `ends_at` (exclusive; none = still)."""

    __tablename__ = "camera_issue"
    __table_args__ = (
        Index("ix_camera_issue_camera_id_starts_at", "camera_id", "starts_at"),  # who held it at a moment
        Index("ix_camera_issue_officer_id_starts_at", "officer_id", "starts_at"),  # what an officer held
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class Station(Base):
    """A docking station and its number of slots; a remote one proves itself by a token whose hash is here."""

    __tablename__ = "station"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    slots: Mapped[int]
    token_hash: Mapped[str | None] = mapped_column(String(64))
    paired_at: Mapped[datetime | None]  # since when the kiosk that holds the token does
    pairing_hash: Mapped[str | None] = mapped_column(String(64))  # of the one-time code that the next kiosk types
    pairing_until: Mapped[datetime | None]


class StationBoard(Base):
    """What a station's kiosk shows now: one row, rewritten at most once a second; `beat_at` is its heartbeat."""

    __tablename__ = "station_board"

    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    beat_at: Mapped[datetime]


class StationCommand(Base):
    """Something a person asked of a station (release, retry, identify); the station takes it once."""

    __tablename__ = "station_command"
    __table_args__ = (
        Index("ix_station_command_station_id_taken_at", "station_id", "taken_at"),  # commands not yet taken
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    slot: Mapped[int | None]
    command: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"))
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))  # who asked at the kiosk
    body: Mapped[str] = mapped_column(Text, default="{}")  # JSON: what the command needs besides its slot
    created_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]


class DockingVisit(Base):
    """One stay of one camera in one slot.

    `camera_time_raw` is the camera's clock as it wrote it, before anything sets it; `camera_time` the same as UTC;
    `dock_time` the dock's clock at that moment; `offset_s` camera minus dock; `reference` what disciplines the dock's
    clock ("ntp", "unknown", …). `files` and `bytes` count what was sealed. `problems` is a JSON list.
    """

    __tablename__ = "docking_visit"
    __table_args__ = (
        Index("ix_docking_visit_camera_id_started_at", "camera_id", "started_at"),  # a camera's visits, newest first
        Index("ix_docking_visit_station_id_started_at", "station_id", "started_at"),  # a station's visits
        Index("ix_docking_visit_state", "state"),  # visits left open by a station that died
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    station_id: Mapped[str | None] = mapped_column(ForeignKey("station.id"))
    slot: Mapped[int | None]
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("camera.id"))
    serial: Mapped[str] = mapped_column(String(100))
    port: Mapped[str | None] = mapped_column(String(60))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20), default=VisitState.OPEN)
    camera_time_raw: Mapped[str | None] = mapped_column(String(60))
    camera_time: Mapped[datetime | None]
    dock_time: Mapped[datetime | None]
    offset_s: Mapped[float | None]
    reference: Mapped[str | None] = mapped_column(String(20))
    drift_s: Mapped[float | None]  # seconds the clock may have drifted since it was last set: ppm x hours
    clock_set_at: Mapped[datetime | None]  # when this visit set the camera's clock
    profile: Mapped[str | None] = mapped_column(String(60))
    full_in_s: Mapped[float | None]  # until the card is full at the pace of its last shifts
    files: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    problems: Mapped[str] = mapped_column(Text, default="[]")


class KioskSession(Base):
    """An officer at a station's kiosk for a minute: opened by card or PIN, ended by leaving or by silence."""

    __tablename__ = "kiosk_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_kiosk_session_station_id_ended_at", "station_id", "ended_at"),  # who is at a kiosk now
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    station_id: Mapped[str] = mapped_column(ForeignKey("station.id"))
    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    way: Mapped[str] = mapped_column(String(10))  # card, pin
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CameraOutage(Base):
    """A camera reported broken: from when to when it could not record, who said so, and the number of the slip."""

    __tablename__ = "camera_outage"
    __table_args__ = (
        UniqueConstraint("slip"),
        Index("ix_camera_outage_camera_id_reported_at", "camera_id", "reported_at"),  # a camera's outages
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slip: Mapped[str] = mapped_column(String(30))
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))
    station_id: Mapped[str | None] = mapped_column(ForeignKey("station.id"))
    symptom: Mapped[str] = mapped_column(String(30))
    note: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]  # when it broke, as the officer says
    reported_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str] = mapped_column(Text, default="")

"""Tables of the catalogue: recordings, their renditions, tracks and plates.

A recording's row points into the vault by the object's id. The original is never altered; everything made from it is a
rendition that names it. Times are UTC; what the device wrote stays beside them as text.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bodycam.db import Base


class Kind(StrEnum):
    """What a file is to us."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"
    SIDECAR = "sidecar"
    OTHER = "other"


class Origin(StrEnum):
    """Through which door it came; origins differ in trust, never in care."""

    DOCK = "dock"
    CITIZEN = "citizen"
    IMPORT = "import"


class State(StrEnum):
    """How far the reading went; the bytes are safe in every state but the one that says that they are gone."""

    SEALED = "sealed"
    READ = "read"
    UNREADABLE = "unreadable"
    DESTROYED = "destroyed"  # by a disposition batch: the bytes are gone, a tombstone remains
    ENCRYPTED = "encrypted"  # by the camera, as its name says: kept as it is, opened with the maker's program


class Verdict(StrEnum):
    """What the checks say together; `NOT_CHECKED` is never shown as good."""

    MATCH = "match"
    NOTE = "note"
    LOOK_CLOSER = "look_closer"
    CONTRADICTION = "contradiction"
    NOT_CHECKED = "not_checked"
    NOT_APPLICABLE = "not_applicable"


class Recording(Base):
    """One sealed file."""

    __tablename__ = "recording"
    __table_args__ = (
        Index("ix_recording_shown_at_id", "shown_at", "id"),  # queries.list_recordings
        Index("ix_recording_camera_id_sha256", "camera_id", "sha256"),  # intake: the same bytes again
        Index("ix_recording_officer_id_shown_at", "officer_id", "shown_at"),
        Index("ix_recording_unit_id_shown_at", "unit_id", "shown_at"),
        Index("ix_recording_visit_id_name", "visit_id", "name"),  # service.link_sidecars
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    object_id: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the ciphertext
    sha256: Mapped[str] = mapped_column(String(64), index=True)  # of the original bytes
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(1000))  # path on the device, or the sender's file name
    kind: Mapped[str] = mapped_column(String(10))
    origin: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12), default=State.SEALED)
    quarantine: Mapped[bool] = mapped_column(default=False)  # came from a camera nobody registered
    event_flag: Mapped[bool] = mapped_column(default=False)  # the device marked it (SOS, IMP)
    camera_id: Mapped[str | None] = mapped_column(ForeignKey("camera.id"))
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    visit_id: Mapped[str | None] = mapped_column(ForeignKey("docking_visit.id"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id"), index=True)  # a sidecar's recording
    sealed_at: Mapped[datetime]
    sealed_event_id: Mapped[str] = mapped_column(String(36))
    shown_at: Mapped[datetime]  # started_at when known, else sealed_at: what lists are sorted by
    started_at: Mapped[datetime | None]  # corrected by the clock offset when that is trusted
    ended_at: Mapped[datetime | None]
    duration_s: Mapped[float | None]
    device_started_at: Mapped[datetime | None]  # what the device wrote, read as UTC
    time_raw: Mapped[str | None] = mapped_column(String(100))
    time_source: Mapped[str | None] = mapped_column(String(20))
    clock_offset_s: Mapped[float | None]  # device minus dock, measured at docking
    said: Mapped[str | None] = mapped_column(Text)  # JSON of names.NameFacts: what its name says
    mime: Mapped[str | None] = mapped_column(String(100))
    container: Mapped[str | None] = mapped_column(String(40))
    codec: Mapped[str | None] = mapped_column(String(40))
    width: Mapped[int | None]
    height: Mapped[int | None]
    device_make: Mapped[str | None] = mapped_column(String(100))
    device_model: Mapped[str | None] = mapped_column(String(100))
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    place: Mapped[str | None] = mapped_column(String(200))
    verdict: Mapped[str] = mapped_column(String(16), default=Verdict.NOT_CHECKED)
    folded: Mapped[str] = mapped_column(Text, default="")  # db.fold() of all a search should find it by
    media: Mapped[str] = mapped_column(Text, default="{}")  # JSON of bodycam.media's MediaInfo

    plates: Mapped[list["RecordingPlate"]] = relationship(
        cascade="all, delete-orphan", order_by="RecordingPlate.compact"
    )


class Rendition(Base):
    """Something made from a recording, sealed in the vault like it: thumbnail, filmstrip, viewing copy."""

    __tablename__ = "rendition"
    __table_args__ = (
        Index("uq_rendition_recording_id_kind", "recording_id", "kind", unique=True),
        Index("ix_rendition_object_id", "object_id"),  # fixity: whose object is this?
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"))
    kind: Mapped[str] = mapped_column(String(12))  # thumbnail, filmstrip, proxy
    object_id: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    mime: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime]


class Track(Base):
    """Where a recording was made: positions as JSON, `[utc iso or null, offset s or null, lat, lon, alt m, speed m/s]`."""

    __tablename__ = "track"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(20))
    points: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    distance_m: Mapped[float]
    south: Mapped[float]
    west: Mapped[float]
    north: Mapped[float]
    east: Mapped[float]


class RecordingPlate(Base):
    """A plate somebody noted on a recording; search uses the compact form, people see what was typed."""

    __tablename__ = "recording_plate"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    compact: Mapped[str] = mapped_column(String(20), primary_key=True, index=True)
    raw: Mapped[str] = mapped_column(String(40))
    vehicle: Mapped[str | None] = mapped_column(String(20))


class CameraFileState(StrEnum):
    """Where a file that was once seen on a camera stands."""

    ON_CAMERA = "on_camera"
    GONE = "gone"  # no longer there, and we didn't delete it: overwritten by the camera's loop, or by a hand
    WIPED = "wiped"


class CameraFile(Base):
    """A file as it was seen on a camera's card at its dockings, and the recording it was sealed as."""

    __tablename__ = "camera_file"
    __table_args__ = (
        UniqueConstraint("camera_id", "path", "size", "modified_raw"),  # the same file at the next docking
        Index("ix_camera_file_camera_id_state", "camera_id", "state", "id"),  # what still lies on a camera
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id"))
    path: Mapped[str] = mapped_column(String(1000))
    size: Mapped[int] = mapped_column(BigInteger)
    modified_raw: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(12), default=CameraFileState.ON_CAMERA)
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recording.id"), index=True)
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    last_visit_id: Mapped[str | None] = mapped_column(ForeignKey("docking_visit.id"))
    clock_offset_s: Mapped[
        float | None
    ]  # camera minus dock when first seen: a clock set later doesn't change what it meant
    ended_at: Mapped[datetime | None]  # when it was found gone, or wiped

"""What was read from a file, as frozen values that travel between processes as JSON.

Three kinds of time stay apart (GPS, container, with a written offset); a time whose zone had to be assumed is "derived".
Raw text is always kept beside its reading.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from bodycam.media.problems import Problem

TEXT_LIMIT = 100  # letters of a tag that are kept; the catalogue's columns are as long


class MediaKind(StrEnum):
    """What a file is for a person."""

    VIDEO = "video"
    AUDIO = "audio"
    IMAGE = "image"
    SIDECAR = "sidecar"
    OTHER = "other"


class TimeKind(StrEnum):
    """How far a time's UTC reading can be trusted."""

    GPS = "gps"  # from a satellite receiver
    CONTAINER = "container"  # nominally UTC (ISO 14496-12, 8.2.2), often local in truth
    OFFSET = "offset"  # written with its offset from UTC
    DERIVED = "derived"  # no zone written: Vietnam's (UTC+7) was assumed


@dataclass(frozen=True)
class Stream:
    """One stream: "video", "audio", "subtitle" or "data"; `fps` frames a second, `sample_rate` in Hz."""

    type: str
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    pixel_format: str | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class MediaTime:
    """One time written in or on the file: where, as written, and as UTC if it can be told."""

    source: str
    raw: str
    utc: datetime | None
    kind: TimeKind


@dataclass(frozen=True)
class Device:
    """What the file says wrote it."""

    make: str | None = None
    model: str | None = None
    serial: str | None = None


@dataclass(frozen=True)
class MediaInfo:
    """What a file is. `metadata` holds the raw text of its tags that readers above interpret (positions, models)."""

    size: int
    kind: MediaKind
    mime: str
    container: str | None = None
    duration_s: float | None = None
    streams: tuple[Stream, ...] = ()
    times: tuple[MediaTime, ...] = ()
    device: Device | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def first(self, stream_type: str) -> Stream | None:
        """Return the first stream of a type, or None."""
        return next((stream for stream in self.streams if stream.type == stream_type), None)

    def has_problem(self, *codes: str) -> bool:
        """Tell whether one of these problems was found."""
        return any(problem.code in codes for problem in self.problems)


def clean(value: object, limit: int = TEXT_LIMIT) -> str:
    """Return a foreign text fit to be kept: no control characters, lone surrogates or NULs, and cut to a length."""
    return "".join(letter for letter in str(value)[: 4 * limit] if letter.isprintable()).strip()[:limit]


def as_utc(moment: datetime | None, zone: tzinfo = UTC) -> datetime | None:
    """Return a foreign time as UTC, one without a zone taken to be in `zone`; None outside 1900-2199, where sums overflow."""
    if moment is None or not 1900 <= moment.year < 2200:  # noqa: PLR2004  generous bounds
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


@cache
def _adapter() -> TypeAdapter[MediaInfo]:
    return TypeAdapter(MediaInfo)


def info_to_json(info: MediaInfo) -> dict[str, Any]:
    """Return the info as plain JSON values."""
    result: dict[str, Any] = _adapter().dump_python(info, mode="json")
    return result


def info_from_json(value: object) -> MediaInfo:
    """Return the info that `info_to_json` wrote."""
    return _adapter().validate_python(value)

"""What the checks need to know of a recording; plain values, so that every check is a pure function."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bodycam.media.continuity import Continuity
from bodycam.media.info import MediaInfo, MediaTime, TimeKind
from bodycam.telemetry.iso6709 import Location
from bodycam.telemetry.track import Track

_DEVICE_SOURCES = ("container:creationdate", "container", "exif:DateTimeOriginal", "exif:DateTime")


@dataclass(frozen=True)
class DockClock:
    """The camera's clock measured at the dock: camera minus dock in seconds, and whether the dock's own clock was valid."""

    offset_s: float
    is_reference_valid: bool


@dataclass(frozen=True)
class SealedBytes:
    """What re-reading a sealed object gave: the hash noted at sealing, and the vault's problem codes (none: all is well)."""

    sha256: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordingFacts:
    """One recording as the checks see it.

    `sealed` is None when nobody has re-read it; `is_loose` marks a file outside the vault, where that can't be. `clock` is
    None when no dock measured the camera. `at` is the time of checking (UTC). `is_encrypted`: the camera encrypted it, by its name.
    """

    name: str
    info: MediaInfo
    at: datetime
    track: Track | None = None
    location: Location | None = None
    continuity: Continuity | None = None
    clock: DockClock | None = None
    sealed: SealedBytes | None = None
    is_loose: bool = False
    is_encrypted: bool = False

    @property
    def device_time(self) -> MediaTime | None:
        """The time the camera's own clock wrote into the file, best source first."""
        for source in _DEVICE_SOURCES:
            for time in self.info.times:
                if time.source == source and time.utc is not None:
                    return time
        return None

    @property
    def gps_start(self) -> datetime | None:
        """When the recording began by satellite time (UTC), or None."""
        if self.track is not None:
            for point in self.track.fixed:
                if point.time is not None:
                    return point.time - timedelta(seconds=point.offset_s or 0.0)
        return next((time.utc for time in self.info.times if time.kind is TimeKind.GPS and time.utc), None)

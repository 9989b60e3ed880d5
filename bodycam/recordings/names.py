"""What a file's name says before anybody opened it: its kind, which recording a sidecar belongs to, and what its camera put there.

Names are claims: kept and shown, used where nothing better is known, never proof.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath

from bodycam.recordings.models import Kind

_SUFFIXES: dict[Kind, frozenset[str]] = {
    Kind.VIDEO: frozenset({"mp4", "mov", "avi", "mkv", "ts", "m4v", "3gp", "webm", "mpg", "360"}),
    Kind.AUDIO: frozenset({"wav", "mp3", "aac", "m4a", "amr", "ogg", "flac"}),
    Kind.IMAGE: frozenset({"jpg", "jpeg", "png", "heic", "heif", "tif", "tiff"}),
    Kind.SIDECAR: frozenset({"nmea", "gpx", "gps", "srt", "log", "idx", "json", "txt"}),
}


def kind_of(name: str) -> Kind | None:
    """Return the kind that a file's suffix promises, or None; reading the bytes has the last word."""
    suffix = PurePosixPath(name).suffix.lower().removeprefix(".")
    return next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), None)


def stem_of(name: str) -> str:
    """Return a path without its suffix, lower case: a sidecar and its recording share it."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")).lower()


def is_beside(sidecar: str, recording: str) -> bool:
    """Tell whether a sidecar's name is a recording's: one stem, or "a.mp4.gpx" beside "a.mp4", whatever the case."""
    return stem_of(sidecar) in {stem_of(recording), recording.lower()}


@dataclass(frozen=True)
class NameFacts:
    """What a recording's name says, as its camera's profile (`profile`, by key) reads it; `start` is UTC by that profile's zone."""

    profile: str
    camera: str | None = None
    officer: str | None = None
    start: datetime | None = None
    start_raw: str = ""
    sequence: int | None = None
    chapter: int | None = None
    is_encrypted: bool = False

    def to_json(self) -> str:
        """Return what `Recording.said` keeps."""
        told = asdict(self) | {"start": self.start.isoformat() if self.start else None}
        return json.dumps(told, ensure_ascii=False)


def name_facts(said: str | None) -> NameFacts | None:
    """Read `Recording.said`; None when the name says nothing."""
    if not said:
        return None
    told = json.loads(said)
    start = datetime.fromisoformat(told["start"]) if told["start"] else None
    return NameFacts(**{**told, "start": start})

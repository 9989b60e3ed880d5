"""What a file's name says before anybody opened it: its kind, and which recording a sidecar belongs to."""

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

"""The camera as the offload sees it, whatever the wire: identity, files, bytes from an offset, clock, battery.

`clock` gives the camera's own time beside the dock's; offset = camera minus dock, in seconds (positive: the camera is
ahead). Raw texts are kept, since zone and date are the camera's claims.
"""

import unicodedata
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

MAX_NAME = 255  # bytes of UTF-8, the limit of common file systems
MAX_PATH = 980  # letters; a longer one loses folders at its front
MAX_SERIAL = 100


@dataclass(frozen=True)
class CameraIdentity:
    """Who the camera is; the serial number is what everything else hangs on. `officer`: the number somebody once set in it."""

    serial: str
    make: str
    model: str
    officer: str = ""


@dataclass(frozen=True)
class CameraFile:
    """One file on the camera: safe relative path, listed size in bytes, time as written and as UTC, and its key there."""

    path: str
    size: int
    modified_raw: str
    modified: datetime | None
    key: int


@dataclass(frozen=True)
class ClockReading:
    """The camera's clock read once: its text, the same as UTC (None when it is no date), and the dock's time meanwhile."""

    raw: str
    camera_time: datetime | None
    dock_time: datetime

    @property
    def offset_s(self) -> float | None:
        """Camera minus dock in seconds."""
        return None if self.camera_time is None else (self.camera_time - self.dock_time).total_seconds()


@dataclass(frozen=True)
class CameraStorage:
    """Bytes in all and free over the camera's cards."""

    capacity: int
    free: int


class Camera(Protocol):
    """One opened camera. Every method may raise a `CameraError`; only `set_clock` and `delete` change anything on it."""

    @property
    def identity(self) -> CameraIdentity:
        """Return who it is."""
        ...

    def list_files(self) -> list[CameraFile]:
        """List every file, ordered by path; a camera that vanished raises and is never taken for empty."""
        ...

    def read(self, file: CameraFile, offset: int = 0) -> Generator[bytes]:
        """Yield the file's bytes from `offset` to its real end, wherever the listed size says it is."""
        ...

    def refresh(self, file: CameraFile) -> CameraFile | None:
        """List the file again, to see whether it changed while it was read; None when it is no longer there."""
        ...

    def clock(self) -> ClockReading | None:
        """Read its clock, or None when it offers none."""
        ...

    def read_times_in(self, zone: tzinfo) -> bool:
        """Read times that name no zone as this one's from now on: list, and ask the clock, again.

        False where that is settled already: a card is mounted in its zone.
        """
        ...

    def set_clock(self, to: datetime) -> bool:
        """Set its clock to an aware time, to the nearest second; False when it can't be set. Read `clock` again afterwards."""
        ...

    def delete(self, file: CameraFile) -> None:
        """Delete one listed file from the camera, after looking that it is still the one listed; only a wipe order may.

        Raises FileReplacedError when it is another one by now, CameraReadOnlyError where nothing can be deleted, and
        CameraRefusedError when the camera will not.
        """
        ...

    def changed(self) -> bool:
        """Tell whether the camera said, since the last call, that its files changed; False where it never says. Quick."""
        ...

    def battery(self) -> int | None:
        """Return its battery in percent, or None when it offers none."""
        ...

    def storage(self) -> CameraStorage | None:
        """Return its space, or None when it does not say."""
        ...

    def close(self) -> None:
        """Give it back; never raises for a camera that is gone."""
        ...


def safe_path(parts: tuple[str, ...]) -> str:
    """Make a relative path of a camera's raw names: NFC, no "..", no empty, absolute or control part, 255 bytes a part."""
    names = [_safe_name(part) for part in parts] or ["_"]
    while sum(len(name) + 1 for name in names) > MAX_PATH:
        names.pop(0)
    return "/".join(names)


def safe_serial(raw: str) -> str:
    """Make a serial number of a camera's raw text: what can be printed, 100 letters of it."""
    return "".join(c for c in raw if c.isprintable()).strip()[:MAX_SERIAL].strip()


def _safe_name(raw: str) -> str:
    name = "".join("_" if c in "/\\" or unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} else c for c in raw)
    name = unicodedata.normalize("NFC", name).strip()
    if name in {"", ".", ".."}:
        return "_"
    encoded = name.encode()
    return name if len(encoded) <= MAX_NAME else encoded[:MAX_NAME].decode(errors="ignore")


def _numbered(path: str, number: int) -> str:
    """Put a number behind a path; its last part stays within the limit."""
    folder, slash, name = path.rpartition("/")
    mark = f" ({number})"
    return folder + slash + name.encode()[: MAX_NAME - len(mark)].decode(errors="ignore") + mark


def unique_paths(paths: list[str]) -> list[str]:
    """Make paths differ that a camera lists twice, as "a.mp4", "a.mp4 (2)"…, in the order given."""
    seen: dict[str, int] = {}
    unique = []
    for path in paths:
        name = path
        while name in seen:
            seen[path] += 1
            name = _numbered(path, seen[path])
        seen[name] = 1
        unique.append(name)
    return unique

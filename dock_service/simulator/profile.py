"""What one virtual camera is: `camera.toml` in its folder, its card, and whether it is plugged in.

A bus folder holds one folder per camera:

    BWC-0412/camera.toml   who it is and how it misbehaves (`Profile`)
    BWC-0412/card/…        the files it serves
    BWC-0412/unplugged     present = not plugged in; an epoch time inside = plugs itself in again then
    BWC-0412/clock-offset  its clock minus real time in seconds, once somebody set it
    BWC-0412/card-2/…      a second card of a mass-storage camera, when it is there
    BWC-0412/switched      it changed over to a drive; the epoch time inside is when it is back. Gone at the next plug
    BWC-0412/faults-done   faults that happened once already, a name a line

All state is on disk, so a person (`touch unplugged`), a button and several processes see one and the same bus.
"""

import contextlib
import time
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dock_service.errors import BadCameraFileError

CAMERA_FILE, CARD, UNPLUGGED, DONE, CLOCK = "camera.toml", "card", "unplugged", "faults-done", "clock-offset"

SWITCHED = "switched"


class Faults(BaseModel):
    """How the camera misbehaves; each `…_after_bytes` counts file bytes served since it was plugged in, and happens once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unplug_after_bytes: int | None = None
    replug_after_s: float | None = None  # None: stays out
    replug_port: int | None = None
    stall_after_bytes: int | None = None
    hang_after_bytes: int | None = None  # answers nothing until it is cancelled or reset
    no_memory_above: int | None = None  # bytes of one USB read that fail with ENOMEM, every time
    stall_above: int | None = None  # bytes asked at once that halt the pipe, every time
    bad_sectors: dict[str, int] = Field(
        default_factory=dict
    )  # path on a drive's card -> the byte from which it gives EIO
    lies: dict[str, int] = Field(default_factory=dict)  # path on the card -> the size it claims


class Profile(BaseModel):
    """Who the camera is and what it offers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serial: str
    label: str = ""
    make: str = "Bodycam Simulator"
    model: str = "SIM-1"
    vendor_id: int = 0x1209  # pid.codes, the vendor id for open projects
    product_id: int = 0x0412
    port: int = Field(default=1, ge=1, le=255)
    battery: int = Field(default=80, ge=-1, le=100)  # percent; -1: offers none
    clock_offset_s: float = 0.0  # camera minus real time
    zone_hours: float | None = None  # None: tells its local time without a zone
    local_hours: float = 7.0  # the zone of its local time
    date_time: bool = True
    date_time_set: bool = True  # lets its clock be set
    read_only: bool = False  # refuses to delete
    events: bool = True  # tells by its interrupt pipe what came onto its card
    capacity: int = 32 << 30  # bytes of its card
    rate: int | None = None  # bytes a second on the wire; None: as fast as it goes
    partial: int = 64  # offers GetPartialObject64 (64), only GetPartialObject (32), or neither (0)
    one_level: bool = False  # lists one level for every question, as QEMU's responder does
    zero_length_packets: bool = True
    header_alone: bool = False  # sends a data container's header as its own transfer
    large_sizes_by_property: bool = False  # every ObjectInfo says 0xFFFFFFFF; the size is property 0xDC04
    kind: Literal["mtp", "mass-storage"] = "mtp"
    switch: Literal["", "dv16", "control"] = (
        ""  # shows its card only when told: by DV16 commands, or any vendor request
    )
    switched_product_id: int | None = None  # how it comes back then; None: with the same ids
    switched_back_s: float = 0.3  # after how long it comes back then
    officer: str = ""  # in a DV16's record
    officer_number: str = "123456"
    faults: Faults = Field(default_factory=Faults)


class VirtualCamera:
    """One camera's folder on the simulated bus."""

    def __init__(self, folder: Path) -> None:
        """Take a folder that holds a camera.toml."""
        self.folder = folder
        self.card = folder / CARD
        self.second_card = folder / f"{CARD}-2"

    def profile(self) -> Profile:
        """Read camera.toml; BadCameraFileError names the file and the key."""
        file = self.folder / CAMERA_FILE
        try:
            return Profile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (ValidationError, tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            raise BadCameraFileError(file=file, detail=str(error)) from error

    def is_plugged(self) -> bool:
        """Tell whether it hangs on the bus now; one whose time to come back has passed plugs itself in."""
        marker = self.folder / UNPLUGGED
        try:
            text = marker.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return self.folder.is_dir() and time.time() >= self._back_at()
        try:
            due = float(text)
        except ValueError:
            return False
        if time.time() < due:
            return False
        self.plug()
        return True

    def change_over(self) -> None:
        """Leave the bus for a moment, to come back as a drive."""
        (self.folder / SWITCHED).write_text(f"{time.time() + self.profile().switched_back_s:.3f}", encoding="utf-8")

    def has_changed_over(self) -> bool:
        """Tell whether it became a drive since it was plugged in."""
        return (self.folder / SWITCHED).exists()

    def _back_at(self) -> float:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return float((self.folder / SWITCHED).read_text(encoding="utf-8"))
        return 0.0

    def plug(self) -> None:
        """Put it into its port."""
        (self.folder / SWITCHED).unlink(missing_ok=True)
        (self.folder / UNPLUGGED).unlink(missing_ok=True)

    def unplug(self, back_after_s: float | None = None) -> None:
        """Pull it out, for good or until `back_after_s` seconds have passed."""
        text = "" if back_after_s is None else f"{time.time() + back_after_s:.3f}"
        draft = self.folder / f".{UNPLUGGED}"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.folder / UNPLUGGED)

    def clock_offset_s(self) -> float:
        """Return its clock minus real time: as it was set last, else as camera.toml says."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return float((self.folder / CLOCK).read_text(encoding="utf-8"))
        return self.profile().clock_offset_s

    def set_clock_offset_s(self, seconds: float) -> None:
        """Set its clock."""
        draft = self.folder / f".{CLOCK}"
        draft.write_text(f"{seconds:.6f}", encoding="utf-8")
        draft.replace(self.folder / CLOCK)

    def happened(self, fault: str) -> bool:
        """Tell whether a once-only fault is behind it."""
        with contextlib.suppress(FileNotFoundError):
            return fault in (self.folder / DONE).read_text(encoding="utf-8").split()
        return False

    def happens(self, fault: str) -> None:
        """Write down that a once-only fault has happened."""
        with (self.folder / DONE).open("a", encoding="utf-8") as file:
            file.write(fault + "\n")


def cameras(bus: Path) -> list[VirtualCamera]:
    """List the cameras of a bus folder, plugged in or not, by name."""
    if not bus.is_dir():
        return []
    return [VirtualCamera(file.parent) for file in sorted(bus.glob(f"*/{CAMERA_FILE}"))]


def write_profile(folder: Path, profile: Profile) -> VirtualCamera:
    """Create or replace a camera's folder and camera.toml; the card is left as it is."""
    (folder / CARD).mkdir(parents=True, exist_ok=True)
    data = profile.model_dump(exclude_none=True, exclude_defaults=True)
    faults = data.pop("faults", {})
    tables = {name: faults.pop(name, {}) for name in ("bad_sectors", "lies")}
    lines = [f"{key} = {_toml(value)}" for key, value in data.items()]
    lines += ["", "[faults]", *(f"{key} = {_toml(value)}" for key, value in faults.items())]
    for name, table in tables.items():
        lines += ["", f"[faults.{name}]", *(f"{_toml(key)} = {value}" for key, value in table.items())]
    (folder / CAMERA_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return VirtualCamera(folder)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)

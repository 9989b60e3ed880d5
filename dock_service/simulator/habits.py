"""How cameras of the field name and lay out their files, so that virtual ones do it too (USB.md's habits; docs/cameras.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bodycam.clock import local


@dataclass(frozen=True)
class Shot:
    """One file to be named: by which camera and officer, when it began (UTC), and how it was marked."""

    camera: str
    officer: str
    start: datetime
    number: int = 1
    is_event: bool = False
    is_encrypted: bool = False
    extension: str = "mp4"


def plain(shot: Shot) -> str:
    """Name a file as the simulator's own cameras do."""
    return f"DCIM/100MEDIA/{shot.camera}_{local(shot.start):%Y%m%d_%H%M%S}.{shot.extension}"


def dsj(shot: Shot) -> str:
    """Name a file as the DSJ family does: in Video or IMP (pictures in Image, sound in Audio), camera, user, time, marks."""
    folder = {"jpg": "Image", "wav": "Audio"}.get(shot.extension, "Video")
    marks = ("_IMP" if shot.is_event else "") + ("_enc" if shot.is_encrypted else "")
    name = f"DSJ_{shot.camera}_{shot.officer}_{local(shot.start):%Y%m%d_%H%M%S}{marks}.{shot.extension}"
    return f"{'IMP' if shot.is_event else folder}/{name}"


def dcam(shot: Shot) -> str:
    """Name a file as the DCAM family does: all in DCIM/100MEDIA, date and time as one number, files numbered."""
    mark = "_SOS" if shot.is_event else ""
    when = f"{local(shot.start):%Y%m%d%H%M%S}"
    return f"DCIM/100MEDIA/DCAM_{shot.camera}_{shot.officer}_{when}_{shot.number:04d}{mark}.{shot.extension}"


def dv16(shot: Shot) -> str:
    """Name a file as JieLi's DV16 does: time, number, a folder of what was locked by hand."""
    folder, mark = ("LOCK", "_LOCK") if shot.is_event else ("DCIM/100MEDIA", "")
    return f"{folder}/{local(shot.start):%Y%m%d_%H%M%S}_{shot.number:04d}{mark}.{shot.extension}"


def action(shot: Shot, chapter: int = 1) -> str:
    """Name a file as an action camera does: chapter and number, no time, no camera."""
    return f"DCIM/100GOPRO/GX{chapter:02d}{shot.number:04d}.{shot.extension.upper()}"


def shift_of(camera: str, officer: str, start: datetime, files: int, segment_s: float = 300.0) -> list[Shot]:
    """Return a shift's files, one after the other; the second was marked by hand."""
    return [
        Shot(camera, officer, start + timedelta(seconds=segment_s * n), n + 1, is_event=n == 1) for n in range(files)
    ]


def write_card(card: Path, files: Mapping[str, bytes], id_text: str | None = None) -> None:
    """Write files onto a virtual camera's card, and its ID.txt."""
    for path, data in files.items():
        place = card / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    if id_text is not None:
        (card / "ID.txt").write_bytes(id_text.encode("gbk"))

"""Read stills: exifread first, Pillow where it fails, and the size of a HEIF from its boxes.

exifread raises on hostile files and misses tags in JPEGs whose APP7-9 come before Exif; both are caught here, the rest is
read another way and the problem named. Rationals that are NaN or divide by zero are left out. Nothing is decoded.
"""

import io
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import exifread
import structlog
from PIL import ExifTags, Image, UnidentifiedImageError

from bodycam.clock import VIETNAM
from bodycam.media.boxes import find, payload
from bodycam.media.info import Device, MediaInfo, MediaKind, MediaTime, Stream, TimeKind, as_utc, clean
from bodycam.media.problems import Problem, problem
from bodycam.media.source import size_of

_log = structlog.get_logger()
_DAY_S = 86_401  # with a leap second
_EXIF_LIMIT = 16 << 20  # Exif stands at the head of a file; a HEIF may keep it behind some boxes
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"}
# Exif 2.32 names as exifread prints them, without their group
_WANTED = {
    "Make",
    "Model",
    "DateTimeOriginal",
    "OffsetTimeOriginal",
    "DateTime",
    "OffsetTime",
    "BodySerialNumber",
    "Orientation",
    "GPSLatitude",
    "GPSLatitudeRef",
    "GPSLongitude",
    "GPSLongitudeRef",
    "GPSAltitude",
    "GPSAltitudeRef",
    "GPSTimeStamp",
    "GPSDate",
    "GPSDateStamp",
    "GPSSatellites",
    "GPSDOP",
    "GPSSpeed",
    "GPSSpeedRef",
}


def sniff_still(head: bytes) -> tuple[str, str] | None:
    """Return (container, mime) when the first bytes are those of a still picture, or None."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg", "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", "image/png"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "tiff", "image/tiff"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp", "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return "heif", "image/avif" if head[8:12] == b"avif" else "image/heif"
    return None


def probe_still(file: BinaryIO, container: str, mime: str) -> MediaInfo:
    """Return what a still is; its Exif texts go to `metadata` (rationals as "43 28 1407/500")."""
    size = size_of(file)
    problems: list[Problem] = []
    tags = _read_exifread(file)
    if tags is None or not any(name.startswith("GPS") for name in tags):
        fallback = _read_pillow(file)
        if tags is None:
            problems.append(problem("exif_damaged"))
        tags = fallback | (tags or {})
    picture = _heif_size(file, size) if container == "heif" else _pillow_size(file)
    if picture is None and container != "heif":
        problems.append(problem("damaged"))
    stream = Stream(
        "video", codec=container, width=picture[0] if picture else None, height=picture[1] if picture else None
    )
    return MediaInfo(
        size=size,
        kind=MediaKind.IMAGE,
        mime=mime,
        container=container,
        streams=(stream,),
        times=tuple(_times(tags)),
        device=_device(tags),
        metadata=tags,
        problems=tuple(problems),
    )


def _read_exifread(file: BinaryIO) -> dict[str, str] | None:
    file.seek(0)
    head = io.BytesIO(file.read(_EXIF_LIMIT))
    try:
        found: Mapping[str, Any] = exifread.process_file(head, details=False, extract_thumbnail=False)
    except Exception as error:  # noqa: BLE001  it raises whatever a hostile file makes it (struct, index, type, its own)
        _log.info("exif_unreadable", error=type(error).__name__)
        return None
    return _keep(
        {name.rpartition(" ")[2]: _text(tag.values) for name, tag in found.items() if name.split(" ")[0] != "Thumbnail"}
    )


def _read_pillow(file: BinaryIO) -> dict[str, str]:
    file.seek(0)
    try:
        with _quiet(), Image.open(file) as image:
            exif = image.getexif()
            named = {ExifTags.TAGS.get(tag, ""): value for tag, value in exif.items()}
            named |= {ExifTags.TAGS.get(tag, ""): value for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items()}
            named |= {ExifTags.GPSTAGS.get(tag, ""): value for tag, value in exif.get_ifd(ExifTags.IFD.GPSInfo).items()}
    except Exception as error:  # noqa: BLE001  Pillow raises OSError, SyntaxError, struct.error, TypeError … on bad Exif
        _log.info("exif_unreadable_by_pillow", error=type(error).__name__)
        return {}
    return _keep({name: _text(value) for name, value in named.items()})


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of damaged Exif; the problem is named to the person instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return clean(value.decode("latin-1"))
    if isinstance(value, list | tuple):
        return clean(" ".join(str(part) for part in value[:8]))
    return clean(value)


def _keep(tags: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in tags.items() if name in _WANTED and text}


def _pillow_size(file: BinaryIO) -> tuple[int, int] | None:
    file.seek(0)
    try:
        with _quiet(), Image.open(file) as image:
            return image.size
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return None


def _heif_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    for box in find(file, (b"meta", b"iprp", b"ipco", b"ispe"), 0, size):  # ISO/IEC 23008-12, 6.5.3
        data = payload(file, box, 12)
        if len(data) == 12:  # noqa: PLR2004  version and flags, width, height
            width, height = struct.unpack_from(">II", data, 4)
            if best is None or width * height > best[0] * best[1]:
                best = (width, height)
    return best


def _device(tags: dict[str, str]) -> Device | None:
    device = Device(tags.get("Make"), tags.get("Model"), tags.get("BodySerialNumber"))
    return device if device != Device() else None


def _times(tags: dict[str, str]) -> list[MediaTime]:
    times = []
    for name, offset_name in (("DateTimeOriginal", "OffsetTimeOriginal"), ("DateTime", "OffsetTime")):
        if raw := tags.get(name):
            times.append(_exif_time(f"exif:{name}", raw, tags.get(offset_name)))
    date = tags.get("GPSDate") or tags.get("GPSDateStamp")
    if date and (clock := tags.get("GPSTimeStamp")):
        times.append(MediaTime("exif:gps", f"{date} {clock}", _gps_time(date, clock), TimeKind.GPS))
    return times


def _exif_time(source: str, raw: str, offset: str | None) -> MediaTime:
    written, kind = (f"{raw} {offset}", TimeKind.OFFSET) if offset else (raw, TimeKind.DERIVED)
    try:
        moment = datetime.strptime(written, "%Y:%m:%d %H:%M:%S %z" if offset else "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  as_utc gives it its zone
    except ValueError:
        return MediaTime(source, written, None, kind)
    return MediaTime(source, written, as_utc(moment, VIETNAM), kind)


def _gps_time(date: str, clock: str) -> datetime | None:
    parts = [rational(part) for part in clock.split()]
    try:
        day = as_utc(datetime.strptime(date.strip(), "%Y:%m:%d"))  # noqa: DTZ007  as_utc gives it its zone
        hours, minutes, seconds = parts
    except ValueError:
        return None
    if day is None or hours is None or minutes is None or seconds is None:
        return None
    after_midnight = hours * 3600 + minutes * 60 + seconds
    return day + timedelta(seconds=round(after_midnight, 6)) if 0 <= after_midnight < _DAY_S else None


def rational(text: str) -> float | None:
    """Return the number that a tag's text stands for ("1407/500", "7.24"), or None when there is none."""
    above, _, below = text.partition("/")
    try:
        value = float(above) / (float(below) if below else 1.0)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if abs(value) < 1e12 else None  # noqa: PLR2004  also refuses NaN and infinity

"""Say what a file is: container, streams, times, device, and what is wrong with it.

PyAV reads films and sound, `stills` reads pictures. Only known demuxers may open a file: playlists and the like, which would
open other files or addresses, are not among them. A file nobody can read is an answer with problems, never an exception.
"""

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.error
import structlog

from bodycam.clock import VIETNAM
from bodycam.media.boxes import Box, boxes, find, payload
from bodycam.media.info import Device, MediaInfo, MediaKind, MediaTime, Stream, TimeKind, as_utc, clean
from bodycam.media.names import time_in_name
from bodycam.media.problems import Problem, problem
from bodycam.media.source import opened, size_of
from bodycam.media.stills import probe_still, sniff_still

_log = structlog.get_logger()
DEMUXERS = "mov,matroska,avi,mpegts,mpeg,asf,flv,wav,mp3,aac,ogg,flac,amr"
AV_ERRORS = (av.error.FFmpegError, ValueError, OverflowError, UnicodeError, EOFError, MemoryError)
_HEAD = 4096
_MOST_TAGS = 200
_MIMES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
    "asf": "video/x-ms-wmv",
    "flv": "video/x-flv",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "amr": "audio/amr",
}
_SIDECARS = {
    ".gpx": "application/gpx+xml",
    ".nmea": "text/plain",
    ".gps": "text/plain",
    ".srt": "application/x-subrip",
    ".log": "text/plain",
    ".idx": "text/plain",
    ".json": "application/json",
}


def probe(source: Path | BinaryIO, *, name: str | None = None) -> MediaInfo:
    """Return what a file is; `name` is its name on the device (a path's own name when left out).

    Reads headers and tags only. Raises OSError when the bytes themselves can't be read; for bytes that make no sense the
    info says so in `problems`.
    """
    name = source.name if name is None and isinstance(source, Path) else name or ""
    with opened(source) as file:
        size = size_of(file)
        head = file.read(_HEAD)
        info = _probe(file, size, head, name)
    stamp = time_in_name(name)
    return info if stamp is None else _with_times(info, (*info.times, stamp))


def open_container(file: BinaryIO) -> Any:  # noqa: ANN401  PyAV's containers are untyped here
    """Open a file with the allowed demuxers only; raises one of `AV_ERRORS`."""
    file.seek(0)
    return av.open(file, options={"format_whitelist": DEMUXERS}, metadata_errors="replace")


def _probe(file: BinaryIO, size: int, head: bytes, name: str) -> MediaInfo:
    if size == 0:
        return MediaInfo(0, MediaKind.OTHER, "application/octet-stream", problems=(problem("empty"),))
    if still := sniff_still(head):
        return probe_still(file, *still)
    if _is_text(head):
        mime = _sidecar_mime(name, head)
        kind = MediaKind.SIDECAR if mime else MediaKind.OTHER
        return MediaInfo(size, kind, mime or "text/plain", problems=() if mime else (problem("not_media"),))
    try:
        with open_container(file) as container:
            info = _describe(container, size, head)
    except AV_ERRORS as error:
        _log.info("probe_refused", error=type(error).__name__)
        info = _unreadable(file, size, head)
    if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"GPS "}:
        info = _with_boxes(file, size, info)
    elif head[:4] == b"RIFF" and (missing := int.from_bytes(head[4:8], "little") + 8 - size) > 0:
        info = _with_problems(info, problem("truncated", missing=missing))
    return info


def _describe(container: Any, size: int, head: bytes) -> MediaInfo:  # noqa: ANN401
    streams = tuple(_stream(stream) for stream in container.streams)
    has_picture = any(stream.type == "video" for stream in streams)
    has_sound = any(stream.type == "audio" for stream in streams)
    kind = MediaKind.VIDEO if has_picture else MediaKind.AUDIO if has_sound else MediaKind.OTHER
    name = _container_name(container.format.name, head)
    mime = _MIMES.get(name, "application/octet-stream")
    if kind is MediaKind.AUDIO and name == "mp4":
        mime = "audio/mp4"
    tags = {clean(key): clean(value) for key, value in list(container.metadata.items())[:_MOST_TAGS]}
    lasting = [stream.duration_s for stream in streams if stream.duration_s]
    return MediaInfo(
        size=size,
        kind=kind,
        mime=mime,
        container=name,
        duration_s=_seconds(container.duration, 1e-6) or (max(lasting) if lasting else None),
        streams=streams,
        times=_times(container, tags),
        device=_device(tags),
        metadata=tags,
        problems=() if has_picture or has_sound else (problem("no_streams"),),
    )


def _stream(stream: Any) -> Stream:  # noqa: ANN401
    context = stream.codec_context
    duration = _seconds(stream.duration, stream.time_base)
    if context is None:  # a codec nobody knows, or none
        return Stream(str(stream.type), duration_s=duration)
    codec = context.codec.canonical_name
    if stream.type == "video":
        rate = stream.average_rate or stream.guessed_rate
        return Stream(
            "video",
            codec,
            width=context.width or None,
            height=context.height or None,
            fps=round(float(rate), 3) if rate else None,
            pixel_format=context.pix_fmt,
            duration_s=duration,
        )
    if stream.type == "audio":
        return Stream(
            "audio",
            codec,
            sample_rate=context.sample_rate or None,
            channels=context.channels or None,
            duration_s=duration,
        )
    return Stream(str(stream.type), codec, duration_s=duration)


def _seconds(ticks: int | None, unit: Any) -> float | None:  # noqa: ANN401  a Fraction or a float
    if ticks is None or ticks <= 0 or not unit:
        return None
    seconds = float(ticks * unit)
    return round(seconds, 6) if math.isfinite(seconds) and seconds < 10 * 366 * 86_400 else None


def _container_name(demuxer: str, head: bytes) -> str:
    if demuxer.startswith("mov,"):
        return "mov" if head[4:8] == b"ftyp" and head[8:12] == b"qt  " else "mp4"
    return demuxer.split(",", maxsplit=1)[0]


def _times(container: Any, tags: dict[str, str]) -> tuple[MediaTime, ...]:  # noqa: ANN401
    times = [_container_time("container", tags[key]) for key in ("creation_time", "date") if key in tags]
    if raw := tags.get("com.apple.quicktime.creationdate"):
        moment = _parse(raw)
        kind = TimeKind.OFFSET if moment is not None and moment.tzinfo else TimeKind.DERIVED
        times.append(MediaTime("container:creationdate", raw, as_utc(moment, VIETNAM), kind))
    seen = {tags.get("creation_time")}
    for stream in container.streams:
        raw = clean(stream.metadata.get("creation_time", ""))
        if raw and raw not in seen:
            seen.add(raw)
            times.append(_container_time(f"stream:{stream.index}", raw))
    return tuple(times)


def _container_time(source: str, raw: str) -> MediaTime:
    return MediaTime(source, raw, as_utc(_parse(raw)), TimeKind.CONTAINER)


def _parse(raw: str) -> datetime | None:
    try:
        return datetime.fromisoformat(raw.strip())
    except (ValueError, OverflowError):
        return None


def _device(tags: dict[str, str]) -> Device | None:
    def pick(*names: str) -> str | None:
        return next((tags[name] for name in names if tags.get(name)), None)

    device = Device(
        pick("com.apple.quicktime.make", "com.android.manufacturer", "make"),
        pick("com.apple.quicktime.model", "com.android.model", "model"),
        pick("serial_number", "com.bodycam.serial", "serial"),
    )
    return device if device != Device() else None


def _with_boxes(file: BinaryIO, size: int, info: MediaInfo) -> MediaInfo:
    """Add what PyAV doesn't say: bytes missing at the end, and a `©xyz` position it left out."""
    top = list(boxes(file, 0, size))
    if info.kind is MediaKind.OTHER and not _has_index(top):
        return replace(info, kind=MediaKind.VIDEO, problems=(problem("no_moov"),))
    missing = sum(box.missing for box in top)
    if missing and not info.has_problem("no_moov"):
        info = _with_problems(info, problem("truncated", missing=missing))
    if not any("location" in key for key in info.metadata):
        for box in find(file, (b"moov", b"udta", b"\xa9xyz"), 0, size):
            text = payload(file, box, _HEAD)[4:].split(b"\0")[0].decode("ascii", "replace")
            return replace(info, metadata={**info.metadata, "location": clean(text)})
    return info


def _has_index(top: list[Box]) -> bool:
    return any(box.type in {b"moov", b"moof"} and not box.missing for box in top)


def _unreadable(file: BinaryIO, size: int, head: bytes) -> MediaInfo:
    if head[4:8] in {b"ftyp", b"mdat", b"moov", b"wide", b"free", b"skip"}:
        code = "damaged" if _has_index(list(boxes(file, 0, size))) else "no_moov"
        return MediaInfo(size, MediaKind.VIDEO, "video/mp4", container="mp4", problems=(problem(code),))
    known = head[:4] in {b"RIFF", b"\x1aE\xdf\xa3", b"OggS", b"fLaC"}
    return MediaInfo(
        size, MediaKind.OTHER, "application/octet-stream", problems=(problem("damaged" if known else "unknown_format"),)
    )


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for cut in range(4):  # the last letter may be cut in the middle of its bytes
        try:
            text = head[: len(head) - cut].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        strange = sum(1 for letter in text if ord(letter) < 32 and letter not in "\t\r\n\f")  # noqa: PLR2004  control characters
        return strange * 50 <= len(text)
    return False


def _sidecar_mime(name: str, head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"<gpx" in start:
        return "application/gpx+xml"
    if start.startswith(b"$G") and b"," in start[:12]:
        return "text/plain"
    return _SIDECARS.get(Path(name).suffix.lower())


def _with_problems(info: MediaInfo, *more: Problem) -> MediaInfo:
    return replace(info, problems=(*info.problems, *more))


def _with_times(info: MediaInfo, times: tuple[MediaTime, ...]) -> MediaInfo:
    return replace(info, times=times)

"""Make a viewing copy that a browser can play: H.264 and AAC in a fast-start MP4.

It is a rendition, labelled so wherever it is shown, and never replaces the original. Picture that is already H.264 is copied
and not encoded again. `proxy` runs in the sandbox and writes to a path given by the caller, which seals the result.
"""

from fractions import Fraction
from typing import Any, BinaryIO

import av
import av.error

from bodycam.media.errors import NotPlayableError
from bodycam.media.info import MediaInfo, MediaKind
from bodycam.media.probe import AV_ERRORS, open_container

_VIDEO = {"h264"}
_AUDIO = {"aac", "mp3"}
_PIXELS = {"yuv420p", "yuvj420p", None}
_SOUND_FILES = {"mp3", "aac", "wav", "ogg", "flac", "mp4"}
_MAX_RATE = 30
_TICK = Fraction(1, 90_000)


def needs_proxy(info: MediaInfo) -> bool:
    """Tell whether a browser can't play the original: not MP4, or not H.264 with 4:2:0, or sound other than AAC or MP3."""
    video, audio = info.first("video"), info.first("audio")
    if info.kind is MediaKind.AUDIO:
        return info.container not in _SOUND_FILES
    if info.kind is not MediaKind.VIDEO or video is None or video.codec is None:
        return False
    if info.container not in {"mp4", "mov"} or video.codec not in _VIDEO:
        return True
    return video.pixel_format not in _PIXELS or (audio is not None and audio.codec not in _AUDIO)


def proxy(files: list[BinaryIO], *, out: str, max_height: int = 720) -> dict[str, int | None]:
    """Write a viewing copy as MP4, at most 30 frames a second; returns its width and height (None for sound alone).

    A damaged stretch is left out. Raises `NotPlayableError` when nothing can be decoded.
    """
    try:
        with (
            open_container(files[0]) as source,
            av.open(out, "w", format="mp4", options={"movflags": "+faststart"}) as target,
        ):
            return _transcode(source, target, max_height)
    except AV_ERRORS as error:
        raise NotPlayableError(detail=type(error).__name__) from error


class _Copied:
    """Picture that is passed on as it is."""

    def __init__(self, target: Any, stream: Any) -> None:  # noqa: ANN401  PyAV's objects are untyped here
        self._target = target
        self.stream = target.add_stream_from_template(stream)
        self.width, self.height = stream.codec_context.width, stream.codec_context.height

    def take(self, packet: Any) -> int:  # noqa: ANN401
        if packet.dts is None:
            return 0
        packet.stream = self.stream
        self._target.mux(packet)
        return 1

    def finish(self) -> None:
        """Nothing is held back."""


class _Picture:
    """Picture that is encoded again, smaller where it is large."""

    def __init__(self, target: Any, stream: Any, max_height: int) -> None:  # noqa: ANN401
        context = stream.codec_context
        scale = min(1.0, max_height / max(context.height, 1))
        self.width, self.height = _even(context.width * scale), _even(context.height * scale)
        self._target = target
        rate = min(stream.average_rate or Fraction(25), Fraction(_MAX_RATE))
        self._stream = target.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "27"})
        self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
        self._stream.codec_context.time_base = _TICK  # a coarse one would give two frames of a phone one time
        self._next = 0.0

    def take(self, packet: Any) -> int:  # noqa: ANN401
        taken = 0
        for frame in _decode(packet):
            if frame.time is None or frame.time < self._next:
                continue
            self._next = frame.time + 0.9 / _MAX_RATE
            scaled = frame.reformat(self.width, self.height, "yuv420p")
            scaled.pts, scaled.time_base, scaled.pict_type = round(frame.time / _TICK), _TICK, 0
            self._target.mux(self._stream.encode(scaled))
            taken += 1
        return taken

    def finish(self) -> None:
        self._target.mux(self._stream.encode(None))


class _Sound:
    """Sound as AAC."""

    width = height = None

    def __init__(self, target: Any, stream: Any) -> None:  # noqa: ANN401
        context = stream.codec_context
        rate, layout = context.sample_rate or 48_000, "mono" if context.channels == 1 else "stereo"
        self._target = target
        self._stream = target.add_stream("aac", rate=rate, layout=layout)
        self._resampler = av.AudioResampler("fltp", layout, rate)

    def take(self, packet: Any) -> int:  # noqa: ANN401
        frames = [part for frame in _decode(packet) for part in self._resampler.resample(frame)]
        for frame in frames:
            self._target.mux(self._stream.encode(frame))
        return len(frames)

    def finish(self) -> None:
        self._target.mux(self._stream.encode(None))


def _transcode(source: Any, target: Any, max_height: int) -> dict[str, int | None]:  # noqa: ANN401
    writers: dict[Any, _Copied | _Picture | _Sound] = {}
    for stream in source.streams.video[:1]:
        context = stream.codec_context
        copied = context.codec.canonical_name in _VIDEO and context.pix_fmt in _PIXELS
        writers[stream] = _Copied(target, stream) if copied else _Picture(target, stream, max_height)
    for stream in source.streams.audio[:1]:
        writers[stream] = _Sound(target, stream)
    if not writers:
        raise NotPlayableError(detail="no streams")
    if not sum(writers[packet.stream].take(packet) for packet in source.demux(list(writers))):
        raise NotPlayableError(detail="nothing decoded")
    for writer in writers.values():
        writer.finish()
    first = next(iter(writers.values()))
    return {"width": first.width, "height": first.height}


def _decode(packet: Any) -> list[Any]:  # noqa: ANN401
    try:
        return list(packet.decode())
    except av.error.FFmpegError:
        return []  # a damaged stretch is left out; the original keeps it


def _even(length: float) -> int:
    return max(2, int(length) // 2 * 2)

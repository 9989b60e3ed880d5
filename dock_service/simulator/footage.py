"""Makes recordings as a body camera does: H.264 and AAC in MP4, a burned-in clock, a GPS track, a creation time.

The camera's clock may be wrong (`clock_error_s`): the burned-in line, the container's creation time and the file's time follow
the clock, GPS stays true. The same arguments give the same picture, sound and track.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer

from bodycam.clock import local
from dock_service.simulator.positions import (
    FIXES_A_SECOND,
    LatLon,
    along,
    gpmf_payload,
    nmea_sentences,
)
from dock_service.simulator.scenes import HEIGHT, WIDTH, Scene, draw

FRAMES_A_SECOND = 15
SAMPLE_RATE = 16_000
_BLOCK = 1024  # samples of an AAC frame


@dataclass(frozen=True)
class Footage:
    """One recording to be made; `start` is true UTC."""

    camera: str
    start: datetime
    seconds: int
    route: tuple[LatLon, ...]
    scene: Scene
    clock_error_s: float = 0.0  # camera minus true time
    jump: tuple[float, float] | None = None  # (from second, km to the east): the GPS track leaps
    sidecar: bool = False  # positions in a .nmea beside it instead of a GPMF track
    tone_hz: float = 330.0

    @property
    def device_start(self) -> datetime:
        """Return the start by the camera's clock, as UTC."""
        return self.start + timedelta(seconds=self.clock_error_s)


def make(footage: Footage, path: Path) -> None:
    """Write the MP4 (and the sidecar) whole or not at all, with the file's time at the recording's end by the camera's clock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    with av.open(str(draft), "w", format="mp4") as container:
        _write(footage, container)
    ended = (footage.device_start + timedelta(seconds=footage.seconds)).timestamp()
    if footage.sidecar:
        beside = path.with_suffix(".nmea")
        beside.write_text("".join(_sentences(footage)), encoding="ascii", newline="")
        os.utime(beside, (ended, ended))
    os.utime(draft, (ended, ended))
    draft.replace(path)


def _write(footage: Footage, container: OutputContainer) -> None:
    container.metadata["creation_time"] = footage.device_start.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    picture = container.add_stream(
        "libx264", rate=FRAMES_A_SECOND, options={"preset": "veryfast", "crf": "25", "threads": "1"}
    )
    picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
    sound.bit_rate = 32_000
    track = None if footage.sidecar else container.add_data_stream("bin_data")  # the mov muxer writes it as 'gpmd'
    for second in range(footage.seconds):
        for frame in _frames(footage, second):
            container.mux(picture.encode(frame))
        if track is not None:
            packet = av.Packet(_payload(footage, second))
            packet.stream, packet.time_base = track, Fraction(1, 1000)
            packet.pts = packet.dts = second * 1000
            packet.duration = 1000
            container.mux(packet)
    for block in _tone(footage):
        container.mux(sound.encode(block))
    container.mux(picture.encode())
    container.mux(sound.encode())


def _frames(footage: Footage, second: int) -> Iterator[av.VideoFrame]:
    shown = local(footage.device_start + timedelta(seconds=second)).strftime("%d/%m/%Y %H:%M:%S")
    for number in range(FRAMES_A_SECOND):
        at = second + number / FRAMES_A_SECOND
        picture = np.asarray(draw(footage.scene, at, f"{footage.camera}   {shown}"))
        frame = av.VideoFrame.from_ndarray(
            np.clip(picture + _grain(number % 5), 0, 255).astype(np.uint8), format="rgb24"
        )
        frame.pts, frame.time_base = second * FRAMES_A_SECOND + number, Fraction(1, FRAMES_A_SECOND)
        yield frame


@lru_cache(maxsize=5)
def _grain(number: int) -> npt.NDArray[np.int16]:
    """Return a sensor's noise, so that a recording weighs what one does."""
    return np.random.default_rng(number).normal(0, 6, (HEIGHT, WIDTH, 1)).astype(np.int16)


def _tone(footage: Footage) -> Iterator[av.AudioFrame]:
    total = footage.seconds * SAMPLE_RATE
    for first in range(0, total, _BLOCK):
        at = np.arange(first, min(first + _BLOCK, total)) / SAMPLE_RATE
        wave = 0.12 * np.sin(2 * np.pi * footage.tone_hz * at) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.5 * at))
        frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
        yield frame


def _payload(footage: Footage, second: int) -> bytes:
    fixes = [
        along(footage.route, second + n / FIXES_A_SECOND, footage.seconds, footage.jump) for n in range(FIXES_A_SECOND)
    ]
    return gpmf_payload(second, footage.start, fixes, "Bodycam SIM-1")


def _sentences(footage: Footage) -> Iterator[str]:
    for second in range(footage.seconds):
        fix = along(footage.route, second, footage.seconds, footage.jump)
        yield nmea_sentences(footage.start + timedelta(seconds=second), fix)

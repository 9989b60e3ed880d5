"""Makes small films, GPMF payloads and NMEA sentences for tests, and finds the real samples."""

import os
import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import reduce
from operator import xor
from pathlib import Path

import av
import numpy as np
import pytest

RATE = 30
SOUND_RATE = 16_000
_SCALES = (10_000_000, 10_000_000, 1000, 1000, 100)


def sample(name: str) -> Path:
    """Return a real sample's path; skips the test where the samples don't lie."""
    folder = Path(os.environ.get("BODYCAM_SAMPLES") or _folder())
    if not (folder / name).exists():
        pytest.skip(f"real samples aren't at {folder}")
    return folder / name


def _folder() -> Path:
    above = Path(__file__).resolve().parents
    return next((p / "shared" / "samples" for p in above if (p / "shared" / "samples").is_dir()), above[2])


def make_film(
    path: Path,
    *,
    frames: int = 60,
    codec: str = "libx264",
    sound: bool = True,
    rate: int = RATE,
    created: datetime | None = None,
    metadata: dict[str, str] | None = None,
    telemetry: Sequence[bytes] = (),
    skip: Callable[[int], bool] = lambda _: False,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film of grey frames; `telemetry` is one payload a second, `skip` leaves out frames."""
    with av.open(str(path), "w", options=options or {}) as container:
        if created is not None:
            container.metadata["creation_time"] = created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for key, value in (metadata or {}).items():
            container.metadata[key] = value
        picture = container.add_stream(codec, rate=rate)
        picture.width, picture.height = 64, 48
        picture.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "libx265":
            picture.options = {"x265-params": "log-level=none"}
        voice = container.add_stream("aac", rate=SOUND_RATE, layout="mono") if sound else None
        track = container.add_data_stream("bin_data") if telemetry else None
        for second, payload in enumerate(telemetry):
            packet = av.Packet(payload)
            packet.stream, packet.time_base = track, Fraction(1, 1000)
            packet.pts = packet.dts = second * 1000
            packet.duration = 1000
            container.mux(packet)
        for number in range(frames):
            if skip(number):
                continue
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 3 % 255, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(picture.encode(frame))
        if voice is not None:
            for block in range(frames * SOUND_RATE // rate // 1024):
                wave = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                wave.sample_rate, wave.pts, wave.time_base = SOUND_RATE, block * 1024, Fraction(1, SOUND_RATE)
                container.mux(voice.encode(wave))
            container.mux(voice.encode(None))
        container.mux(picture.encode(None))
    return path


def klv(key: bytes, kind: bytes, size: int, data: bytes) -> bytes:
    """Return one GPMF element."""
    return struct.pack(">4scBH", key, kind, size, len(data) // size) + data + bytes(-len(data) % 4)


def gpmf_payload(
    moment: datetime | None,
    fixes: Sequence[tuple[float, float]],
    *,
    speed: float = 5.0,
    fix: int = 3,
    dop: float = 1.6,
    alt: float = 12.0,
    device: bytes = b"Test camera",
) -> bytes:
    """Return one GPS5 payload whose first fix is at `moment`."""
    rows = b"".join(
        struct.pack(
            ">5i", round(lat * 1e7), round(lon * 1e7), round(alt * 1000), round(speed * 1000), round(speed * 100)
        )
        for lat, lon in fixes
    )
    stream = klv(b"GPSF", b"L", 4, struct.pack(">I", fix))
    if moment is not None:
        stream += klv(b"GPSU", b"U", 16, (moment.strftime("%y%m%d%H%M%S.%f")[:16]).encode())
    stream += klv(b"GPSP", b"S", 2, struct.pack(">H", round(dop * 100)))
    stream += klv(b"SCAL", b"l", 4, struct.pack(">5i", *_SCALES)) + klv(b"GPS5", b"l", 20, rows)
    return klv(b"DEVC", b"\0", 1, klv(b"DVNM", b"c", 1, device) + klv(b"STRM", b"\0", 1, stream))


def gps9_payload(rows: Sequence[tuple[float, float, float, float, float, int, float, float, int]]) -> bytes:
    """Return one GPS9 payload: lat, lon, alt, 2D and 3D speed, days since 2000, seconds, dilution, fix."""
    scales = (10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1)
    data = b"".join(
        struct.pack(">7i2H", *(round(value * scale) for value, scale in zip(row, scales, strict=True))) for row in rows
    )
    stream = klv(b"TYPE", b"c", 1, b"lllllllSS") + klv(b"SCAL", b"l", 4, struct.pack(">9i", *scales))
    return klv(b"DEVC", b"\0", 1, klv(b"STRM", b"\0", 1, stream + klv(b"GPS9", b"?", 32, data)))


def ride(
    start: datetime, seconds: int, *, lat: float = 21.0285, lon: float = 105.8542, step: float = 0.0001
) -> list[bytes]:
    """Return GPMF payloads of a steady ride north-east, one fix a second."""
    return [
        gpmf_payload(start + timedelta(seconds=n), [(lat + n * step, lon + n * step)], speed=15.0)
        for n in range(seconds)
    ]


def nmea(body: str) -> str:
    """Return a sentence with its checksum."""
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n"

"""Small files that would unpack to gigabytes."""

import io
import struct
import time
import zlib

import pytest

from bodycam.media.errors import MediaError
from bodycam.media.previews import thumbnail
from bodycam.media.sandbox import Sandbox
from bodycam.telemetry.reading import read_files


def _png(width: int, height: int) -> bytes:
    """Return a grey picture of these measures, its lines all zero."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    packed = packer.compress(bytes(min(height * (width + 1), 50_000_000))) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (15_000, 15_000)])
def test_a_picture_that_unpacks_to_gigabytes_makes_no_preview_and_takes_nobody_down(tmp_path, width, height) -> None:
    data = _png(width, height)
    assert len(data) < 200_000
    began = time.monotonic()
    with Sandbox() as sandbox:
        assert sandbox.call(read_files, [io.BytesIO(data)], names=["a.png"])
    with Sandbox() as sandbox, pytest.raises(MediaError):
        sandbox.call(thumbnail, [io.BytesIO(data)], out=str(tmp_path / "t.jpg"))
    assert time.monotonic() - began < 20

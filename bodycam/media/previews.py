"""Make what a person looks at first: a thumbnail and a filmstrip, as JPEG.

Both are renditions: they never replace the original. The functions run in the sandbox (`files` first) and write to a path
given by the caller, which seals the result.
"""

import io
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageOps

from bodycam.media.errors import NoPictureError
from bodycam.media.probe import AV_ERRORS, open_container
from bodycam.media.stills import sniff_still

FRAMES = 12
_MAX_PIXELS = 120_000_000  # no camera of ours makes larger stills; a bomb does
_QUALITY = 80
_PICTURE_ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, MemoryError)


def thumbnail(files: list[BinaryIO], *, out: str, width: int = 480) -> dict[str, int]:
    """Write a JPEG of a still, or of a film a tenth of its way in; returns its width and height.

    Raises `NoPictureError` when nothing can be decoded.
    """
    file = files[0]
    picture = _still(file) if sniff_still(file.read(64)) else _frame_near(file, 0.1)
    picture.thumbnail((width, width))
    _write_jpeg(picture, out)
    return {"width": picture.width, "height": picture.height}


def filmstrip(files: list[BinaryIO], *, out: str, frames: int = FRAMES, tile_width: int = 160) -> dict[str, int]:
    """Write `frames` pictures side by side in one JPEG, evenly over the film; returns the size and the count of tiles.

    A place that can't be decoded shows the picture before it. Raises `NoPictureError` when none can.
    """
    tiles: list[Image.Image] = []
    try:
        with open_container(files[0]) as container:
            for index in range(frames):
                picture = _seek_and_decode(container, (index + 0.5) / frames)
                if picture is None and tiles:
                    picture = tiles[-1]
                if picture is not None:
                    tiles.append(
                        picture.resize((tile_width, max(1, round(picture.height * tile_width / picture.width))))
                    )
    except AV_ERRORS:
        pass  # what was decoded so far is shown
    if not tiles:
        raise NoPictureError
    height = tiles[0].height
    strip = Image.new("RGB", (tile_width * len(tiles), height))
    for index, tile in enumerate(tiles):
        strip.paste(tile, (index * tile_width, 0))
    _write_jpeg(strip, out)
    return {"width": strip.width, "height": strip.height, "tiles": len(tiles)}


def _still(file: BinaryIO) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    file.seek(0)
    try:
        with Image.open(file) as image:
            image.draft("RGB", (1024, 1024))
            return ImageOps.exif_transpose(image).convert("RGB")
    except _PICTURE_ERRORS as error:
        raise NoPictureError from error


def _frame_near(file: BinaryIO, part: float) -> Image.Image:
    try:
        with open_container(file) as container:
            picture = _seek_and_decode(container, part)
    except AV_ERRORS as error:
        raise NoPictureError from error
    if picture is None:
        raise NoPictureError
    return picture


def _seek_and_decode(container: Any, part: float) -> Image.Image | None:  # noqa: ANN401  PyAV's containers are untyped here
    if not container.streams.video:
        raise NoPictureError
    stream = container.streams.video[0]
    try:
        if container.duration:
            container.seek(int(container.duration * part))
        frame = next(container.decode(stream), None)
        if frame is None:
            container.seek(0)
            frame = next(container.decode(stream), None)
        if frame is None or frame.width * frame.height > _MAX_PIXELS:
            return None
        picture: Image.Image = frame.to_image()
    except (*AV_ERRORS, StopIteration):
        return None
    return picture


def _write_jpeg(picture: Image.Image, out: str) -> None:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    Path(out).write_bytes(buffer.getvalue())

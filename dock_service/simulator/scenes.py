"""Pictures for simulated recordings: a place drawn in flat shapes, something that moves, and the camera's burned-in line."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 360
_HORIZON = 150
_WHITE, _INK = (245, 245, 240), (24, 28, 34)


@dataclass(frozen=True)
class Scene:
    """A kind of place, and the sign that can be read in it (a number plate, a container's number)."""

    place: str  # road, port, office, market
    sign: str


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def draw(scene: Scene, seconds: float, line: str) -> Image.Image:
    """Draw the scene after `seconds`, with the camera's line over it."""
    picture = _background(scene.place).copy()
    pen = ImageDraw.Draw(picture)
    _MOVING[scene.place](pen, seconds, scene.sign)
    pen.rectangle((0, 0, WIDTH, 24), fill=_INK)
    pen.text((8, 4), line, font=_font(15), fill=_WHITE)
    pen.ellipse((WIDTH - 22, 7, WIDTH - 12, 17), fill=(214, 60, 50) if int(seconds * 2) % 2 else (90, 40, 40))
    return picture


@lru_cache(maxsize=8)
def _background(place: str) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), (176, 205, 226))
    pen = ImageDraw.Draw(picture)
    {"road": _road, "port": _port, "office": _office, "market": _market}[place](pen)
    return picture


def _road(pen: ImageDraw.ImageDraw) -> None:
    for y in range(_HORIZON):
        pen.line((0, y, WIDTH, y), fill=(150 + y // 3, 190 + y // 5, 222))
    pen.polygon(
        [(0, _HORIZON), (90, 110), (200, 142), (330, 104), (470, 140), (640, 118), (640, _HORIZON)],
        fill=(112, 140, 120),
    )
    pen.rectangle((0, _HORIZON, WIDTH, HEIGHT), fill=(126, 150, 98))
    pen.polygon([(300, _HORIZON), (340, _HORIZON), (640, HEIGHT), (0, HEIGHT)], fill=(92, 94, 98))
    pen.line((300, _HORIZON, 0, HEIGHT), fill=_WHITE, width=4)
    pen.line((340, _HORIZON, 640, HEIGHT), fill=_WHITE, width=4)


def _port(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 200, WIDTH, HEIGHT), fill=(140, 140, 136))
    colours = [(178, 70, 52), (52, 98, 140), (198, 142, 54), (72, 120, 92)]
    for row in range(2):
        for column in range(5):
            x, y = 20 + column * 122, 80 + row * 62
            pen.rectangle((x, y, x + 116, y + 58), fill=colours[(row * 2 + column) % 4], outline=_INK)
            for rib in range(x + 8, x + 116, 12):
                pen.line((rib, y + 4, rib, y + 54), fill=_INK)


def _office(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 0, WIDTH, HEIGHT), fill=(222, 216, 202))
    pen.rectangle((0, 250, WIDTH, HEIGHT), fill=(160, 132, 102))
    pen.rectangle((60, 60, 220, 190), fill=(188, 212, 226), outline=(120, 110, 96), width=4)
    pen.line((140, 60, 140, 190), fill=(120, 110, 96), width=4)
    pen.rectangle((300, 210, 600, 300), fill=(120, 84, 56), outline=_INK)
    pen.rectangle((420, 60, 600, 150), fill=(150, 120, 88), outline=_INK)
    for x in range(428, 600, 18):
        pen.rectangle((x, 68, x + 12, 142), fill=(70 + x % 90, 82, 90))


def _market(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, 220, WIDTH, HEIGHT), fill=(150, 140, 126))
    for stall in range(4):
        x = 10 + stall * 158
        for stripe in range(7):
            fill = (206, 80, 62) if stripe % 2 else _WHITE
            pen.rectangle((x + stripe * 20, 80, x + stripe * 20 + 20, 112), fill=fill)
        pen.rectangle((x, 170, x + 140, 240), fill=(134, 100, 70), outline=_INK)
        for box in range(5):
            pen.rectangle(
                (x + 6 + box * 27, 148, x + 28 + box * 27, 170), fill=(90 + box * 24, 150 - box * 12, 70), outline=_INK
            )


def _plate(pen: ImageDraw.ImageDraw, x: float, y: float, text: str) -> None:
    width = pen.textlength(text, font=_font(20)) + 14
    pen.rectangle((x - width / 2, y, x + width / 2, y + 28), fill=_WHITE, outline=_INK, width=2)
    pen.text((x - width / 2 + 7, y + 3), text, font=_font(20), fill=_INK)


def _moving_road(pen: ImageDraw.ImageDraw, seconds: float, sign: str) -> None:
    for mark in range(6):
        depth = ((mark + seconds * 0.8) % 6) / 6
        y = _HORIZON + (HEIGHT - _HORIZON) * depth**2
        pen.line((320, y, 320, min(y + 6 + 34 * depth, HEIGHT)), fill=_WHITE, width=1 + int(6 * depth))
    near = min(seconds / 6, 1.0)
    x, y, half = 385 + 25 * near, 168 + 70 * near, 40 + 70 * near
    pen.rectangle((x - half, y - half * 0.75, x + half, y + half * 0.45), fill=(46, 74, 112), outline=_INK, width=2)
    pen.rectangle((x - half * 0.8, y - half * 0.65, x + half * 0.8, y - half * 0.2), fill=(160, 190, 206), outline=_INK)
    for side in (-0.75, 0.75):
        pen.ellipse((x + half * side - 14, y + half * 0.3, x + half * side + 14, y + half * 0.6), fill=_INK)
    if near > 0.5:  # noqa: PLR2004  readable once it is near
        _plate(pen, x, y + half * 0.02, sign)


def _moving_port(pen: ImageDraw.ImageDraw, seconds: float, sign: str) -> None:
    x = 60 + (seconds * 24) % 420
    pen.line((x + 60, 30, x + 60, 120), fill=_INK, width=3)
    pen.rectangle((x, 120, x + 120, 178), fill=(206, 160, 60), outline=_INK, width=2)
    _plate(pen, x + 60, 136, sign)
    _person(pen, 300 + (seconds * 9) % 60, 250)


def _moving_office(pen: ImageDraw.ImageDraw, seconds: float, sign: str) -> None:
    _person(pen, 340, 190)
    _person(pen, 500 + 12 * ((seconds % 4) / 4), 190)
    for sheet in range(1 + int(seconds / 4) % 4):
        pen.rectangle((400 + sheet * 6, 222 - sheet * 3, 452 + sheet * 6, 250 - sheet * 3), fill=_WHITE, outline=_INK)
    _plate(pen, 140, 210, sign)


def _moving_market(pen: ImageDraw.ImageDraw, seconds: float, sign: str) -> None:
    for walker in range(3):
        _person(pen, (walker * 230 + seconds * (18 + 7 * walker)) % (WIDTH + 40) - 20, 236 + walker * 12)
    _plate(pen, 320, 40, sign)


def _person(pen: ImageDraw.ImageDraw, x: float, y: float) -> None:
    pen.ellipse((x - 12, y - 30, x + 12, y - 6), fill=(204, 164, 134), outline=_INK)
    pen.rectangle((x - 20, y - 6, x + 20, y + 56), fill=(64, 88, 82), outline=_INK)
    pen.rectangle((x - 14, y + 56, x + 14, y + 104), fill=(44, 50, 60))


_MOVING: dict[str, Callable[[ImageDraw.ImageDraw, float, str], None]] = {
    "road": _moving_road,
    "port": _moving_port,
    "office": _moving_office,
    "market": _moving_market,
}

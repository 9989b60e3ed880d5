import io
from pathlib import Path

import films
import pytest
from PIL import Image

from bodycam.media.errors import NoPictureError, NotPlayableError
from bodycam.media.previews import filmstrip, thumbnail
from bodycam.media.probe import probe
from bodycam.media.proxies import needs_proxy, proxy


def test_a_thumbnail_of_a_film(tmp_path: Path):
    film = films.make_film(tmp_path / "a.mp4")
    with film.open("rb") as file:
        thumbnail([file], out=str(tmp_path / "t.jpg"), width=32)
    with Image.open(tmp_path / "t.jpg") as picture:
        assert (picture.format, picture.size) == ("JPEG", (32, 24))


def test_a_thumbnail_of_a_still(tmp_path: Path):
    with films.sample("gps_DSCN0010.jpg").open("rb") as file:
        assert thumbnail([file], out=str(tmp_path / "t.jpg")) == {"width": 480, "height": 360}


def test_a_filmstrip_has_twelve_different_pictures(tmp_path: Path):
    film = films.make_film(tmp_path / "a.mp4", frames=80)
    with film.open("rb") as file:
        size = filmstrip([file], out=str(tmp_path / "f.jpg"), tile_width=16)
    assert size == {"width": 192, "height": 12, "tiles": 12}


def test_a_cut_film_has_no_picture(tmp_path: Path):
    whole = films.make_film(tmp_path / "a.mp4").read_bytes()
    for maker in (thumbnail, filmstrip):
        with pytest.raises(NoPictureError):
            maker([io.BytesIO(whole[:900])], out=str(tmp_path / "x.jpg"))


@pytest.mark.parametrize(
    ("name", "codec", "needed"),
    [("a.mp4", "libx264", False), ("a.mp4", "libx265", True), ("a.mkv", "libx264", True), ("a.ts", "libx264", True)],
)
def test_a_viewing_copy_is_made_where_a_browser_needs_one(tmp_path: Path, name: str, codec: str, needed: bool):
    film = films.make_film(tmp_path / name, codec=codec)
    assert needs_proxy(probe(film)) is needed
    out = tmp_path / "proxy.mp4"
    with film.open("rb") as file:
        assert proxy([file], out=str(out)) == {"width": 64, "height": 48}
    copy = probe(out)
    assert not needs_proxy(copy)
    assert copy.duration_s == pytest.approx(2.0, abs=0.25)
    assert out.read_bytes().index(b"moov") < out.read_bytes().index(b"mdat")  # a browser can start at once


def test_a_fast_film_is_thinned_to_thirty_frames_a_second(tmp_path: Path):
    film = films.make_film(tmp_path / "a.mkv", codec="libx265", rate=60, frames=120, sound=False)
    with film.open("rb") as file:
        proxy([file], out=str(tmp_path / "p.mp4"))
    assert probe(tmp_path / "p.mp4").first("video").fps == pytest.approx(30, abs=1)


def test_noise_is_not_playable(tmp_path: Path):
    with pytest.raises(NotPlayableError):
        proxy([io.BytesIO(b"\0" * 5000)], out=str(tmp_path / "p.mp4"))

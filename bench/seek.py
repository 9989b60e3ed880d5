"""Seeking in a sealed 2 GB recording through the staff app: `python bench/seek.py [GB] [seeks]`.

A 720p H.264 film of 8 Mbit/s (a key frame every 2 s, its index at the end, as body cameras write) is offloaded from a folder, sealed,
and watched in Chromium: milliseconds from setting the time to `seeked`, at random times, the sealed file evicted from the page
cache before every second seek. The limit of the product is 500 ms. Everything made lies in one temporary folder, removed at the end.
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select

from bodycam.people import accounts, units
from bodycam.people.models import Role
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("BODYCAM_CHROMIUM", "/usr/bin/chromium")
RATE, KEY_FRAMES, LOOP_S, BITRATE = 25, 50, 10, 8_000_000
PASSWORD = "for-one-run-only"  # noqa: S105  of an installation that lives for this run
SEEK = """t => new Promise(done => {
  const video = document.getElementById('video'), begun = performance.now();
  video.addEventListener('seeked', () => done(performance.now() - begun), {once: true});
  video.currentTime = t;
})"""


def main() -> None:
    """Print median, 95th percentile and maximum, cold and warm."""
    size = int(float(sys.argv[1]) * 1e9) if len(sys.argv) > 1 else 2_000_000_000
    seeks = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        card, data = Path(folder) / "card", Path(folder) / "data"
        card.mkdir()
        make_film(card / "REC_0001.MP4", size)
        environ = {"BODYCAM_DATA_DIR": str(data), "BODYCAM_STAFF__PORT": str(free_port())}
        command = [sys.executable, "-m", "bodycam", "offload", str(card), "--json"]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | environ, stdout=subprocess.DEVNULL)
        (card / "REC_0001.MP4").unlink()
        with open_runtime(load_settings(environ)) as rt:
            recording = prepare(rt)
            sealed = rt.vault.root / "objects" / recording.object_id[:2] / recording.object_id
            with serving(environ) as address:
                cold, warm = watch(address, recording.id, sealed, seeks)
    print(f"{size / 1e9:.1f} GB, {seeks} seeks to random times, ms\n{'':6} {'median':>8} {'p95':>8} {'max':>8}")
    for name, took in (("cold", cold), ("warm", warm)):
        most = sorted(took)[int(len(took) * 0.95) - 1]
        print(f"{name:6} {statistics.median(took):8.0f} {most:8.0f} {max(took):8.0f}")


def make_film(path: Path, size: int) -> None:
    """Encode ten seconds of noise once and write its packets again and again, so that 2 GB cost seconds."""
    noise = np.random.default_rng(1)
    with av.open(str(path.with_suffix(".part")), "w", format="mp4") as loop:
        stream = loop.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.bit_rate, stream.gop_size = BITRATE, KEY_FRAMES
        for _ in range(RATE * LOOP_S):
            small = noise.integers(0, 255, (90, 160, 3), dtype=np.uint8)
            loop.mux(stream.encode(av.VideoFrame.from_ndarray(small.repeat(8, 0).repeat(8, 1), format="rgb24")))
        loop.mux(stream.encode())
    with av.open(str(path.with_suffix(".part"))) as loop, av.open(str(path), "w", format="mp4") as film:
        source = loop.streams.video[0]
        target = film.add_stream_from_template(source)
        base = source.time_base or Fraction(1, RATE)
        packets = [(bytes(p), p.pts, p.dts or 0, p.is_keyframe) for p in loop.demux(source) if p.pts is not None]
        length = int(LOOP_S / base)
        turns = size // sum(len(data) for data, *_ in packets)
        for turn in range(turns):
            for data, pts, dts, is_key in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = target, base
                packet.pts, packet.dts, packet.is_keyframe = pts + turn * length, dts + turn * length, is_key
                film.mux(packet)
    path.with_suffix(".part").unlink()


def prepare(rt: Runtime) -> Recording:
    """Make the person who watches and return what was offloaded."""
    with rt.db.write() as session:
        unit = units.create_unit(session, name="Bench", force="other")
        account = accounts.create_account(
            session, username="bench", display_name="Bench", password=PASSWORD, settings=rt.settings.sign_in
        )
        accounts.grant(session, account.id, Role.AUDITOR, unit.id)
        return session.scalars(select(Recording)).one()


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[str]:
    """Run the staff app and give its address."""
    address = f"http://127.0.0.1:{environ['BODYCAM_STAFF__PORT']}"
    command = [sys.executable, "-m", "webui.serve", "staff"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{address}/sign-in", timeout=2).close()  # noqa: S310  our own server
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def watch(address: str, recording_id: str, sealed: Path, seeks: int) -> tuple[list[float], list[float]]:
    """Sign in, give the reason, seek; return milliseconds of the cold and of the warm seeks."""
    draw = random.Random(7)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(base_url=address)
        open_film(page, recording_id)
        length = page.evaluate("document.getElementById('video').duration")
        cold: list[float] = []
        warm: list[float] = []
        for n in range(seeks):
            if n % 2 == 0:
                evict(sealed)
            took = page.evaluate(SEEK, draw.uniform(0, length))
            (warm if n % 2 else cold).append(took)
        browser.close()
    return cold, warm


def open_film(page: Page, recording_id: str) -> None:
    """Sign in and open the player, its film ready to be sought."""
    page.goto("/sign-in")
    page.fill("#username", "bench")
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.goto(f"/recordings/{recording_id}")
    page.check("input[value=technical]")
    page.click("main form button.main")
    page.wait_for_selector("#video")
    page.evaluate("""() => new Promise(ready => {
      const video = document.getElementById('video');
      video.readyState >= 2 ? ready() : video.addEventListener('loadeddata', ready, {once: true});
    })""")


def evict(path: Path) -> None:
    """Make the next read come from the disk."""
    handle = os.open(path, os.O_RDONLY)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()

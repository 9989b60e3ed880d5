"""A full dock: many virtual cameras plugged in at once, one real station process: `python bench/dock_fleet.py [cameras] [MiB each]`.

Asserts what is promised for 24: the slowest camera's bytes a second are at least half of the fastest's, and the station process
stays under 400 MB (VmHWM, and its proportional set size sampled ten times a second). The cameras send as fast as the station
reads, which is the hardest for fairness; `--rate` makes them as slow as a wire. All are plugged in before the station starts, and a
camera's time counts from the first sign of the station to its green tile, so that waiting for a turn counts. With cards smaller
than some turns (8 MiB each) the order alone makes a difference. Station and sequencer are processes of their own, as under `bodycam up`; the board in the database is what is measured.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import select

from bodycam.cli.standalone import standalone
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.simulator.profile import Profile, write_profile

MIB = 1 << 20
MOST_MB, MOST_TIMES = 400, 2.0
FILES = 4


def main() -> int:
    """Run it and print the figures; exit code 1 when a promise is not kept."""
    options = parse()
    size = options.mib * MIB // FILES
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        root = Path(folder)
        environment = {
            "BODYCAM_DATA_DIR": str(root / "data"),
            "BODYCAM_DOCK__BUS": f"sim:{root / 'bus'}",
            "BODYCAM_DOCK__SLOTS": str(options.cameras),
        }
        if options.parallel:
            environment["BODYCAM_DOCK__PARALLEL"] = str(options.parallel)
        options.parallel = load_settings(environment).dock.parallel
        expected = fill(root / "bus", options.cameras, size, options.rate)
        with standalone(load_settings(environment)) as rt:
            began, done, memory = run(root, environment, options)
            with rt.db.read() as session:
                sealed = sorted(session.scalars(select(Recording.sha256)))
    assert sealed == expected, f"{len(sealed)} of {len(expected)} recordings, or other bytes"
    return tell(options, size * FILES, began, done, memory)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="A full dock at once.")
    parser.add_argument("cameras", type=int, nargs="?", default=24)
    parser.add_argument("mib", type=int, nargs="?", default=64)
    parser.add_argument("--parallel", type=int, default=0, help="dock.parallel (default: as shipped)")
    parser.add_argument("--rate", type=int, default=None, help="bytes a second of each camera's wire")
    parser.add_argument("--dir", default=None)
    return parser.parse_args()


def fill(bus: Path, cameras: int, size: int, rate: int | None) -> list[str]:
    """Make the cameras, each with four files of its own; returns the hashes of all."""
    hashes = []
    for number in range(1, cameras + 1):
        camera = write_profile(bus / f"cam-{number:02}", Profile(serial=f"FLEET-{number:02}", port=number, rate=rate))
        dice = random.Random(number)
        for part in range(FILES):
            block = dice.randbytes(MIB)
            data = (block * (size // MIB + 1))[:size]
            hashes.append(hashlib.sha256(data).hexdigest())
            (camera.card / f"{part}.bin").write_bytes(data)
    return sorted(hashes)


def run(
    root: Path, environment: dict[str, str], options: argparse.Namespace
) -> tuple[list[float], list[float], list[float]]:
    """Run station and sequencer until all tiles are green.

    Returns when each camera's first byte came and when it was green, in seconds since the board first showed, and the memory in MB.
    """
    everything = {**os.environ, **environment}
    with (root / "log").open("w") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", module], env=everything, stderr=log)
            for module in ("dock_service.station", "bodycam.custody.sequencer")
        ]
        try:
            return watch(root, processes[0], options)
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(60)


def watch(
    root: Path, station: "subprocess.Popen[bytes]", options: argparse.Namespace
) -> tuple[list[float], list[float], list[float]]:
    """Look at the board until every camera is done."""
    began: dict[int, float] = {}
    done: dict[int, float] = {}
    most_pss = opened = 0.0
    reader = sqlite3.connect(f"file:{root / 'data' / 'bodycam.db'}?mode=ro", uri=True, timeout=30)
    while len(done) < options.cameras:
        assert station.poll() is None, (root / "log").read_text()[-2000:]
        row = reader.execute("SELECT body FROM station_board").fetchone()
        now = time.monotonic()
        for tile in json.loads(row[0])["slots"] if row else []:
            assert tile["state"] != "error", tile
            opened = opened or now
            if tile["bytes_done"]:
                began.setdefault(tile["slot"], now)
            if tile["state"] == "done":
                done.setdefault(tile["slot"], now)
        most_pss = max(most_pss, pss(station.pid))
        time.sleep(0.1)
    slots = sorted(done)
    starts, ends = [began[slot] - opened for slot in slots], [done[slot] - opened for slot in slots]
    return starts, ends, [high_water(station.pid), most_pss]


def high_water(pid: int) -> float:
    """Return the most memory a process ever had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def pss(pid: int) -> float:
    """Return a process's proportional set size, in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def tell(options: argparse.Namespace, size: int, began: list[float], done: list[float], memory: list[float]) -> int:
    """Print the figures and say what was promised and not kept."""
    seconds = max(done)
    slowest, fastest = size / max(done) / 1e6, size / min(done) / 1e6
    print(
        f"{options.cameras} cameras at once, {size // MIB} MiB each, {options.parallel} read at once, rate {options.rate}"
    )
    print(f"first bytes after {min(began):.1f} to {max(began):.1f} s, green after {min(done):.1f} to {max(done):.1f} s")
    print(f"all green after {seconds:.1f} s, {options.cameras * size / seconds / 1e6:.0f} MB/s together")
    print(
        f"slowest camera {slowest:.1f} MB/s, fastest {fastest:.1f} MB/s: {fastest / slowest:.2f} times (promised {MOST_TIMES:g})"
    )
    print(f"station process: VmHWM {memory[0]:.0f} MB, PSS at most {memory[1]:.0f} MB (promised {MOST_MB})")
    kept = fastest / slowest <= MOST_TIMES and max(memory) < MOST_MB
    print("kept" if kept else "NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

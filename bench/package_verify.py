"""Verifying a package of 2 GiB against `bagit.py --validate` on the same folder: `python bench/package_verify.py [runs] [files] [MiB each]`.

Both as commands of their own, interleaved, medians of wall time; out of the page cache, since a disk slower than one core's hashing makes
all of them equal, and once more with the page cache dropped before each run. Ours also checks every proof, the
order, the openings and the witnesses; BagIt checks the manifests. A package of one single file is measured as well: one hash can't be
spread over two cores. Needs twice the size in BENCH_DIR (default: the system's folder for temporary files) and cleans up.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from evidence_packages import WITNESSES, World, world
from seal import evict

from bodycam.intake import service as intake
from bodycam.recordings.models import Origin

RUNS, FILES, MIB = 5, 8, 256
OURS = "bodycam package verify"


def seal(told: World, name: str, mib: int) -> None:
    attempt = intake.begin(told.rt.db, name)
    with told.rt.spool.open(attempt.id) as writer:
        for _ in range(mib):
            writer.write(os.urandom(1 << 20))
        spooled = writer.finish()
    facts = intake.Facts(Origin.DOCK, name, "system", camera_id=told.camera_id, unit_id=told.unit_id)
    told.recordings.append(intake.finish(told.rt, attempt, spooled, facts).recording_id)


def package(folder: Path, files: int, mib: int) -> tuple[Path, Path, float]:
    with world(folder, witnesses=WITNESSES[:2], sizes=()) as told:
        for number in range(files):
            seal(told, f"DCIM/100/MOV_{number:04d}.MP4", mib)
        told.settle()
        place = folder / "out"
        place.mkdir()
        began = time.perf_counter()
        made = told.make(told.order(*told.recordings), place, policy_text=told.policy())
        took = time.perf_counter() - began
        policy = folder / "policy.txt"
        policy.write_text(told.policy())
    return made.path, policy, took


def timed(folder: Path, *command: str | Path, cold: bool) -> float:
    if cold:
        evict(folder)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(files: int, mib: int, runs: int) -> None:
    base = os.environ.get("BENCH_DIR") or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder, policy, took = package(Path(name), files, mib)
        size = files * mib * 1.048576
        print(f"{files} x {mib} MiB; made (copied out, hashed, checked) in {took:.1f} s, {size / took:.0f} MB/s")
        bag = [sys.executable, "-m", "bagit", "--quiet", "--validate"]
        commands = {
            OURS: [sys.executable, "-m", "bodycam", "package", "verify", folder, "--policy", policy],
            "bagit.py --validate": [*bag, folder],
            "bagit.py --validate --processes 2": [*bag, "--processes", "2", folder],
        }
        for cold in (False, True):
            seconds: dict[str, list[float]] = {what: [] for what in commands}
            for command in commands.values() if not cold else ():
                timed(folder, *command, cold=False)
            for _ in range(runs):
                for what, command in commands.items():
                    seconds[what].append(timed(folder, *command, cold=cold))
            tell(seconds, size, "page cache dropped" if cold else "in the page cache")


def tell(seconds: dict[str, list[float]], size: float, how: str) -> None:
    print(f"| {how} | MB/s, median (range) | this / ours, median of the pairs |\n|---|---|---|")
    for what, times in seconds.items():
        ratio = statistics.median(theirs / own for own, theirs in zip(seconds[OURS], times, strict=True))
        spread = f"{size / max(times):.0f} to {size / min(times):.0f}"
        print(f"| {what} | {size / statistics.median(times):.0f} ({spread}) | {ratio:.2f} |")
    print(json.dumps(seconds))


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    runs, files, mib = (*given, *(RUNS, FILES, MIB)[len(given) :])
    measure(files, mib, runs)
    if files > 1:
        measure(1, files * mib, runs)


if __name__ == "__main__":
    main()

"""Verified, encrypted, durable offload of 2 GiB from a folder, against cp with fsync and rsync --fsync with rsync -c.

One run, interleaved, medians; the source is evicted from the page cache before each. `bodycam offload` is timed twice: from
its start to the last receipt (everything copied, hashed, encrypted, synced, read back, catalogued, logged: the camera may be
unplugged), and to its end, which has also read and checked what came. Making the empty installation isn't counted. Needs
7 GB; cleans up.
"""

import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

RUNS = 5
SHAPES = {"8 x 256 MiB": (8, 256 << 20), "1 x 2 GiB": (1, 2 << 30)}
WHOLE = "bodycam offload, whole command"
RECEIPT = "bodycam offload, to the last receipt"
REQUIRED = {"cp + fsync": 1.5, "rsync --fsync, rsync -c": 1.0}


def make_source(folder: Path, count: int, size: int) -> None:
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
    os.sync()


def evict(folder: Path) -> None:
    for path in folder.iterdir():
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)
    subprocess.run(["sync", *sorted(target.iterdir()), target], check=True)


def rsync(source: Path, target: Path) -> None:
    subprocess.run(["rsync", "-r", "--fsync", f"{source}/", f"{target}/"], check=True)
    subprocess.run(["rsync", "-rc", f"{source}/", f"{target}/"], check=True)


def environment(target: Path) -> dict[str, str]:
    return os.environ | {"BODYCAM_DATA_DIR": str(target)}


def prepare(target: Path) -> None:
    command = [sys.executable, "-m", "bodycam", "db", "upgrade"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(target))


def offload(source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "bodycam", "offload", str(source), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, env=environment(target))
    sealed = json.loads(done.stdout)["recordings"]
    assert sum(recording["size"] for recording in sealed) == 2 << 30, "not everything was sealed"


def last_receipt(target: Path) -> float:
    """Return when the last receipt was issued, in seconds since the epoch."""
    database = sqlite3.connect(next(target.rglob("*.db")))
    [[issued]] = database.execute("SELECT max(issued_at) FROM custody_receipt")
    database.close()
    return datetime.fromisoformat(issued).replace(tzinfo=UTC).timestamp()


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(run: Callable[[Path, Path], None], source: Path, target: Path) -> tuple[float, float]:
    evict(source)
    os.sync()
    cpu, started = cpu_seconds(), time.perf_counter()
    run(source, target)
    return time.perf_counter() - started, cpu_seconds() - cpu


def compare(folder: Path, shape: str, runs: int) -> None:
    source = folder / "source"
    make_source(source, *SHAPES[shape])
    peers: dict[str, Callable[[Path, Path], None]] = {"cp + fsync": copy}
    if shutil.which("rsync"):
        peers["rsync --fsync, rsync -c"] = rsync
    else:
        print("rsync is not installed: that peer is skipped")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in [*peers, RECEIPT, WHOLE]}
    target = folder / "target"
    for _ in range(runs):
        for name, run in peers.items():
            taken[name].append(measure(run, source, target))
            shutil.rmtree(target)
        prepare(target)
        wall, cpu = measure(offload, source, target)
        taken[WHOLE].append((wall, cpu))
        taken[RECEIPT].append((wall - (time.time() - last_receipt(target)), cpu))
        shutil.rmtree(target)
    tell(shape, taken)
    shutil.rmtree(source)


def tell(shape: str, taken: dict[str, list[tuple[float, float]]]) -> None:
    receipt, whole = (statistics.median(wall for wall, _ in taken[name]) for name in (RECEIPT, WHOLE))
    print(
        f"| {shape} | median s | min s | cpu s | receipt / this | whole / this | required |\n|---|---|---|---|---|---|---|"
    )
    for name, times in taken.items():
        median, least = statistics.median(wall for wall, _ in times), min(wall for wall, _ in times)
        cpu = statistics.median(seconds for _, seconds in times)
        required = f"<= {REQUIRED[name]}" if name in REQUIRED else ""
        ratios = f"{receipt / median:.2f} | {whole / median:.2f}"
        print(f"| {name} | {median:.2f} | {least:.2f} | {cpu:.1f} | {ratios} | {required} |")
    print(flush=True)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR"), prefix="bodycam-bench-") as folder:
        for shape in SHAPES:
            compare(Path(folder), shape, runs)


if __name__ == "__main__":
    main()

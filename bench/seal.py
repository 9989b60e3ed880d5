"""Sealing 2 GiB with re-reading, against what else copies and verifies: `python bench/seal.py [runs] [files] [MiB each]`.

One run, interleaved, medians; the source is evicted from the page cache before each, and so is whatever a peer verifies, since a
check out of RAM proves nothing about a disk. Ours is intake, vault, catalogue and log in one process that is already started: from the
first byte to the last receipt. Needs 6 GB in BENCH_DIR (default: the system's folder for temporary files) and cleans up.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RUNS, FILES, MIB = 5, 8, 256
BLOCK = 4 << 20
OURS = "bodycam: seal, re-read, catalogue, receipt"
ONE_COPY_MORE = "bodycam: the same with a second copy"


def make_source(folder: Path, count: int, size: int) -> None:
    folder.mkdir()
    for number in range(count):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
    os.sync()


def evict(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            fd = os.open(path, os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def sh(*command: str | Path, **environment: str) -> None:
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | environment
    )


def copy(source: Path, target: Path) -> None:
    sh("cp", "-r", source, target)
    sh("sync", *sorted(target.iterdir()), target)


def copy_and_sum(source: Path, target: Path) -> None:
    sums = target.with_suffix(".sums")
    with sums.open("w") as file:
        subprocess.run(
            ["sha256sum", *sorted(path.name for path in source.iterdir())], cwd=source, stdout=file, check=True
        )
    copy(source, target)
    evict(target)
    subprocess.run(["sha256sum", "--quiet", "-c", sums], cwd=target, check=True)
    sums.unlink()


def bag(source: Path, target: Path) -> None:
    copy(source, target)
    sh(sys.executable, "-m", "bagit", "--quiet", "--sha256", "--processes", "2", target)
    sh("sync", "-f", target)
    evict(target)
    sh(sys.executable, "-m", "bagit", "--quiet", "--validate", "--processes", "2", target)


def restic(source: Path, target: Path) -> None:
    known = {"RESTIC_PASSWORD": "x", "RESTIC_CACHE_DIR": str(target / "cache")}
    sh("restic", "-r", target / "repository", "backup", source, **known)
    sh("sync", "-f", target)
    evict(target)
    sh("restic", "-r", target / "repository", "check", "--read-data", **known)


def prepare_restic(target: Path) -> None:
    target.mkdir()
    sh("restic", "-r", target / "repository", "init", RESTIC_PASSWORD="x", RESTIC_CACHE_DIR=str(target / "cache"))  # noqa: S106  of this run alone


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(run: Callable[[Path, Path], None], source: Path, target: Path) -> tuple[float, float]:
    cpu, started = cpu_seconds(), time.perf_counter()
    run(source, target)
    return time.perf_counter() - started, cpu_seconds() - cpu


def ours(source: Path, target: Path, *, copies: int) -> tuple[float, float, int]:
    """Seal in a process of its own, which times itself once everything is imported."""
    command = [sys.executable, __file__, "--seal", source, target, str(copies)]
    root = str(Path(__file__).parents[1])
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": root})
    told = json.loads(done.stdout)
    return told["wall"], told["cpu"], told["proof"]


def seal(source: Path, target: Path, copies: int) -> None:
    from bodycam.cli.standalone import standalone  # late: the process that measures needs none of these
    from bodycam.custody.sequencer import Sequencer
    from bodycam.intake import service as intake
    from bodycam.recordings.models import Origin
    from bodycam.settings import load_settings

    environ = {"BODYCAM_DATA_DIR": str(target)}
    if copies > 1:
        environ |= {"BODYCAM_VAULT__COPIES": f"file://{target}-second", "BODYCAM_VAULT__REQUIRED_COPIES": str(copies)}
    with standalone(load_settings(environ)) as rt:
        Sequencer(rt.db, rt.log).run_once()
        buffer = memoryview(bytearray(BLOCK))
        cpu, started = time.process_time(), time.perf_counter()
        for path in sorted(source.iterdir()):
            attempt = intake.begin(rt.db, path.name)
            with path.open("rb", buffering=0) as file, rt.spool.open(attempt.id, path.stat().st_size) as writer:
                while count := file.readinto(buffer):
                    writer.write(buffer[:count])
                spooled = writer.finish()
            intake.finish(rt, attempt, spooled, intake.Facts(origin=Origin.IMPORT, name=path.name, actor="system"))
        Sequencer(rt.db, rt.log).run_once()
        took = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
        receipts = [path.stat().st_size for path in (rt.log.dir / "receipts").rglob("*.json")]
    assert len(receipts) == len(list(source.iterdir())), "not every file has its receipt"
    print(json.dumps(took | {"proof": max(receipts)}))


def main() -> None:
    """Print the table."""
    runs, count, size = (
        int(text) for text in (sys.argv[1:] + [str(n) for n in (RUNS, FILES, MIB)][len(sys.argv) - 1 :])
    )
    peers: dict[str, Callable[[Path, Path], None]] = {
        "cp + fsync": copy,
        "sha256sum, cp + fsync, sha256sum -c": copy_and_sum,
    }
    peers["bagit: cp + fsync, create, validate"] = bag
    if shutil.which("restic"):
        peers["restic: backup, check --read-data"] = restic
    else:
        print("restic is not installed: that peer is skipped")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in [*peers, OURS, ONE_COPY_MORE]}
    proof = 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR"), prefix="bodycam-bench-") as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        make_source(source, count, size << 20)
        for _ in range(runs):
            for name, run in peers.items():
                if run is restic:
                    prepare_restic(target)
                settle(source)
                taken[name].append(measure(run, source, target))
                shutil.rmtree(target)
            for name, copies in ((OURS, 1), (ONE_COPY_MORE, 2)):
                settle(source)
                wall, cpu, proof = ours(source, target, copies=copies)
                taken[name].append((wall, cpu))
                shutil.rmtree(target)
                shutil.rmtree(f"{target}-second", ignore_errors=True)
    tell(taken, count * size, runs)
    print(f"a receipt with its proof is {proof} bytes at most")


def settle(source: Path) -> None:
    os.sync()
    evict(source)


def tell(taken: dict[str, list[tuple[float, float]]], mib: int, runs: int) -> None:
    own = statistics.median(wall for wall, _ in taken[OURS])
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{mib} MiB, {runs} runs, load {load}\n\n| | median s | least s | MB/s | processor s | sealing / this |\n|---|---|---|---|---|---|"
    )
    for name, times in taken.items():
        median, least = statistics.median(wall for wall, _ in times), min(wall for wall, _ in times)
        cpu = statistics.median(seconds for _, seconds in times)
        print(
            f"| {name} | {median:.2f} | {least:.2f} | {mib * 1.048576 / median:,.0f} | {cpu:.1f} | {own / median:.2f} |"
        )


if __name__ == "__main__":
    if "--seal" in sys.argv:
        seal(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main()

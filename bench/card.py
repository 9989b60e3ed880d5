"""A card on this machine's own processor: `bodycam offload` to the last receipt, against rsync and rclone pairs that check.

The guest of `bench/usb_guest.py` emulates a processor without quick AES and SHA; here the card is an image behind a loop device with
direct I/O, so its bytes come from the disk. One run, interleaved, medians. Before each way the card is mounted anew and caches are
dropped; between a peer's copy and its check too (a card of 64 GB does not fit into memory, and what is to be checked is what lies on
the disks). FAT32 where the kernel has it, else ext4. Needs
root, rsync, rclone, mkfs and 7 GB; nothing else should run.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from offload_folder import last_receipt, make_source, offload, prepare

RUNS, FILES, SIZE = 5, 4, 512 << 20
OURS = "bodycam offload, to the last receipt"
PAIRS = {
    "rsync --fsync, rsync -c": ("rsync -r --fsync {card}/ {out}/", "rsync -rc {card}/ {out}/"),
    "rclone copy, check --download": ("rclone copy {card} {out}", "rclone check --download {card} {out}"),
}


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def drop() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


class Card:
    """A card that is put in and taken out."""

    def __init__(self, folder: Path) -> None:
        image, self.place = folder / "card.img", folder / "card"
        self.place.mkdir()
        with image.open("wb") as file:
            file.truncate(FILES * SIZE + (192 << 20))
        has_fat = "vfat" in Path("/proc/filesystems").read_text()
        self.kind = "FAT32" if has_fat else "ext4"
        run(*("mkfs.vfat", "-F", "32") if has_fat else ("mke2fs", "-q", "-t", "ext4"), image)
        self.device = run("losetup", "--find", "--show", "--direct-io=on", image)
        run("mount", self.device, self.place)
        make_source(self.place / "DCIM", FILES, SIZE)
        run("umount", self.place)

    def put_in(self) -> None:
        """Mount the card, nothing of it in memory."""
        drop()
        run("mount", "-o", "ro", self.device, self.place)

    def take_out(self) -> None:
        """Unmount it."""
        run("umount", self.place)

    def close(self) -> None:
        """Forget it."""
        subprocess.run(["umount", "-q", self.place], check=False)
        run("losetup", "--detach", self.device)


def peer(card: Card, copy: str, check: str, out: Path) -> float:
    card.put_in()
    started = time.perf_counter()
    run(*copy.format(card=card.place, out=out).split())
    drop()
    run(*check.format(card=card.place, out=out).split())
    took = time.perf_counter() - started
    card.take_out()
    return took


def ours(card: Card, out: Path) -> float:
    prepare(out)
    card.put_in()
    started = time.time()
    offload(card.place, out)
    took = last_receipt(out) - started
    card.take_out()
    return took


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    taken: dict[str, list[float]] = {name: [] for name in (OURS, *PAIRS)}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR"), prefix="card-") as place:
        card = Card(Path(place))
        try:
            for number in range(runs):
                ways: dict[str, Callable[[Path], float]] = {OURS: lambda out: ours(card, out)}
                for name, (copy, check) in PAIRS.items():
                    ways[name] = lambda out, copy=copy, check=check: peer(card, copy, check, out)  # type: ignore[misc]
                for name in sorted(ways, reverse=number % 2 == 1):
                    out = Path(place) / f"out-{number}-{list(ways).index(name)}"
                    taken[name].append(ways[name](out))
                    run("rm", "-rf", out)
        finally:
            card.close()
    base, size = statistics.median(taken[OURS]), FILES * SIZE
    print(
        f"\n{card.kind} card, {FILES} x {SIZE >> 20} MiB, median of {runs}; load of the machine {os.getloadavg()[0]:.1f}"
    )
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"  {name:36} {middle:6.2f} s {size / middle / 1e6:7.0f} MB/s  {spread}  ours/this {base / middle:.2f}")


if __name__ == "__main__":
    main()

"""USB in the guest of `make test-usb`: our PTP client against libgphoto2, and our offload from a card against rsync and rclone.

One boot, interleaved, medians, ratios. `python -m bench.usb_guest` (`make bench-usb`). Wire: `MtpCamera.read` and python-gphoto2's
`file_read` (4 MiB) fetch one object from QEMU's responder, in a process of their own each, only the bytes' time counted; sealing is
measured apart, as the station's time for the same file. Mass storage: from the plug, our station to its green tile; the peers wait
for the same block device, mount it read-only, then `rsync --fsync` + `rsync -c`, or `rclone copy` + `rclone check --download`. The
guest's page cache is dropped before each, and between a peer's copy and its check: a card of 64 GB does not fit into memory, and what
is to be checked is what the disks hold. Nothing but the guest should run on the machine; its load is printed.
`wire` or `station` as an argument measures only that.
"""

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # also when it is run by its path

from tests.usb_guest import cards, footage
from tests.usb_guest.dock import Dock
from tests.usb_guest.guest import Guest, end_in_order, new_footage_folder
from tests.usb_guest.image import CannotRunError, ensure

MIB = 1 << 20
WIRE_BYTES = 512 * MIB
CARD_FILES = (48 * MIB,) * 3
WIRE_RUNS, CARD_RUNS = 7, 3
MTP = "0123456789ABCDEF0123456789ABCDEF"
COPIES = {
    "rsync --fsync, rsync -c": "rsync -r --fsync /mnt/card/ {out}/; {drop}; rsync -rc /mnt/card/ {out}/",
    "rclone copy, check --download": "rclone copy /mnt/card {out}; {drop}; rclone check --download /mnt/card {out}",
}
DROP = "sync; echo 3 > /proc/sys/vm/drop_caches"


def drop_caches(guest: Guest) -> None:
    guest.check("sh", "-c", DROP)


def wire(guest: Guest, place: Path) -> None:
    """Fetch one object with both clients, alternating."""
    guest.plug_mtp(place / "wire", 1)
    guest.check("udevadm", "settle")
    rates: dict[str, list[float]] = {"ours": [], "gphoto2": []}
    for run in range(WIRE_RUNS):
        for name in sorted(rates, reverse=run % 2 == 1):
            drop_caches(guest)
            said = json.loads(guest.check("python3", "/mnt/repo/bench/usb_guest_inside.py", name, timeout=300))
            assert said["bytes"] == WIRE_BYTES, said
            rates[name].append(said["bytes"] / said["seconds"] / 1e6)
    guest.pull(1)
    ours, peer = (statistics.median(rates[name]) for name in ("ours", "gphoto2"))
    print(f"\nwire only, {WIRE_BYTES // MIB} MiB over MTP, median of {WIRE_RUNS}")
    print(f"  MtpCamera.read             {ours:7.1f} MB/s  {_spread(rates['ours'])}")
    print(f"  python-gphoto2 file_read   {peer:7.1f} MB/s  {_spread(rates['gphoto2'])}")
    pairs = [mine / theirs for mine, theirs in zip(rates["ours"], rates["gphoto2"], strict=True)]
    print(
        f"  ratio, median of the runs  {statistics.median(pairs):7.2f}  {_spread(pairs)}  (required 1.00)", flush=True
    )


def station(guest: Guest, place: Path, names: list[str]) -> None:
    """Start a dock and have it take the object of the wire, then the cards."""
    for name in names:
        cards.make(guest, name, place / f"{name}.img", sum(CARD_FILES) + 64 * MIB)
    dock = Dock(guest, {})
    dock.start(watched=False)
    sealing(guest, dock, place)
    storage(guest, dock, place)
    assert not dock.lies, dock.lies


def sealing(guest: Guest, dock: Dock, place: Path) -> None:
    """Have the station take the same object, all of it."""
    dock.cards[MTP] = footage.hashes(place / "wire")
    took = _until_green(dock, MTP, lambda: guest.plug_mtp(place / "wire", 1))
    guest.pull(1)
    print(
        f"\nthe same at the station, from the plug to green   {took:.1f} s, {WIRE_BYTES / took / 1e6:.1f} MB/s",
        flush=True,
    )


def storage(guest: Guest, dock: Dock, place: Path) -> None:
    """Take new cards with the station and with the peers, alternating."""
    took: dict[str, list[float]] = {name: [] for name in ("bodycam station", *COPIES)}
    for run in range(CARD_RUNS):
        name = f"fat32-{run}"
        for way in sorted(took, reverse=run % 2 == 1):
            drop_caches(guest)
            if way == "bodycam station":
                serial = name.upper()
                dock.cards[serial] = footage.hashes(place / name)
                took[way].append(_until_green(dock, serial, lambda name=name: guest.plug_card(name, 3)))  # type: ignore[misc]
                guest.pull(3)
            else:
                dock.pause()
                took[way].append(_copied(guest, name, COPIES[way]))
                dock.go_on()
            time.sleep(3)
    base = statistics.median(took["bodycam station"])
    size = sum(CARD_FILES)
    print(
        f"\nmass storage (FAT32), {len(CARD_FILES)} x {CARD_FILES[0] // MIB} MiB, from the plug, median of {CARD_RUNS}"
    )
    for way, seconds in took.items():
        middle = statistics.median(seconds)
        print(
            f"  {way:30} {middle:6.1f} s  {size / middle / 1e6:6.1f} MB/s  {_spread(seconds)}  ours/this {base / middle:.2f}"
        )


def _until_green(dock: Dock, serial: str, plug: Callable[[], None]) -> float:
    started = time.monotonic()
    plug()
    dock.until_tile("done", serial, 600, every=0.25)
    return time.monotonic() - started


def _copied(guest: Guest, name: str, copy: str) -> float:
    out = f"/data/peer-{name}"
    started = time.monotonic()
    guest.plug_card(name, 3)
    wait = "until d=$(ls /dev/sd?1 2>/dev/null) && [ -b $d ]; do sleep 0.05; done"
    guest.check(
        "sh",
        "-ec",
        f"{wait}; mount -o ro $d /mnt/card; {copy.format(out=out, drop=DROP)}; umount /mnt/card",
        timeout=600,
    )
    took = time.monotonic() - started
    guest.pull(3)
    guest.check("rm", "-rf", out)
    return took


def _spread(values: list[float]) -> str:
    return f"({min(values):.2f} to {max(values):.2f})"


def _load() -> str:
    return f"load of the machine {os.getloadavg()[0]:.1f}"


def main() -> int:
    end_in_order()
    place = new_footage_folder()
    names = [f"fat32-{run}" for run in range(CARD_RUNS)]
    try:
        for number, name in enumerate(names):
            footage.fill(place / name, CARD_FILES, seed=30 + number)
        with Guest(ensure(), place) as guest:
            print(f"{'KVM' if guest.is_kvm() else 'TCG, without KVM'}; up after {guest.boot_s:.0f} s; {_load()}")
            footage.fill(place / "wire", (WIRE_BYTES,), seed=20)
            if "station" not in sys.argv:
                wire(guest, place)
            if "wire" not in sys.argv:
                station(guest, place, names)
            print(f"\n{_load()}")
            return 0
    except CannotRunError as error:
        print(f"SKIPPED: {error}")
        return 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

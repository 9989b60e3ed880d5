"""`make test-usb`: the real dock service against a real kernel, libusb and USB devices, in a guest under QEMU.

Plain functions in order, since they share one boot; each says what it found. Words as arguments run only the checks that hold one of
them in their name. Ends with 0 when all held, and also, saying why, where a guest can't be built or run.
"""

import json
import random
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.usb_guest import cards, footage
from tests.usb_guest.cards import Wire
from tests.usb_guest.dock import SPOOL, Dock, states
from tests.usb_guest.guest import Guest, end_in_order, new_footage_folder
from tests.usb_guest.image import CannotRunError, ensure

MTP = "0123456789ABCDEF0123456789ABCDEF"  # what QEMU's responder calls itself
MIB = 1 << 20
CARD = 160 * MIB
FEW = (5 * MIB,)
LONG = (20 * MIB + 5, 30 * MIB, 1000)  # what is pulled in the middle of
PULLS = 3
SEED = 20_261_122
Checks = dict[Callable[["Stand"], str], tuple[str, ...]]


@dataclass
class Stand:
    """One guest, one dock, and the cameras that can be plugged."""

    guest: Guest
    dock: Dock
    place: Path
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))

    def plug(self, name: str, port: int) -> str:
        """Plug the camera of this name (a folder for MTP, else a card); returns its serial number."""
        if name.startswith("mtp"):
            self.guest.plug_mtp(self.place / name, port)
            return MTP
        self.guest.plug_card(name, port)
        return name.upper()

    def hold(self, name: str) -> None:
        """Say what the camera about to be plugged holds."""
        serial = MTP if name.startswith("mtp") else name.upper()
        self.dock.cards[serial] = footage.hashes(self.place / name)

    def parts(self) -> list[str]:
        """Return the files into which bytes of cameras have been written so far and that aren't finished."""
        return self.guest.appears(SPOOL, ".part", [], timeout=0)

    def take_out(self, serial: str, port: int) -> None:
        """Pull a camera and wait until the board has seen it."""
        self.guest.pull(port)
        self.dock.until(lambda seen: not {"uploading", "verifying"} & set(states(seen, serial)), "the pull to be seen")


def names_what_is_plugged(stand: Stand) -> str:
    """`bodycam usb list` names devices, kinds and profiles."""
    stand.plug("mtp", 1)
    stand.plug("fat32", 2)
    stand.guest.check("udevadm", "settle")
    lines = stand.guest.check("python3", "-m", "bodycam", "usb", "list", "--json").splitlines()
    for port in (1, 2):
        stand.guest.pull(port)
    found = {entry["kind"]: entry for entry in map(json.loads, lines)}
    assert set(found) == {"mtp", "mass-storage"}, lines
    assert all(entry["profile"] for entry in found.values()), lines
    return ", ".join(f"{e['port']} {e['kind']} {e['speed']} {e['profile']}" for e in found.values())


def offloads_by_command(stand: Stand) -> str:
    """`bodycam offload usb:all` without a station, from a FAT32 without partitions: equal, and nothing is written to the card."""
    name = "bare"
    image, wanted = stand.place / f"{name}.img", footage.hashes(stand.place / name)
    before = footage.hash_of(image)
    stand.plug(name, 3)
    stand.guest.check("udevadm", "settle")
    done = stand.guest.run("python3", "-m", "bodycam", "offload", "usb:all", "--json", timeout=600)
    stand.guest.pull(3)
    said = json.loads(done.out)
    assert done.code == 0, f"{done.code}: {done.out} {done.err}"
    assert {row["path"]: row["sha256"] for row in said["recordings"]} == wanted, said
    assert footage.hash_of(image) == before, "the card was written to"
    return f"{name}: {len(wanted)} file, {done.seconds:.0f} s"


def offloads_an_mtp_camera_by_command(stand: Stand) -> str:
    """`bodycam offload usb:BUS-PORT` of the one MTP camera, beside a card that is left alone: equal, and nothing changed on it."""
    folder = stand.place / "mtp-command"
    before, wanted = footage.state_of(folder), footage.hashes(folder)
    stand.plug("mtp-command", 1)
    stand.plug("fat32", 2)
    stand.guest.check("udevadm", "settle")
    lines = stand.guest.check("python3", "-m", "bodycam", "usb", "list", "--json").splitlines()
    [port] = [entry["port"] for entry in map(json.loads, lines) if entry["kind"] == "mtp"]
    source = port if port.startswith("usb:") else f"usb:{port}"
    done = stand.guest.run("python3", "-m", "bodycam", "offload", source, "--json", timeout=600)
    for number in (1, 2):
        stand.guest.pull(number)
    assert done.code == 0, f"{done.code}: {done.out} {done.err}"
    said = json.loads(done.out)
    assert {row["path"]: row["sha256"] for row in said["recordings"]} == wanted, said
    assert footage.state_of(folder) == before, "the camera was written to"
    return f"{source}: {len(wanted)} files, {done.seconds:.0f} s"


def reads_above_4_gib_over_mtp(stand: Stand) -> str:
    """A file larger than 4 GiB is listed with its 64-bit size and comes whole and equal over the wire; nothing is sealed."""
    folder = stand.place / "mtp-huge"
    [(path, sha256)] = footage.hashes(folder).items()
    stand.plug("mtp-huge", 1)
    stand.guest.check("udevadm", "settle")
    lines = stand.guest.check("python3", "/mnt/repo/tests/usb_guest/wire.py", timeout=900).splitlines()
    stand.guest.pull(1)
    [row] = map(json.loads, lines)
    assert (row["path"], row["size"], row["bytes"]) == (path, footage.HUGE, footage.HUGE), row
    assert row["sha256"] == sha256, row
    return (
        f"{footage.HUGE} bytes in {row['seconds']:.0f} s, {footage.HUGE / row['seconds'] / 1e6:.0f} MB/s with its hash"
    )


def offloads_at_the_station(stand: Stand) -> str:
    """Every size arrives equal, once, with its receipt, over MTP, from FAT32 and from exFAT."""
    return "; ".join(_offload(stand, name, port) for port, name in enumerate(("mtp", "fat32", "exfat"), 1))


def _offload(stand: Stand, name: str, port: int) -> str:
    image = stand.place / f"{name}.img"
    before = footage.hash_of(image) if image.exists() else footage.state_of(stand.place / name)
    stand.hold(name)
    known, began = stand.parts(), time.monotonic()
    serial = stand.plug(name, port)
    stand.guest.appears(SPOOL, ".part", known)
    first = time.monotonic() - began
    stand.dock.until_tile("done", serial)
    took = time.monotonic() - began
    stand.dock.assert_complete(serial)
    stand.take_out(serial, port)
    after = footage.hash_of(image) if image.exists() else footage.state_of(stand.place / name)
    assert after == before, f"{name} was written to"
    return f"{name}: first byte {first:.1f} s after the plug, green after {took:.0f} s"


def resumes_over_mtp(stand: Stand) -> str:
    """Pulled again and again: goes on in whatever port, re-reads at most one transfer (1 MiB) each time, never green before all is sealed."""
    wire = Wire(stand.guest)
    found, pulls = _pulled(stand, "mtp-long", (1, 2))
    again = wire.read_again()
    assert again <= pulls * (MIB + 512), f"{again} bytes read again after {pulls} pulls"
    return f"{found}; read again {again / MIB / max(pulls, 1):.2f} MiB a pull"


def resumes_from_a_card(stand: Stand) -> str:
    """The same for mass storage, pulled while it is mounted."""
    wire = Wire(stand.guest)
    found, pulls = _pulled(stand, "long", (3, 4))
    size = sum(path.stat().st_size for path in (stand.place / "long").rglob("*") if path.is_file())
    more = wire.blocks() - size
    return f"{found}; read beyond the files' bytes, with directories and read-ahead: {more / MIB / (pulls + 1):.2f} MiB a plug"


def _pulled(stand: Stand, name: str, ports: tuple[int, int]) -> tuple[str, int]:
    stand.hold(name)
    waits: list[float] = []
    pulls, port = 0, ports[0]
    known, began = stand.parts(), time.monotonic()
    serial = stand.plug(name, port)
    while pulls < PULLS and set(stand.guest.appears(SPOOL, ".part", known)) - set(known):
        waits.append(time.monotonic() - began)
        time.sleep(stand.chance.uniform(0.1, 2.0))
        if "done" in states(stand.dock.look(), serial):
            break
        stand.take_out(serial, port)
        port = ports[1] if pulls % 2 else ports[0]  # the same port first, then the other
        pulls += 1
        known, began = stand.parts(), time.monotonic()
        stand.plug(name, port)
    assert pulls, "it was done before it could be pulled: make its files longer"
    stand.dock.until_tile("done", serial)
    stand.dock.assert_complete(serial)
    stand.take_out(serial, port)
    again = f"{statistics.median(waits[1:]):.1f} s" if waits[1:] else "no more byte was needed"
    return f"{pulls} pulls; first byte {waits[0]:.1f} s after the plug, after a re-plug {again} (median)", pulls


def takes_no_pulled_card_for_empty(stand: Stand) -> str:
    """No pull of this run made a file of a card count as gone, or left a mount behind."""
    [rows] = stand.dock.ask(
        "SELECT camera.serial FROM camera_file JOIN camera ON camera.id = camera_file.camera_id"
        " WHERE camera_file.state != 'on_camera'"
    )
    gone = sum(serial != MTP for [serial] in rows)  # the MTP camera was given another card in between
    wait = "for i in $(seq 60); do grep -q /data/bodycam/mounts /proc/mounts || exit 0; sleep 1; done; exit 1"
    is_left = stand.guest.run("sh", "-c", wait).code != 0
    assert not gone, f"{gone} files count as gone"
    assert not is_left, "a mount is left a minute after the last pull"
    return "no file counts as gone, no mount is left"


BEFORE: Checks = {  # and the cards each needs
    names_what_is_plugged: ("fat32",),
    offloads_by_command: ("bare",),
    offloads_an_mtp_camera_by_command: ("fat32",),
    reads_above_4_gib_over_mtp: (),
}
CHECKS: Checks = {
    offloads_at_the_station: ("fat32", "exfat"),
    resumes_over_mtp: (),
    resumes_from_a_card: ("long",),
    takes_no_pulled_card_for_empty: (),
}


def main() -> int:
    """Run all checks in one boot."""
    end_in_order()
    place = new_footage_folder()
    try:
        for number, name in enumerate(("mtp", "fat32", "exfat", "bare")):
            footage.fill(place / name, FEW if name == "bare" else footage.SIZES, seed=number)
        for number, name in enumerate(("mtp-long", "long")):
            footage.fill(place / name, LONG, seed=10 + number)
        footage.fill(place / "mtp-command", (MIB + 1, 0, 1000), seed=20)
        footage.fill_huge(place / "mtp-huge")
        with Guest(ensure(), place) as guest:
            print(f"the guest runs on {'KVM' if guest.is_kvm() else 'TCG, without KVM'}; up after {guest.boot_s:.0f} s")
            before, checks = _chosen(BEFORE), _chosen(CHECKS)
            for name in sorted({name for needed in (before | checks).values() for name in needed}):
                cards.make(guest, name, place / f"{name}.img", CARD)
            stand = Stand(guest, Dock(guest, {}), place)
            failed = _all(stand, before)
            if checks:
                stand.dock.start()
                failed += _all(stand, checks)
                stand.dock.stop()
                print(f"the board was looked at {stand.dock.looks} times; false greens: {stand.dock.lies or 'none'}")
            return 1 if failed or stand.dock.lies else 0
    except CannotRunError as error:
        print(f"SKIPPED: {error}")
        return 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _chosen(checks: Checks) -> Checks:
    words = sys.argv[1:]
    return {check: needed for check, needed in checks.items() if not words or any(w in check.__name__ for w in words)}


def _all(stand: Stand, checks: Checks) -> int:
    failed = 0
    for check in checks:
        name, started = check.__name__.replace("_", " "), time.monotonic()
        try:
            found = check(stand)
        except Exception as error:  # noqa: BLE001  the other checks go on
            failed += 1
            print(f"FAILED  {name} ({time.monotonic() - started:.0f} s): {error!r}", flush=True)
            for port in range(1, 5):  # so that the next check finds the ports free
                stand.guest.try_pull(port)
        else:
            print(f"ok      {name} ({time.monotonic() - started:.0f} s): {found}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())

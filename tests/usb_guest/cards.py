"""Mass-storage cameras: card images that the guest itself formats and fills, and what QEMU saw being read from devices."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.usb_guest.guest import Guest, GuestError

_PARTIAL = re.compile(r"usb_mtp_op_get_partial_object dev \d+, handle 0x\w+, path (.*), off (\d+), len (\d+)")
_SENT = re.compile(r"usb_mtp_xfer dev \d+, ep 1, (\d+)/\d+")
_HEADER = 12  # of a container
_BLOCK = re.compile(r"usb_msd_cmd_submit lun \d+, tag 0x\w+, flags 0x0*80, len \d+, data-len (\d+)")
_BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"  # the type of a partition that holds files
LAYOUTS = {
    "fat32": ("sda1", "printf 'label: dos\ntype=c\n' | sfdisk -q /dev/sda && mkfs.vfat -F 32 /dev/sda1"),
    "bare": ("sda", "mkfs.vfat -I -F 32 /dev/sda"),
    "exfat": ("sda", "mkfs.exfat /dev/sda"),
    "long": (
        "sda1",
        f"printf 'label: gpt\ntype={_BASIC_DATA}\n' | sfdisk -q /dev/sda && mkfs.exfat /dev/sda1",
    ),
}


def make(guest: Guest, name: str, image: Path, size: int) -> None:
    """Make a card image with the file system its name says before any "-", holding what /mnt/footage/<name> holds."""
    with image.open("wb") as file:
        file.truncate(size)
    guest.add_card(name, image)
    guest.plug_card(name, 4)
    volume, format_it = LAYOUTS[name.partition("-")[0]]
    wait = "for i in $(seq 300); do [ -b /dev/sda ] && break; sleep 0.1; done"
    fill = f"mount /dev/{volume} /mnt/card && cp -rp /mnt/footage/{name}/. /mnt/card && umount /mnt/card"
    guest.check("sh", "-ec", f"{wait}\n{format_it} >&2\nudevadm settle\n{fill}", timeout=600)
    guest.pull(4)
    guest.check("sh", "-c", "for i in $(seq 300); do [ -b /dev/sda ] || exit 0; sleep 0.1; done; exit 1")


@dataclass
class Range:
    """One range asked of QEMU's MTP responder, and how many of its bytes left there."""

    path: Path
    offset: int
    length: int
    sent: int = -_HEADER


class Wire:
    """What devices were asked for since `Wire` was made, by QEMU's own trace."""

    def __init__(self, guest: Guest) -> None:
        """Begin at the trace's present end."""
        self._guest = guest
        self._start = guest.trace.stat().st_size

    def ranges(self) -> list[Range]:
        """Return the ranges asked over MTP, in order."""
        found: list[Range] = []
        for line in self._text().splitlines():
            if asked := _PARTIAL.search(line):
                found.append(Range(Path(asked[1]), int(asked[2]), int(asked[3])))
            elif found and (sent := _SENT.search(line)):
                found[-1].sent = min(found[-1].sent + int(sent[1]), found[-1].length)
        return found

    def read_again(self) -> int:
        """Return the bytes that left an MTP camera twice: from each range's start back to the furthest sent before."""
        again, furthest = 0, dict[Path, int]()
        for asked in self.ranges():
            end = min(asked.offset + max(asked.sent, 0), asked.path.stat().st_size)
            again += max(0, min(end, furthest.get(asked.path, 0)) - asked.offset)
            furthest[asked.path] = max(furthest.get(asked.path, 0), end)
        return again

    def blocks(self) -> int:
        """Return the bytes that were asked of mass-storage devices."""
        found = [int(size) for size in _BLOCK.findall(self._text())]
        if not found:
            raise GuestError("QEMU traced no read of a card")
        return sum(found)

    def _text(self) -> str:
        with self._guest.trace.open(errors="replace") as trace:
            trace.seek(self._start)
            return trace.read()

"""What lies on the cameras: files of awkward sizes under names as body cameras give them, and their hashes."""

import hashlib
import os
import random
from collections.abc import Mapping
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
# nothing, one byte, around USB's packets (512, 1024) with and without the 12 bytes of a container's header, around 16 KiB and the
# client's requests (1 to 8 MiB), and two long enough to be pulled out of
SIZES = (
    *(0, 1, 500, 511, 512, 513, 1012, 1024, 16 * KIB - 12, 16 * KIB, 64 * KIB + 1),
    *(MIB - 12, MIB, MIB + 1, 4 * MIB, 4 * MIB + 511, 9 * MIB + 7, 17 * MIB + 1),
)
_PIECE = 64 * MIB
HUGE = (4 << 30) + 5 * MIB + 7
_FIRST = 1_790_000_000  # seconds since 1970; each file a minute later


def fill(folder: Path, sizes: tuple[int, ...] = SIZES, *, seed: int = 1) -> None:
    """Write a card's files into an empty folder."""
    chance = random.Random(seed)
    for number, size in enumerate(sizes):
        path = folder / "DCIM" / f"{100 + number // 8}MEDIA" / f"DSJ_{seed:05}_{number:04}.MP4"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for at in range(0, size, _PIECE):
                stream.write(chance.randbytes(min(_PIECE, size - at)))
        os.utime(path, (_FIRST + 60 * number, _FIRST + 60 * number))


def fill_huge(folder: Path) -> None:
    """Write one sparse file of a little over 4 GiB, with bytes of its own at its start, around 4 GiB and at its end."""
    chance, size = random.Random(HUGE), HUGE
    path = folder / "DCIM" / "100MEDIA" / "DSJ_00099_0000.MP4"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size)
        for place in (0, (4 << 30) - 5, size - 1000):
            file.seek(place)
            file.write(chance.randbytes(1000))


def hashes(folder: Path) -> dict[str, str]:
    """Return path -> SHA-256 of a card's files."""
    return {str(path.relative_to(folder)): hash_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def state_of(folder: Path) -> Mapping[str, tuple[int, int, int]]:
    """Return what would change if anything were written: size, time of change and of the inode, by path."""
    found = {str(path.relative_to(folder)): path.stat() for path in sorted(folder.rglob("*"))}
    return {name: (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found.items()}


def hash_of(file: Path) -> str:
    """Return a file's SHA-256."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

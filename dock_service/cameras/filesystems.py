"""Which of the three file systems a volume holds: FAT32, exFAT or ext4, by its first bytes. The kernel is never left to guess.

Sources: Microsoft's FAT specification 1.03 (FAT32 has no sectors of a fixed root and no 16-bit size of its tables; the letters at
82 prove nothing), exFAT revision 1.00 (FileSystemName at 3), and the kernel's ext4 documentation (superblock at 1024, s_magic
at 0x38).
"""

import os
import struct
from pathlib import Path

from dock_service.errors import FileSystemUnknownError

_HEAD = 4096
_BOOT = b"\x55\xaa"
_EXT_MAGIC, _EXT_JOURNAL_DEVICE = b"\x53\xef", 0x8
_BPB = struct.Struct(
    "<HBHBHHBHHHII"
)  # from byte 11: sector, cluster, …, fixed root, …, 16-bit table size, …, 32-bit one
_SECTORS = {512, 1024, 2048, 4096}
_OTHERS = ((3, b"NTFS    ", "NTFS"), (54, b"FAT16", "FAT16"), (54, b"FAT12", "FAT12"), (0, b"LUKS\xba\xbe", "LUKS"))


def recognise(head: bytes, volume: str) -> str:
    """Return what the kernel calls the file system that begins with `head`: "vfat", "exfat" or "ext4".

    Raises FileSystemUnknownError with the name of another one that is recognised, or "?".
    """
    if head[1080:1082] == _EXT_MAGIC and not int.from_bytes(head[1120:1124], "little") & _EXT_JOURNAL_DEVICE:
        return "ext4"
    if head[510:512] == _BOOT and head[3:11] == b"EXFAT   ":
        return "exfat"
    found = next((name for at, magic, name in _OTHERS if head[at : at + len(magic)] == magic), "?")
    if found == "?" and head[510:512] == _BOOT and _is_fat32(head):
        return "vfat"
    raise FileSystemUnknownError(volume=volume, found=found)


def _is_fat32(head: bytes) -> bool:
    sector, cluster, _, tables, fixed_root, _, _, small_table, _, _, _, _ = _BPB.unpack_from(head, 11)
    large_table = int.from_bytes(head[36:40], "little")
    if head[0] not in {0xEB, 0xE9} or sector not in _SECTORS or not tables or not cluster or cluster & (cluster - 1):
        return False
    return fixed_root == 0 and small_table == 0 and large_table > 0


def head_of(device: Path) -> bytes:
    """Read the beginning of a block device; raises OSError."""
    handle = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, _HEAD, 0)
    finally:
        os.close(handle)

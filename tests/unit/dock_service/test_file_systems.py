"""Which file systems a dock mounts, and which it names and leaves alone."""

import contextlib
import shutil
import subprocess
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.clock import VIETNAM
from dock_service.cameras.filesystems import head_of, recognise
from dock_service.cameras.mounting import OwnMounts
from dock_service.errors import FileSystemUnknownError


def made(tmp_path, size, *command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run([*command, str(image)], check=True, capture_output=True)
    return head_of(image)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (("mkfs.vfat", "-F", "32"), "vfat"),
        (("mkfs.exfat",), "exfat"),
        (("mkfs.ext4", "-q"), "ext4"),
    ],
)
def test_the_three_are_recognised_as_their_own_programs_make_them(tmp_path, command, kind):
    assert recognise(made(tmp_path, 64 << 20, *command), "sda1") == kind


def test_a_fat32_that_does_not_call_itself_so_is_one_all_the_same(tmp_path):
    head = made(tmp_path, 64 << 20, "mkfs.vfat", "-F", "32")
    assert recognise(head[:82] + bytes(8) + head[90:], "sda1") == "vfat"
    with pytest.raises(FileSystemUnknownError):
        recognise(head[:22] + b"\x09\x00" + head[24:], "sda1")  # a 16-bit table's size: FAT16


def test_others_are_refused_by_name(tmp_path):
    with pytest.raises(FileSystemUnknownError, match="FAT16"):
        recognise(made(tmp_path, 16 << 20, "mkfs.vfat", "-F", "16"), "sda1")
    with pytest.raises(FileSystemUnknownError, match="NTFS"):
        recognise(b"\xeb\x52\x90NTFS    ".ljust(4096, b"\0"), "sda1")


@given(st.binary(max_size=4096))
def test_any_beginning_is_one_of_three_or_refused(head):
    kind = None
    with contextlib.suppress(FileSystemUnknownError):
        kind = recognise(head, "sda1")
    assert kind in {None, "vfat", "exfat", "ext4"}


@pytest.mark.parametrize(
    ("zone", "minutes"), [(UTC, 0), (VIETNAM, 420), (timezone(timedelta(hours=-5, minutes=-30)), -330)]
)
def test_fats_local_times_are_read_in_the_cameras_zone(tmp_path, zone, minutes):
    for kind in ("vfat", "exfat"):
        assert f",time_offset={minutes}" in OwnMounts(tmp_path, zone)._options(kind, "ro")

"""Files read past the page cache: the same bytes whatever their length, from any page on, and where no direct read is allowed."""

import errno
import os

import pytest

from bodycam.vault.appender import BLOCK
from bodycam.vault.disk import PAGE
from bodycam.vault.errors import VaultIoError
from bodycam.vault.from_disk import FromDisk

SIZES = (0, 1, PAGE - 1, PAGE, PAGE + 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3 * PAGE, 3 * BLOCK + 17)


def read(path, start=0, end=None):
    file = FromDisk(path)
    try:
        return b"".join(bytes(block) for block in file.blocks(start, file.size if end is None else end))
    finally:
        file.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_length_is_read_whole_and_from_any_page(tmp_path, size):
    data = os.urandom(size)
    (tmp_path / "x").write_bytes(data)
    assert read(tmp_path / "x") == data
    assert read(tmp_path / "x", PAGE) == data[PAGE:]
    assert read(tmp_path / "x", 0, size // 2) == data[: size // 2]
    assert read(tmp_path / "x", 0, size + 5 * BLOCK) == data  # a file that was cut meanwhile gives what there is


def test_a_disk_that_refuses_direct_reads_is_read_through_its_cache(tmp_path, monkeypatch):
    data = os.urandom(BLOCK + 100)
    (tmp_path / "x").write_bytes(data)
    real, refused = os.preadv, []

    def refusing(fd, buffers, at):
        if not refused:
            refused.append(at)
            raise OSError(errno.EINVAL, "no direct read")
        return real(fd, buffers, at)

    monkeypatch.setattr(os, "preadv", refusing)
    assert read(tmp_path / "x") == data
    assert refused == [0]


def test_a_failing_disk_has_its_name_also_when_the_next_block_fails(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(os.urandom(3 * BLOCK))
    real = os.preadv

    def failing(fd, buffers, at):
        if at >= BLOCK:
            raise OSError(errno.EIO, "Input/output error")
        return real(fd, buffers, at)

    monkeypatch.setattr(os, "preadv", failing)
    with pytest.raises(VaultIoError):
        read(tmp_path / "x")

import hashlib
import mmap
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodycam.vault import Keyring, Spool, Vault, disk, segment
from bodycam.vault.envelope import write_envelope
from bodycam.vault.errors import DamagedObjectError, KeyMissingError, ObjectMissingError, VaultMissingError

MIB = 1 << 20


def in_vault(vault, object_id, suffix=""):
    return vault.root / "objects" / object_id[:2] / (object_id + suffix)


def spoil(path, at=-1):
    path.chmod(0o600)
    body = bytearray(path.read_bytes())
    body[at] ^= 1
    path.write_bytes(body)


def _is_in_memory(path):
    """Tell whether a folder lies on a tmpfs, by the longest mount point above it."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [
        (len(where), number, kind)
        for number, (_, where, kind, *_) in enumerate(mounts)
        if path.resolve().is_relative_to(where)
    ]
    return max(above)[2] in {"tmpfs", "ramfs"}


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 3 * MIB + 7])
def test_what_is_sealed_comes_back_byte_for_byte(vault, seal, size):
    data = os.urandom(size)
    sealed = seal(data, device="BWC-1")
    assert (sealed.sha256, sealed.size) == (hashlib.sha256(data).hexdigest(), size)
    path = in_vault(vault, sealed.object_id)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sealed.object_id
    assert path.stat().st_size == sealed.cipher_size
    with vault.open(sealed.object_id) as reader:
        assert (reader.size, reader.sha256) == (size, sealed.sha256)
        assert b"".join(reader.chunks()) == data
    assert vault.verify(sealed.object_id).ok
    assert list(vault.iter_objects()) == [sealed.object_id]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(start=st.integers(0, 300_000), length=st.integers(0, 300_000), block=st.integers(1, 100_000))
def test_any_range_reads_alone(vault, seal, start, length, block):
    data = (bytes(range(251)) * 1200)[:290_000]
    object_id = next(vault.iter_objects(), None) or seal(data).object_id
    reader = vault.open(object_id)
    assert reader.read(start, length) == data[start : start + length]
    pieces = list(reader.chunks(start, start + length, max(block, 5000)))
    assert b"".join(pieces) == data[start : start + length]
    assert all(0 < len(piece) <= max(block, 5000) for piece in pieces)


def test_the_manifest_outlives_the_database_and_hides_from_the_disk(vault, seal):
    sealed = seal(b"film", device="BWC-0412", name="Đoạn 1.mp4")
    manifest = vault.manifest(sealed.object_id)
    assert manifest["name"] == "Đoạn 1.mp4"
    assert (manifest["sha256"], manifest["size"]) == (sealed.sha256, 4)
    for path in vault.root.rglob("*"):
        assert path.is_dir() or b"BWC-0412" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_sealing_again_after_a_crash_before_the_catalogue_gives_the_same_object(vault, spool):
    for piece in (b"a" * 50_000, b"b" * 50_000):
        with spool.open("a1") as writer:
            writer.write(piece)
    with spool.open("a1") as writer:
        first = vault.seal(writer.finish(), {"n": 1})
    with spool.open("a1") as writer:
        assert vault.seal(writer.finish(), {"n": 1}) == first
    assert list(vault.iter_objects()) == [first.object_id]
    spool.discard("a1")
    assert b"".join(vault.open(first.object_id).chunks()) == b"a" * 50_000 + b"b" * 50_000
    assert list((vault.root / "tmp").iterdir()) == []


def test_an_object_is_linked_and_never_renamed_over(vault, spool):
    with spool.open("a1") as writer:
        writer.write(b"film")
        spooled = writer.finish()
    sealed = vault.seal(spooled, {})
    spool.discard("a1")
    path = in_vault(vault, sealed.object_id)
    before = path.stat().st_ino
    with Spool(spool.root, spool.keyring).open("a1") as writer:
        writer.write(b"film")
        other = vault.seal(writer.finish(), {})
    assert other.object_id != sealed.object_id  # another key, another object: never the same name twice
    assert path.stat().st_ino == before
    assert path.stat().st_mode & 0o777 == 0o400


def test_a_changed_copy_in_the_place_is_reported_and_left_as_it_is(vault, spool):
    with spool.open("a1") as writer:
        writer.write(b"film")
        spooled = writer.finish()
    sealed = vault.seal(spooled, {})
    path = in_vault(vault, sealed.object_id)
    path.unlink()
    path.write_bytes(b"other")
    with pytest.raises(DamagedObjectError, match="already in the vault"):
        vault.seal(spooled, {})
    assert path.read_bytes() == b"other"


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("", "object_damaged"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")],
)
def test_a_flipped_bit_is_found_wherever_it_is(vault, seal, suffix, code):
    sealed = seal(b"film" * 10_000)
    path = in_vault(vault, sealed.object_id, suffix)
    spoil(path, len(path.read_bytes()) // 2)
    assert vault.verify(sealed.object_id).problems == (code,)
    with pytest.raises(DamagedObjectError):
        b"".join(vault.open(sealed.object_id).chunks())


def test_every_single_bit_of_the_envelope_matters(vault, seal):
    sealed = seal(b"film")
    path = in_vault(vault, sealed.object_id, ".env")
    body = path.read_bytes()
    for at in range(len(body)):
        path.write_bytes(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        assert vault.verify(sealed.object_id).problems in {("envelope_damaged",), ("key_missing",)}


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("", "object_missing"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")],
)
def test_what_is_missing_is_found(vault, seal, suffix, code):
    sealed = seal(b"film")
    in_vault(vault, sealed.object_id, suffix).unlink()
    assert vault.verify(sealed.object_id).problems == (code,)
    with pytest.raises((DamagedObjectError, ObjectMissingError)):
        vault.open(sealed.object_id)


def test_truncation_is_found_on_opening(vault, seal):
    sealed = seal(b"film" * 10_000)
    path = in_vault(vault, sealed.object_id)
    path.chmod(0o600)
    os.truncate(path, 56 + 16400)
    assert vault.verify(sealed.object_id).problems == ("object_damaged",)
    with pytest.raises(DamagedObjectError):
        vault.open(sealed.object_id)


def test_an_envelope_of_another_object_does_not_open_it(vault, seal):
    one, two = seal(b"one", "a1"), seal(b"two", "a2")
    in_vault(vault, one.object_id, ".env").write_bytes(in_vault(vault, two.object_id, ".env").read_bytes())
    assert vault.verify(one.object_id).problems == ("envelope_damaged",)


def test_an_envelope_for_another_key_says_which_key_is_missing(vault, seal, tmp_path):
    sealed = seal(b"one")
    other = Keyring.open(tmp_path / "other")
    in_vault(vault, sealed.object_id, ".env").write_bytes(write_envelope(sealed.object_id, b"k" * 32, other))
    with pytest.raises(KeyMissingError, match=other.key_id):
        vault.open(sealed.object_id)
    assert vault.verify(sealed.object_id).problems == ("key_missing",)


@pytest.mark.parametrize("object_id", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64])
def test_an_unknown_id_is_missing_and_never_a_path(vault, object_id):
    with pytest.raises(ObjectMissingError):
        vault.open(object_id)


def test_the_sweep_touches_only_old_files_in_tmp(vault, seal, monkeypatch):
    sealed = seal(b"film")
    (vault.root / "tmp" / "left").write_bytes(b"x")
    assert vault.sweep() == 0
    monkeypatch.setattr("bodycam.vault.places._SWEEP_AFTER_S", -1)
    assert vault.sweep() == 1
    assert vault.verify(sealed.object_id).ok


def test_a_spool_on_another_file_system_is_copied_and_read_back(vault, spool, monkeypatch):
    real = disk.link

    def link(source, target):
        if source.is_relative_to(spool.root):
            raise OSError(18, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(disk, "link", link)
    with spool.open("a1") as writer:
        writer.write(b"film" * 50_000)
        sealed = vault.seal(writer.finish(), {})
    spool.discard("a1")
    assert b"".join(vault.open(sealed.object_id).chunks()) == b"film" * 50_000
    assert list((vault.root / "tmp").iterdir()) == []


def test_long_streams_are_read_back_while_they_are_written(vault, spool, monkeypatch):
    monkeypatch.setattr(segment, "WINDOW", 100_000)
    data = os.urandom(5 * MIB + 77)
    with spool.open("a1") as writer:
        for at in range(0, len(data), 10_000):
            writer.write(data[at : at + 10_000])
        spooled = writer.finish()
    assert spooled.trailing is not None
    sealed = vault.seal(spooled, {})
    assert (sealed.sha256, sealed.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert vault.verify(sealed.object_id).ok


@pytest.mark.parametrize("window", [1 << 30, 100_000])
def test_a_disk_that_gives_back_other_bytes_stops_the_sealing(vault, spool, monkeypatch, window):
    monkeypatch.setattr(segment, "WINDOW", window)
    real = disk.write_at

    def lie(fd, data, at, path):
        real(fd, mmap.mmap(-1, len(data)) if at < 2 * MIB <= at + len(data) else data, at, path)

    monkeypatch.setattr(disk, "write_at", lie)
    with spool.open("a1") as writer:
        for _ in range(8):
            writer.write(os.urandom(MIB))
        spooled = writer.finish()
    with pytest.raises(DamagedObjectError, match="read back"):
        vault.seal(spooled, {})
    assert list(vault.iter_objects()) == []


@pytest.mark.parametrize("size", [3 * MIB, 20 * MIB])
def test_the_read_back_really_reads_the_disk(vault, spool, size):
    def read_bytes():
        return int(next(x for x in open("/proc/self/io") if x.startswith("read_bytes")).split()[1])  # noqa: PTH123

    before = read_bytes()
    with spool.open("a1") as writer:
        writer.write(os.urandom(size))
        vault.seal(writer.finish(), {})
    if _is_in_memory(vault.root):
        pytest.skip("a file system in RAM has no disk to read")
    assert read_bytes() - before >= size


def test_a_vault_needs_only_its_folder_and_its_keys(vault, seal, tmp_path):
    sealed = seal(b"film")
    again = Vault(vault.root, Keyring.open(tmp_path / "keys", create=False))
    assert b"".join(again.open(sealed.object_id).chunks()) == b"film"


def test_an_unmounted_disk_is_never_taken_for_a_new_empty_vault(tmp_path):
    keyring = Keyring.open(tmp_path / "keys")
    Vault(tmp_path / "vault", keyring)
    (tmp_path / "vault").rename(tmp_path / "unmounted")
    with pytest.raises(VaultMissingError, match="Mount its disk"):
        Vault(tmp_path / "vault", keyring)
    assert not (tmp_path / "vault").exists(), "nothing is written into the empty mount point"
    (tmp_path / "unmounted").rename(tmp_path / "vault")
    Vault(tmp_path / "vault", keyring)
    Vault(tmp_path / "elsewhere", keyring)  # another folder by setting is a decision

"""Further copies: as good as the first, made before anything is called sealed, used when the first is gone."""

import errno
import hashlib
import mmap
import os
import shutil
from pathlib import Path

import pytest

from bodycam.vault import Keyring, LocalPlace, Vault, disk
from bodycam.vault.errors import (
    CopiesMissingError,
    DamagedObjectError,
    KeyMissingError,
    ObjectMissingError,
    PlaceAwayError,
    PlaceUnknownError,
    VaultFullError,
    VaultIoError,
)

DATA = os.urandom(100_000)


@pytest.fixture
def second(tmp_path, keyring):
    return LocalPlace("second", tmp_path / "second", keyring)


@pytest.fixture
def both(tmp_path, keyring, second):
    return Vault(tmp_path / "vault", keyring, [second], required=2)


@pytest.fixture
def sealed(both, spool):
    return seal(both, spool)


def seal(vault, spool, data=DATA):
    with spool.open("a1") as writer:
        if writer.offset < len(data):
            writer.write(data[writer.offset :])
        return vault.seal(writer.finish(), {"name": "x.mp4"})


def path_in(place, object_id, suffix=""):
    return place.root / "objects" / object_id[:2] / (object_id + suffix)


def spoil(path):
    path.chmod(0o600)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def read(vault, object_id):
    with vault.open(object_id) as reader:
        return b"".join(reader.chunks())


def test_a_sealed_object_lies_in_both_places_byte_for_byte(both, second, sealed):
    assert sealed.copies == ("main", "second")
    for suffix in ("", ".env", ".manifest"):
        assert (
            path_in(both, sealed.object_id, suffix).read_bytes()
            == path_in(second, sealed.object_id, suffix).read_bytes()
        )
    assert hashlib.sha256(path_in(second, sealed.object_id).read_bytes()).hexdigest() == sealed.object_id
    assert path_in(second, sealed.object_id).stat().st_mode & 0o777 == 0o400
    assert both.verify_copy(sealed.object_id, "second").ok
    assert list(second.ids()) == [sealed.object_id]
    assert list((second.root / "tmp").iterdir()) == []


def test_the_second_place_alone_with_its_keys_is_a_whole_vault(second, sealed, tmp_path):
    shutil.rmtree(tmp_path / "vault")
    alone = Vault(second.root, Keyring.open(tmp_path / "keys", create=False))
    assert read(alone, sealed.object_id) == DATA
    assert alone.manifest(sealed.object_id)["name"] == "x.mp4"


@pytest.mark.parametrize("lost", [("",), (".env",), (".manifest",), ("", ".env", ".manifest")])
def test_what_is_lost_in_the_main_place_is_read_from_the_copy(both, sealed, lost):
    for suffix in lost:
        path_in(both, sealed.object_id, suffix).unlink()
    assert not both.verify(sealed.object_id).ok
    assert both.holds(sealed.object_id)
    assert read(both, sealed.object_id) == DATA
    assert both.manifest(sealed.object_id)["sha256"] == sealed.sha256


@pytest.mark.parametrize("suffix", [".env", ".manifest"])
def test_a_damaged_envelope_or_manifest_in_the_main_place_is_read_from_the_copy(both, sealed, suffix):
    spoil(path_in(both, sealed.object_id, suffix))
    assert read(both, sealed.object_id) == DATA


def test_a_range_that_the_main_place_has_damaged_is_read_from_the_copy_in_the_middle_of_reading(both, sealed):
    spoil(path_in(both, sealed.object_id))
    with both.open(sealed.object_id) as reader:
        assert reader.read(0, 100) == DATA[:100]
        assert b"".join(reader.chunks()) == DATA
    assert both.verify(sealed.object_id).problems == ("object_damaged",)


def test_damage_in_every_copy_is_damage(both, second, sealed):
    spoil(path_in(both, sealed.object_id))
    spoil(path_in(second, sealed.object_id))
    with both.open(sealed.object_id) as reader, pytest.raises(DamagedObjectError, match="was changed"):
        list(reader.chunks())


def test_what_no_place_has_is_missing_as_before(both):
    with pytest.raises(ObjectMissingError):
        both.open("0" * 64)
    with pytest.raises(PlaceUnknownError, match="main, second"):
        both.verify_copy("0" * 64, "third")


@pytest.mark.parametrize(
    ("suffix", "code"), [("", "object_damaged"), (".env", "envelope_damaged"), (".manifest", "manifest_damaged")]
)
@pytest.mark.parametrize(("bad", "good"), [("main", "second"), ("second", "main")])
def test_a_damaged_copy_is_repaired_from_the_good_one(both, sealed, suffix, code, bad, good):
    path = path_in(both.place(bad), sealed.object_id, suffix)
    spoil(path)
    assert both.verify_copy(sealed.object_id, bad).problems == (code,)
    assert both.verify_copy(sealed.object_id, good).ok
    both.repair(sealed.object_id, good, bad)
    assert both.verify_copy(sealed.object_id, bad).ok
    assert path_in(both.place(bad), sealed.object_id).stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("suffix", ["", ".env", ".manifest"])
def test_a_missing_copy_is_repaired_from_the_good_one(both, sealed, suffix):
    path_in(both, sealed.object_id, suffix).unlink()
    both.repair(sealed.object_id, "second", "main")
    assert both.verify(sealed.object_id).ok


def test_a_damaged_copy_never_repairs_another(both, second, sealed):
    spoil(path_in(both, sealed.object_id))
    spoil(path_in(second, sealed.object_id))
    before = path_in(both, sealed.object_id).read_bytes()
    with pytest.raises(DamagedObjectError, match="second: object_damaged"):
        both.repair(sealed.object_id, "second", "main")
    assert path_in(both, sealed.object_id).read_bytes() == before


def test_repairing_what_is_whole_changes_nothing(both, sealed):
    before = path_in(both, sealed.object_id).stat()
    both.repair(sealed.object_id, "second", "main")
    after = path_in(both, sealed.object_id).stat()
    assert (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)


def test_a_copy_whose_disk_gives_back_other_bytes_is_not_a_copy(both, second, spool, monkeypatch):
    real = os.pwrite

    def lie(fd, data, at):
        if Path(f"/proc/self/fd/{fd}").readlink().is_relative_to(second.root) and len(data) > 4096:
            data = mmap.mmap(-1, len(data))
        return real(fd, data, at)

    monkeypatch.setattr(os, "pwrite", lie)
    with pytest.raises(CopiesMissingError, match="read back"):
        seal(both, spool)
    assert list(second.ids()) == []
    assert list((second.root / "tmp").iterdir()) == []
    monkeypatch.undo()
    assert seal(both, spool).copies == ("main", "second")


def test_objects_sealed_before_there_was_a_second_place_are_brought_there(tmp_path, keyring, spool, second):
    first = seal(Vault(tmp_path / "vault", keyring), spool)
    assert first.copies == ("main",)
    both = Vault(tmp_path / "vault", keyring, [second], required=2)
    assert both.verify_copy(first.object_id, "second").problems == ("object_missing",)
    both.copy_to(first.object_id, "second")
    both.copy_to(first.object_id, "second")
    assert both.verify_copy(first.object_id, "second").ok


def test_a_full_second_disk_stops_the_sealing_by_name_and_the_retry_goes_on(both, second, spool, monkeypatch):
    real = os.posix_fallocate

    def full(fd, start, length):
        if Path(f"/proc/self/fd/{fd}").readlink().is_relative_to(second.root):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd, start, length)

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(VaultFullError) as caught:
            seal(both, spool)
    assert str(second.root) in str(caught.value), "the message names the disk that is full"
    assert list((second.root / "tmp").iterdir()) == []
    again = seal(both, spool)
    assert again.copies == ("main", "second")
    assert list(both.iter_objects()) == list(second.ids()) == [again.object_id]


def test_a_place_beyond_what_is_required_may_fail_and_is_not_named_as_a_copy(tmp_path, keyring, second, spool):
    vault = Vault(tmp_path / "vault", keyring, [second], required=1)
    second.probe()
    second.root.rename(tmp_path / "unplugged")
    assert seal(vault, spool).copies == ("main",)


def test_an_unplugged_second_disk_is_away_and_never_taken_for_a_new_empty_one(both, second, sealed, spool, tmp_path):
    spool.discard("a1")
    second.root.rename(tmp_path / "unplugged")
    second.root.mkdir()  # the mount point stays behind
    with pytest.raises(CopiesMissingError, match=r"second.*Mount its disk"):
        seal(both, spool, b"next")
    assert both.verify_copy(sealed.object_id, "second").problems == ("place_away",)
    with pytest.raises(PlaceAwayError):
        list(second.ids())
    with pytest.raises(PlaceAwayError):
        second.remove(sealed.object_id)
    assert list(second.root.iterdir()) == [], "nothing is written into the empty mount point"
    again = LocalPlace("second", second.root, both.keyring)  # another process, started meanwhile
    with pytest.raises(PlaceAwayError):
        again.probe()
    second.root.rmdir()
    (tmp_path / "unplugged").rename(second.root)
    assert seal(both, spool, b"next").copies == ("main", "second")


def test_a_disk_of_another_vault_is_refused_as_a_copy(tmp_path, both, second, spool):
    Vault(tmp_path / "other", Keyring.open(tmp_path / "other-keys"))
    (tmp_path / "other").rename(second.root)
    with pytest.raises(CopiesMissingError, match=r"Key .* is missing"):
        seal(both, spool)
    assert list((second.root / "objects").iterdir()) == []


def test_destroying_removes_every_copy_with_its_keys_and_tells_where_it_could_not(both, second, sealed, tmp_path):
    second.root.rename(tmp_path / "unplugged")
    told = {gone.place: (gone.ok, gone.reason) for gone in both.destroy(sealed.object_id)}
    assert told == {"main": (True, ""), "second": (False, "place_away")}
    (tmp_path / "unplugged").rename(second.root)
    assert all(gone.ok for gone in both.destroy(sealed.object_id))
    assert [path for path in tmp_path.rglob(f"{sealed.object_id}*") if "spool" not in path.parts] == []
    with pytest.raises(ObjectMissingError):
        both.open(sealed.object_id)


def test_an_object_whose_destruction_broke_off_is_still_listed(both, sealed, monkeypatch):
    remove, calls = disk.remove, []

    def dies(path):
        calls.append(path)
        if len(calls) == 3:
            raise OSError(errno.EIO, "Input/output error", str(path))
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "remove", dies)
        assert [gone.ok for gone in both.destroy(sealed.object_id)] == [False, True]
    assert list(both.iter_objects()) == [sealed.object_id]
    assert all(gone.ok for gone in both.destroy(sealed.object_id))
    assert list(both.iter_objects()) == []


def test_a_new_envelope_replaces_one_places_own(both, second, sealed):
    other = second.beside(sealed.object_id, ".env")
    second.replace_envelope(sealed.object_id, b"{}")
    assert both.verify_copy(sealed.object_id, "second").problems == ("envelope_damaged",)
    second.replace_envelope(sealed.object_id, other)
    assert both.verify_copy(sealed.object_id, "second").ok
    with pytest.raises(ObjectMissingError):
        second.replace_envelope("0" * 64, other)


def test_a_place_reads_any_range_of_the_sealed_bytes(second, sealed):
    body = path_in(second, sealed.object_id).read_bytes()
    assert second.size(sealed.object_id) == len(body) == sealed.cipher_size
    assert second.read(sealed.object_id, 1000, 5000) == body[1000:6000]
    assert second.read(sealed.object_id, len(body) - 3, 100) == body[-3:]
    assert list(second.ids(after=sealed.object_id)) == []


def test_a_second_disk_that_refuses_to_be_read_is_unreadable_and_not_damaged(both, sealed, monkeypatch):
    def refusing(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "preadv", refusing)
    assert both.verify_copy(sealed.object_id, "second").problems == ("object_unreadable",)
    with pytest.raises(VaultIoError):
        both.place("second").read(sealed.object_id, 0, 10)


def test_a_main_place_under_another_key_still_stops_the_start(tmp_path, both):
    with pytest.raises(KeyMissingError):
        Vault(both.root, Keyring.open(tmp_path / "new"))

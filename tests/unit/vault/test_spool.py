import hashlib
import os

import pytest

from bodycam.vault import Spool
from bodycam.vault.errors import DamagedObjectError, SpoolBusyError
from bodycam.vault.segment import list_segments

MIB = 1 << 20


def test_an_uninterrupted_stream_is_one_segment_with_the_hash_of_the_source(spool):
    data = os.urandom(3 * MIB + 5)
    with spool.open("a1") as writer:
        for at in range(0, len(data), 70_001):
            writer.write(data[at : at + 70_001])
        spooled = writer.finish()
    assert (spooled.sha256, spooled.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert [s.state for s in list_segments(spool.root / "a1")] == ["whole"]
    assert b"".join(spool.read("a1")) == data


def test_a_writer_that_rested_and_went_on_has_every_byte(spool):
    data = os.urandom(5 * MIB + 77)
    with spool.open("a1") as writer:
        writer.rest()  # before the first byte there is nothing to give back
        for at in range(0, len(data), 900_001):
            writer.write(data[at : at + 900_001])
            writer.rest()
        spooled = writer.finish()
    assert (spooled.sha256, spooled.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert b"".join(spool.read("a1")) == data


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385])
def test_finishing_again_gives_the_same(spool, size):
    data = os.urandom(size)
    with spool.open("a1") as writer:
        writer.write(data)
        first = writer.finish()
    with spool.open("a1") as writer:
        assert writer.offset == size
        assert writer.finish() == first
    assert b"".join(spool.read("a1")) == data


def test_closing_keeps_every_byte_and_the_next_opening_goes_on(spool):
    data = os.urandom(100_000)
    for start, end in [(0, 1), (1, 40_000), (40_000, 56_384), (56_384, 100_000)]:
        with spool.open("a1") as writer:
            assert writer.offset == writer.received == start
            writer.write(data[start:end])
            assert writer.close() == end
    with spool.open("a1") as writer:
        spooled = writer.finish()
    assert spooled.sha256 == hashlib.sha256(data).hexdigest()
    assert [s.state for s in list_segments(spool.root / "a1")] == ["whole"]
    assert b"".join(spool.read("a1")) == data


def test_only_synced_whole_chunks_count_as_durable(spool):
    writer = spool.open("a1")
    writer.write(b"x" * 40_000)
    assert writer.offset == 0
    assert writer.sync() == writer.offset == 16_384
    assert writer.received == 40_000
    assert writer.close() == 40_000


def test_no_two_segments_share_a_key_or_a_salt(spool, keyring):
    for n in range(4):
        with spool.open("a1") as writer:
            writer.write(bytes([n]) * 20_000)
    segments = list_segments(spool.root / "a1")
    assert len(segments) == 4
    assert len({s.key(keyring) for s in segments}) == 4
    assert len({s.path.read_bytes()[:24] for s in segments}) == 4


def abandoned(spool, data):
    writer = spool.open("a1")
    writer.write(data)
    writer.sync()
    writer._abandon()  # as the kernel does for a killed process


@pytest.mark.parametrize(("cut", "kept"), [(0, 49_152), (9000, 49_152), (16_400, 32_768), (60_000, 0)])
def test_a_torn_tail_is_ignored_and_its_segment_never_appended_to(spool, keyring, cut, kept):
    data = os.urandom(80_000)
    abandoned(spool, data)
    [torn] = list_segments(spool.root / "a1")
    os.truncate(torn.path, torn.path.stat().st_size - cut)
    with spool.open("a1") as writer:
        assert writer.offset == kept
        writer.write(data[kept:])
        after = list_segments(spool.root / "a1")
        assert after[-1].key(keyring) != torn.key(keyring)
        spooled = writer.finish()
    assert spooled.sha256 == hashlib.sha256(data).hexdigest()
    assert b"".join(spool.read("a1")) == data


def test_reserved_room_after_a_kill_is_not_taken_for_data(spool):
    writer = spool.open("a1", expected=200_000)
    writer.write(b"x" * 50_000)
    writer.sync()
    assert next((spool.root / "a1").iterdir()).stat().st_size > 200_000
    writer._abandon()
    with spool.open("a1", expected=200_000) as writer:
        assert writer.offset == 32_768


def test_a_bit_flipped_in_an_unsettled_segment_ends_it_there(spool):
    abandoned(spool, os.urandom(100_000))
    [torn] = list_segments(spool.root / "a1")
    with torn.path.open("r+b") as file:
        file.seek(40_000)
        byte = file.read(1)
        file.seek(40_000)
        file.write(bytes([byte[0] ^ 1]))
    assert spool.open("a1").close() == 32_768


def test_damage_in_a_settled_segment_is_an_error_and_never_a_shorter_stream(spool):
    for _ in range(2):
        with spool.open("a1") as writer:
            writer.write(os.urandom(30_000))
    first = list_segments(spool.root / "a1")[0]
    os.truncate(first.path, 20_000)
    with spool.open("a1") as writer, pytest.raises(DamagedObjectError):
        writer.finish()
    first.path.unlink()
    with pytest.raises(DamagedObjectError, match="missing"):
        spool.open("a1")


def test_a_merge_that_died_is_begun_again(spool):
    for _ in range(2):
        with spool.open("a1") as writer:
            writer.write(b"y" * 30_000)
    settled = list_segments(spool.root / "a1")
    name = settled[0].path.name.split(".")
    (spool.root / "a1" / f"00003.{name[1]}.merge").write_bytes(b"half")
    with spool.open("a1") as writer:
        assert writer.offset == 60_000
        assert writer.finish().sha256 == hashlib.sha256(b"y" * 60_000).hexdigest()


def test_a_second_writer_is_refused_until_the_first_is_closed(spool, keyring):
    with spool.open("a1"):
        with pytest.raises(SpoolBusyError):
            Spool(spool.root, keyring).open("a1")
        with pytest.raises(SpoolBusyError):
            spool.discard("a1")
    spool.open("a1").close()


def test_a_source_that_changed_starts_anew_under_another_key(spool, keyring):
    with spool.open("a1") as writer:
        writer.write(b"old" * 10_000)
    old = list_segments(spool.root / "a1")[0].key(keyring)
    spool.discard("a1")
    assert spool.attempts() == []
    with spool.open("a1") as writer:
        assert writer.offset == 0
        writer.write(b"new" * 10_000)
        assert writer.finish().sha256 == hashlib.sha256(b"new" * 10_000).hexdigest()
    assert list_segments(spool.root / "a1")[0].key(keyring) != old


def test_a_finished_attempt_takes_no_more(spool):
    with spool.open("a1") as writer:
        writer.write(b"x")
        writer.finish()
    with spool.open("a1") as writer, pytest.raises(ValueError, match="finished"):
        writer.write(b"y")


def test_a_closed_writer_takes_no_more(spool):
    writer = spool.open("a1")
    writer.write(b"x" * 20_000)
    writer.close()
    for late in (lambda: writer.write(b"y"), writer.finish):
        with pytest.raises(ValueError, match="closed"):
            late()
    assert writer.close() == 20_000


@pytest.mark.parametrize("attempt", ["", "..", "a/b", ".hidden", "x" * 101])
def test_an_attempt_id_cannot_leave_the_spool(spool, attempt):
    with pytest.raises(ValueError, match="attempt id"):
        spool.open(attempt)


def test_nothing_in_the_spool_is_readable_by_others_or_in_the_clear(spool):
    with spool.open("a1") as writer:
        writer.write(b"secret words " * 5000)
    for path in [spool.root, *spool.root.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0
        assert path.is_dir() or b"secret" not in path.read_bytes()

"""The PTP client against the simulated camera: every shape of answer and every fault on the wire."""

import os
import random
import time

import pytest

from bodycam import clock
from dock_service.errors import BusUnavailableError, CameraGoneError, CameraStalledError
from dock_service.simulator.profile import UNPLUGGED

make = random.Random(11).randbytes
FILES = {
    "DCIM/100MEDIA/a.mp4": make((3 << 20) + 17),
    "DCIM/100MEDIA/b.mp4": make((1 << 20) - 12),  # with its header it ends exactly on a packet
    "DCIM/100MEDIA/c.mp4": make(500),
    "DCIM/100MEDIA/d.mp4": make((64 << 10) * 2 - 12),
    "DCIM/empty.mp4": b"",
    "ID.txt": b"BWC-0412\n",
}


def read_all(camera):
    return {file.path: b"".join(camera.read(file)) for file in camera.list_files()}


def append_all(got, pieces):
    for piece in pieces:
        got += piece


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"partial": 32},
        {"partial": 0},
        {"zero_length_packets": False},
        {"zero_length_packets": False, "partial": 0},
        {"header_alone": True},
        {"header_alone": True, "zero_length_packets": False},
        {"header_alone": True, "partial": 0},
        {"one_level": True},
        {"large_sizes_by_property": True},
        {"faults": {"no_memory_above": 300_000}},
        {"faults": {"no_memory_above": 300_000}, "partial": 0},
        {"faults": {"stall_above": 400_000}},
        {"faults": {"stall_above": 70_000}, "partial": 32},
        {"faults": {"stall_after_bytes": 1_500_000}},
        {"faults": {"stall_after_bytes": 1_500_000}, "partial": 0},
        {"faults": {"hang_after_bytes": 1_500_000}},
        {"faults": {"hang_after_bytes": 1_500_000}, "partial": 0},
    ],
    ids=str,
)
def test_every_file_comes_whole_whatever_the_camera_does(dock, profile):
    dock.add(FILES, **profile)
    camera = dock.open()
    assert read_all(camera) == FILES
    for file in camera.list_files():
        assert b"".join(camera.read(file, 10)) == FILES[file.path][10:]
    camera.close()


def test_a_read_from_an_offset_asks_for_nothing_before_it(dock):
    virtual = dock.add({"a.mp4": make(5 << 20)})
    camera = dock.open()
    [file] = camera.list_files()
    assert b"".join(camera.read(file, 4_000_000)) == (virtual.card / "a.mp4").read_bytes()[4_000_000:]
    assert min(offset for _, offset, _ in dock.requested(virtual)) == 4_000_000


def test_reads_grow_while_they_are_quick_and_never_pass_8_mib(dock):
    virtual = dock.add({"a.mp4": make(40 << 20)})
    camera = dock.open()
    [file] = camera.list_files()
    assert sum(len(piece) for piece in camera.read(file)) == 40 << 20
    asked = [length for _, _, length in dock.requested(virtual)]
    assert asked[0] == 1 << 20
    assert max(asked) == 8 << 20


def test_a_read_that_stalls_is_asked_again_smaller(dock):
    virtual = dock.add({"a.mp4": make(3 << 20)}, faults={"stall_above": 300_000})
    camera = dock.open()
    [file] = camera.list_files()
    assert sum(len(piece) for piece in camera.read(file)) == 3 << 20
    assert max(length for _, _, length in dock.requested(virtual)) <= 300_000


def test_a_camera_pulled_while_it_is_read_is_gone_by_name_and_goes_on_from_the_byte_when_back(dock):
    data = make(4 << 20)
    virtual = dock.add({"a.mp4": data}, faults={"unplug_after_bytes": 2_500_000, "replug_after_s": 0.1})
    camera = dock.open()
    [file] = camera.list_files()
    got = bytearray()
    with pytest.raises(CameraGoneError):
        append_all(got, camera.read(file))
    with pytest.raises(CameraGoneError):
        camera.list_files()
    camera.close()
    assert dock.bus.devices() == []
    time.sleep(0.12)
    again = dock.open()
    [file] = again.list_files()
    got += b"".join(again.read(file, len(got)))
    assert bytes(got) == data
    assert dock.requested(virtual)[0][1] >= 1 << 20


def test_a_hand_on_the_plug_is_seen_by_the_bus_and_the_address_changes(dock):
    virtual = dock.add(FILES)
    [before] = dock.bus.devices()
    (virtual.folder / UNPLUGGED).touch()
    changes = dock.bus.poll()
    assert [found.serial for found in changes.left] == ["S-1"]
    (virtual.folder / UNPLUGGED).unlink()
    changes = dock.bus.poll()
    assert [found.port for found in changes.arrived] == [before.port]
    assert changes.arrived[0].address != before.address


def test_a_camera_that_left_while_it_was_listed_is_left_out(dock):
    virtual = dock.add(FILES)
    [device] = list(dock.backend.enumerate_devices())
    virtual.unplug()
    assert device.is_there() is False
    assert dock.bus.devices() == []


def test_a_camera_that_never_answers_again_is_stalled_by_name(dock, monkeypatch):
    dock.add({"a.mp4": make(1 << 20)})
    camera = dock.open(timeout_s=0.05)
    [file] = camera.list_files()
    [device] = dock.backend.enumerate_devices()
    monkeypatch.setattr(type(device), "_hung", property(lambda _: True, lambda _, __: None), raising=False)
    with pytest.raises(CameraStalledError):
        b"".join(camera.read(file))


@pytest.mark.parametrize("claimed", [100, 9_000_000])
def test_a_size_that_lies_neither_cuts_nor_hangs_the_read(dock, claimed):
    data = make(2_000_000)
    dock.add({"a.mp4": data}, faults={"lies": {"a.mp4": claimed}})
    camera = dock.open()
    [file] = camera.list_files()
    assert file.size == claimed
    assert b"".join(camera.read(file)) == data


def test_the_clock_is_read_with_its_offset_and_its_raw_text(dock):
    dock.add({}, clock_offset_s=7 * 3600)
    reading = dock.open().clock()
    assert reading.offset_s == pytest.approx(7 * 3600, abs=1)
    assert reading.raw.startswith(clock.local(reading.camera_time).strftime("%Y%m%dT%H%M"))


def test_a_clock_with_a_zone_is_taken_at_its_word(dock):
    dock.add({}, zone_hours=-3.5)
    assert abs(dock.open().clock().offset_s) < 2


def test_battery_and_space_are_none_where_the_camera_offers_none(dock):
    dock.add({}, battery=-1, date_time=False)
    camera = dock.open()
    assert camera.battery() is None
    assert camera.clock() is None
    assert camera.storage().capacity == 32 << 30


def test_a_file_that_changed_shows_when_it_is_listed_again(dock):
    virtual = dock.add({"a.mp4": b"one"})
    camera = dock.open()
    [file] = camera.list_files()
    assert camera.refresh(file) == file
    (virtual.card / "a.mp4").write_bytes(b"three")
    assert camera.refresh(file).size == 5
    (virtual.card / "a.mp4").unlink()
    camera.list_files()
    assert camera.refresh(file) is None


def test_a_bad_camera_file_hides_that_camera_only(dock):
    dock.add({})
    bad = dock.folder / "bad"
    bad.mkdir()
    (bad / "camera.toml").write_text("serial = 1\nwings = 2\n")
    assert [found.serial for found in dock.bus.devices()] == ["S-1"]


def test_two_clients_one_after_the_other_find_the_camera_usable(dock):
    dock.add(FILES)
    first = dock.open()
    assert len(first.list_files()) == len(FILES)
    second = dock.open()  # the first one never closed its session
    assert read_all(second) == FILES


def test_an_unreachable_bus_says_so():
    from dock_service.bus import open_bus

    with pytest.raises(BusUnavailableError):
        open_bus("usbip://")


def test_slow_cameras_are_asked_for_less_so_that_progress_shows(dock):
    virtual = dock.add({"a.mp4": os.urandom(700_000)}, rate=400_000)
    camera = dock.open()
    [file] = camera.list_files()
    assert sum(len(piece) for piece in camera.read(file)) == 700_000
    assert dock.requested(virtual)[0][2] == 700_000


def test_a_read_that_is_left_early_is_cancelled_and_the_next_question_answered(dock):
    virtual = dock.add({"a.mp4": make(3 << 20)})
    camera = dock.open()
    [file] = camera.list_files()
    pieces = camera.read(file)
    next(pieces)
    pieces.close()
    assert b"".join(camera.read(file)) == (virtual.card / "a.mp4").read_bytes()


def test_a_file_above_4_gib_is_read_from_its_end_by_64_bits(dock):
    virtual = dock.add({"a.mp4": b""})
    with (virtual.card / "a.mp4").open("r+b") as file:
        file.seek((5 << 30) - 5)
        file.write(b"12345")
    camera = dock.open()
    [file] = camera.list_files()
    assert file.size == 5 << 30
    assert b"".join(camera.read(file, (5 << 30) - 7)) == b"\0\x0012345"
    assert dock.requested(virtual)[0][1:] == ((5 << 30) - 7, 7)

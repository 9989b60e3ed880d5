"""Cameras that lie and never end, each in one way: a named error, no hang, no byte too many, no other file hidden."""

import struct

import pytest
from memory_camera import DEVICE_INFO, data_and_ok, endless, node, tree, units

from bodycam import clock
from dock_service.cameras.camera import MAX_NAME
from dock_service.errors import CameraError, CameraRefusedError, CameraStalledError, ProtocolError
from dock_service.ptp.codes import ROOT, ContainerType, Operation, Response
from dock_service.ptp.containers import HEADER, pack

pytestmark = pytest.mark.usefixtures("no_pauses")


def test_an_object_that_describes_itself_with_nonsense_is_listed_by_its_handle_and_hides_no_other(open_memory):
    nodes = {1: node(units([0x61]), folder=False, parent=0), 2: b"\1\2\3"}
    files = open_memory(tree(nodes, {ROOT: [1, 2, 3]})).list_files()
    assert [file.path for file in files] == ["a", "object-00000002"]


def test_a_responder_that_lists_everything_for_every_storage_gives_each_file_once(open_memory):
    nodes = {
        1: node(units([0x61]), folder=False, parent=0, storage=0x10001),
        2: node(units([0x62]), folder=False, parent=0, storage=0x20001),
        3: node(units([0x63]), folder=False, parent=0, storage=0),
    }
    files = open_memory(tree(nodes, {ROOT: [1, 2, 3]}, (0x10001, 0x20001, 0x30000))).list_files()
    assert [file.path for file in files] == ["store1/a", "store1/c", "store2/b"]


@pytest.mark.parametrize("name", [b"\x03\0\xd8a\0\0\0", units([0x41] * 254) + b""])
def test_long_and_broken_names_stay_apart_when_they_are_cut(open_memory, name):
    nodes = {handle: node(name, folder=False, parent=0) for handle in (1, 2, 3)}
    paths = [file.path for file in open_memory(tree(nodes, {ROOT: [1, 2, 3]})).list_files()]
    assert len(set(paths)) == 3
    assert all(len(path.encode()) <= MAX_NAME for path in paths)


def full(code, transaction, parameters):
    return data_and_ok(code, transaction, bytes(parameters[-1]))


ENDLESS = {
    "data for every range, past any end": full,
    "a container whose bytes never end": lambda code, transaction, _: [
        HEADER.pack(0xFFFFFFFF, ContainerType.DATA, code, transaction),
        bytes,
    ],
    "more than was asked": lambda code, transaction, _: [
        HEADER.pack(1 << 31, ContainerType.DATA, code, transaction),
        bytes,
    ],
    "empty packets": lambda *_: [lambda _: b""],
    "headers of other transactions": lambda *_: [lambda _: pack(ContainerType.RESPONSE, Response.OK, 77)],
    "events": lambda *_: [lambda _: pack(ContainerType.EVENT, 0x4002, 1)],
    "busy": lambda _, transaction, __: [pack(ContainerType.RESPONSE, Response.DEVICE_BUSY, transaction)],
    "a session that ends": lambda _, transaction, __: [
        pack(ContainerType.RESPONSE, Response.SESSION_NOT_OPEN, transaction)
    ],
    "silence": lambda *_: [],
}


@pytest.mark.parametrize("way", ENDLESS, ids=str)
def test_what_never_ends_ends_in_a_named_error(open_memory, way):
    camera = open_memory(endless(ENDLESS[way]))
    [file] = camera.list_files()
    with pytest.raises((ProtocolError, CameraStalledError)):
        for piece in camera.read(file):
            assert piece is not None


@pytest.mark.parametrize("way", ["empty packets", "headers of other transactions", "events", "busy", "silence"])
def test_a_question_that_is_never_answered_ends_in_a_named_error(open_memory, way):
    plain = tree({}, {})
    camera = open_memory(
        lambda code, transaction, parameters: (
            ENDLESS[way](code, transaction, parameters)
            if code == Operation.GET_STORAGE_IDS
            else plain(code, transaction, parameters)
        )
    )
    with pytest.raises(CameraError):
        camera.list_files()


def test_data_of_a_cancelled_transaction_are_never_taken_for_the_file_s(open_memory):
    def stale(code, transaction, parameters):
        return data_and_ok(code, transaction - 1, b"x" * parameters[-1]) + data_and_ok(code, transaction, b"y" * 10)

    camera = open_memory(endless(stale))
    [file] = camera.list_files()
    pieces = camera.read(file)
    with pytest.raises(ProtocolError):
        next(pieces)


def test_sizes_no_database_can_keep_and_spaces_nobody_knows_are_brought_down(open_memory):
    plain = tree({1: node(units([0x61]), folder=False, parent=0, size=0xFFFFFFFF)}, {ROOT: [1]})

    def answer(code, transaction, parameters):
        if code == Operation.GET_OBJECT_PROP_VALUE:
            return data_and_ok(code, transaction, b"\xff" * 8)
        if code == Operation.GET_STORAGE_INFO:
            return data_and_ok(code, transaction, bytes(6) + b"\xff" * 16 + bytes(6))
        return plain(code, transaction, parameters)

    camera = open_memory(answer)
    assert camera.list_files()[0].size == (1 << 63) - 1
    assert camera.storage() is None


def test_a_battery_a_clock_or_a_space_told_in_nonsense_is_as_if_it_was_not_told(open_memory):
    info = DEVICE_INFO[:-20] + bytes(4) + struct.pack("<I2H", 2, 0x5001, 0x5011) + bytes(8) + bytes(4)
    plain = tree({}, {})

    def answer(code, transaction, parameters):
        if code == Operation.GET_DEVICE_INFO:
            return data_and_ok(code, transaction, info)
        if code in {Operation.GET_DEVICE_PROP_VALUE, Operation.GET_STORAGE_INFO}:
            return data_and_ok(code, transaction, b"\xff" if parameters[0] == 0x5011 else b"")
        return plain(code, transaction, parameters)

    camera = open_memory(answer)
    assert camera.battery() is None
    assert camera.clock() is None
    assert camera.storage() is None
    assert camera.set_clock(clock.now()) is False


def test_a_camera_that_gives_up_after_the_header_of_its_data_gives_no_byte(open_memory):
    def give_up(code, transaction, parameters):
        header = HEADER.pack(HEADER.size + parameters[-1], ContainerType.DATA, code, transaction)
        return [header, pack(ContainerType.RESPONSE, Response.GENERAL_ERROR, transaction)]

    camera = open_memory(endless(give_up))
    [file] = camera.list_files()
    with pytest.raises(CameraRefusedError):
        b"".join(camera.read(file))


@pytest.mark.parametrize("claimed", [-1, -12, 1, 12])
def test_a_length_that_cuts_into_what_follows_gives_no_byte_too_many(open_memory, claimed):
    def lie_by(code, transaction, _):
        data, answer = data_and_ok(code, transaction, bytes(700))
        return [(len(data) + claimed).to_bytes(4, "little") + data[4:], answer]

    camera = open_memory(endless(lie_by))
    [file] = camera.list_files()
    with pytest.raises(ProtocolError):
        next(camera.read(file, 300))

"""Cameras that lie, loop and never end: named errors only, no hang, no path that leaves, no byte taken for another's.

Two ways: the simulated responder's own answers, mutated on the wire; and a responder in memory whose tree is any graph.
"""

import contextlib
import random
import struct
from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from virtual_dock import VirtualDock

from bodycam import clock
from dock_service.cameras import mtp
from dock_service.cameras.camera import MAX_NAME, MAX_PATH
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import CameraError, CameraRefusedError, CameraStalledError, ProtocolError
from dock_service.ptp import objects
from dock_service.ptp.codes import ASSOCIATION, ROOT, ContainerType, Operation, Response
from dock_service.ptp.containers import HEADER, pack, parse_header
from dock_service.ptp.link import Link, LinkStallError, LinkTimeoutError
from dock_service.simulator.backend import SimDevice
from dock_service.simulator.responder import HaltError
from dock_service.simulator.transfers import FromFile, Packed

make = random.Random(5).randbytes
FILES = {"DCIM/100/a.mp4": make(70_000), "DCIM/100/b.mp4": make(500), "DCIM/c.mp4": b"", "ID.txt": b"BWC-1\n"}
MOST_READS = 5_000
FUZZ = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module", autouse=True)
def no_pauses():
    patch = pytest.MonkeyPatch()
    patch.setattr("dock_service.ptp.session.time.sleep", lambda _: None)
    patch.setattr(SimDevice, "_wait", lambda self, _: self.present())
    patch.setattr(objects, "MOST_PAST_END", 1 << 20)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def bus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bus")
    VirtualDock(folder).add(FILES)
    return folder


MUTATIONS = st.lists(
    st.tuples(
        st.integers(0, 40),  # which answer of the camera
        st.sampled_from(
            [
                "flip",
                "cut",
                "grow",
                "drop",
                "twice",
                "length",
                "transaction",
                "code",
                "type",
                "busy",
                "closed",
                "halt",
                "empty",
            ]
        ),
        st.integers(0, 0xFFFFFFFF),
    ),
    max_size=6,
)


def mutated(transfer, kind, value):
    """Return what goes over the wire instead of one transfer; a file's bytes themselves are never touched."""
    head = transfer.header if isinstance(transfer, FromFile) else transfer.data
    if len(head) >= HEADER.size and kind in {"length", "transaction", "code", "type"}:
        field, width = {"length": (0, 4), "type": (4, 2), "code": (6, 2), "transaction": (8, 4)}[kind]
        raw = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
        head = head[:field] + raw + head[field + width :]
    elif kind == "flip" and head:
        at = value % len(head)
        head = head[:at] + bytes([head[at] ^ (value >> 24 or 1)]) + head[at + 1 :]
    elif kind == "cut" and not isinstance(transfer, FromFile):
        head = head[: value % (len(head) + 1)]
    elif kind == "grow" and not isinstance(transfer, FromFile):
        head += make(value % 700)
    if isinstance(transfer, FromFile):
        return FromFile(head, transfer.path, transfer.start, transfer.count)
    return Packed(head)


def lie(device, mutations):
    """Make a simulated camera's answers be mutated on their way out."""
    responder, by_answer = device.responder, {}
    for number, kind, value in mutations:
        by_answer.setdefault(number, []).append((kind, value))
    answers = iter(range(1_000_000))
    real = responder.take

    def take(data):
        transaction = HEADER.unpack_from(data)[3] if len(data) >= HEADER.size else 0
        real(data)
        for kind, value in by_answer.get(next(answers), ()):
            if kind == "halt":
                raise HaltError
            if kind in {"busy", "closed"}:
                code = Response.DEVICE_BUSY if kind == "busy" else Response.SESSION_NOT_OPEN
                responder.queue = deque([Packed(pack(ContainerType.RESPONSE, code, transaction))])
            elif kind == "drop" and responder.queue:
                responder.queue.popleft()
            elif kind == "twice" and responder.queue:
                responder.queue.append(responder.queue[value % len(responder.queue)])
            elif kind == "empty":
                responder.queue.appendleft(Packed(b""))
            elif responder.queue:
                at = value % len(responder.queue)
                responder.queue[at] = mutated(responder.queue[at], kind, value)

    responder.take = take


def is_safe(path):
    parts = path.split("/")
    return not {"", ".", ".."} & set(parts) and "\0" not in path and "\\" not in path


@FUZZ
@given(mutations=MUTATIONS, partial=st.sampled_from([64, 32, 0]))
def test_answers_mutated_on_the_wire_give_named_errors_and_no_false_byte(bus, mutations, partial):
    virtual = VirtualDock(bus)
    [device] = virtual.backend.enumerate_devices()
    device.profile = device.responder._profile = device.profile.model_copy(update={"partial": partial})
    lie(device, mutations)
    [found] = virtual.bus.devices()
    with contextlib.suppress(CameraError):
        camera = MtpCamera(found.device, found.port, found.serial, timeout_s=0.1)
        with contextlib.suppress(CameraError):
            camera.clock(), camera.battery(), camera.storage(), camera.changed()
        for file in camera.list_files():
            assert is_safe(file.path)
            true = FILES.get(file.path)
            got = bytearray()
            with contextlib.suppress(CameraError):
                for piece in camera.read(file):
                    got += piece
                    assert len(got) < 2 << 20
                camera.refresh(file)
            if true is not None:
                assert true.startswith(bytes(got))
        camera.close()


class InMemory(Link):
    """A camera in memory: `answer` gives, for an operation and its parameters, data (or none) and a response code."""

    def __init__(self, answer):
        self.name, self.packet, self.reads = "memory", 512, 0
        self._answer = answer
        self._queue = deque()

    def open(self):
        pass

    def close(self):
        pass

    def rest(self):
        pass

    def write(self, data):
        header = parse_header(data)
        parameters = struct.unpack(f"<{(len(data) - HEADER.size) // 4}I", data[HEADER.size :])
        self._queue = deque(self._answer(header.code, header.transaction, parameters))

    def read(self, size, timeout_ms=None):  # noqa: ARG002  Link's shape
        self.reads += 1
        assert self.reads < MOST_READS, "it reads for ever"
        room = -(-size // 512) * 512
        while True:
            if not self._queue:
                raise LinkTimeoutError
            head = self._queue[0]
            if callable(head):
                return memoryview(head(room))
            self._queue.popleft()
            if len(head) > room:
                self._queue.appendleft(head[room:])
            return memoryview(head[:room])

    def event(self, timeout_ms):  # noqa: ARG002  Link's shape
        return b""

    def cancel(self, transaction):
        pass

    def clear(self):
        pass

    def is_ready(self):
        return True

    def reset(self):
        raise LinkStallError


@pytest.fixture
def open_memory(monkeypatch):
    def open_it(answer):
        link = InMemory(answer)
        monkeypatch.setattr(mtp, "Link", lambda *_: link)
        return MtpCamera(None, "1-1", "S", timeout_s=0.1)

    return open_it


def data_and_ok(code, transaction, payload):
    return [
        pack(ContainerType.DATA, code, transaction, payload),
        pack(ContainerType.RESPONSE, Response.OK, transaction),
    ]


def u32s(numbers):
    return struct.pack(f"<I{len(numbers)}I", len(numbers), *numbers)


def units(text):
    """Pack raw UTF-16 units, as many as a PTP string can hold."""
    return bytes([len(text)]) + struct.pack(f"<{len(text)}H", *text)


DEVICE_INFO = struct.pack("<HIHBH", 100, 6, 100, 0, 0) + struct.pack("<I2H", 2, 0x101B, 0x95C1) + bytes(16) + bytes(4)


def tree(nodes, listing, storages=(0x10001,)):
    """Answer as a camera whose folders list any handles, and whose objects say anything of themselves."""

    def answer(code, transaction, parameters):
        if code == Operation.GET_DEVICE_INFO:
            return data_and_ok(code, transaction, DEVICE_INFO)
        if code == Operation.GET_STORAGE_IDS:
            return data_and_ok(code, transaction, u32s(list(storages)))
        if code == Operation.GET_OBJECT_HANDLES:
            return data_and_ok(code, transaction, u32s(listing.get(parameters[2], [])))
        if code == Operation.GET_OBJECT_INFO:
            node = nodes.get(parameters[0])
            if node is not None:
                return data_and_ok(code, transaction, node)
        known = {Operation.OPEN_SESSION, Operation.CLOSE_SESSION}
        result = Response.OK if code in known else Response.INVALID_HANDLE
        return [pack(ContainerType.RESPONSE, result, transaction)]

    return answer


def node(name, *, folder, parent, size=1, storage=0x10001, dates=b"\0\0\0"):
    kind = ASSOCIATION if folder else 0x3000
    raw = struct.pack("<IHHIH6I", storage, kind, 0, size, 0, 0, 0, 0, 0, 0, 0) + struct.pack(
        "<IHII", parent, int(folder), 0, 0
    )
    return raw + name + dates


HANDLES = st.integers(0, 12) | st.just(ROOT)
NAMES = st.one_of(
    st.sampled_from(
        [[0x2E, 0x2E], [0x2E], [0], [0x2F] * 3, [0x61, 0, 0x62], [0xD800], [0xDC00, 0xD800], [0x41] * 255, []]
    ),
    st.lists(st.integers(0, 0xFFFF), max_size=255),
).map(units)
DATES = st.sampled_from(
    [b"\0\0\0", units([0x39] * 15) * 2 + b"\0", units([ord(c) for c in "20260231T256199"]) * 2 + b"\0", b""]
)
NODES = st.dictionaries(
    st.integers(1, 12),
    st.one_of(
        st.builds(
            node,
            NAMES,
            folder=st.booleans(),
            parent=HANDLES,
            size=st.integers(0, 0xFFFFFFFF),
            storage=st.sampled_from([0x10001, 0x20001, 0]),
            dates=DATES,
        ),
        st.binary(max_size=80),
    ),
)


@FUZZ
@given(nodes=NODES, listing=st.dictionaries(HANDLES, st.lists(HANDLES, max_size=12), max_size=12), two=st.booleans())
def test_any_graph_of_folders_is_a_list_of_safe_and_different_paths(open_memory, nodes, listing, two):
    camera = open_memory(tree(nodes, listing, (0x10001, 0x20001, 0x10001) if two else (0x10001,)))
    with contextlib.suppress(CameraError):
        files = camera.list_files()
        paths = [file.path for file in files]
        assert len(set(paths)) == len(paths)
        assert len({file.key for file in files}) == len(files)
        for path in paths:
            assert is_safe(path)
            assert len(path) <= MAX_PATH + 20
            assert all(len(part.encode()) <= MAX_NAME for part in path.split("/"))


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


def endless(make_answer):
    """Answer GetPartialObject64 and GetObject with what never ends; everything else as a camera with one file."""
    plain = tree({1: node(units([0x61]), folder=False, parent=0, size=1000)}, {ROOT: [1]})

    def answer(code, transaction, parameters):
        if code in {Operation.GET_PARTIAL_OBJECT_64, Operation.GET_OBJECT, Operation.GET_PARTIAL_OBJECT}:
            return make_answer(code, transaction, parameters)
        return plain(code, transaction, parameters)

    return answer


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


def test_a_read_that_is_left_early_is_cancelled_and_the_next_question_answered(tmp_path):
    dock = VirtualDock(tmp_path)
    dock.add({"a.mp4": make(3 << 20)})
    camera = dock.open()
    [file] = camera.list_files()
    pieces = camera.read(file)
    next(pieces)
    pieces.close()
    assert b"".join(camera.read(file)) == (tmp_path / "S-1/card/a.mp4").read_bytes()


def test_a_file_above_4_gib_is_read_from_its_end_by_64_bits(tmp_path):
    dock = VirtualDock(tmp_path)
    virtual = dock.add({"a.mp4": b""})
    with (virtual.card / "a.mp4").open("r+b") as file:
        file.seek((5 << 30) - 5)
        file.write(b"12345")
    camera = dock.open()
    [file] = camera.list_files()
    assert file.size == 5 << 30
    assert b"".join(camera.read(file, (5 << 30) - 7)) == b"\0\x0012345"
    assert dock.requested(virtual)[0][1:] == ((5 << 30) - 7, 7)


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

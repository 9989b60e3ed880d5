"""Cameras whose answers are made up at random: named errors only, no hang, no path that leaves, no byte taken for another's.

Two ways: the simulated responder's own answers, mutated on the wire; and a responder in memory whose tree is any graph.
"""

import contextlib
import random
from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_camera import node, tree, units
from virtual_dock import VirtualDock

from dock_service.cameras.camera import MAX_NAME, MAX_PATH
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import CameraError
from dock_service.ptp.codes import ROOT, ContainerType, Response
from dock_service.ptp.containers import HEADER, pack
from dock_service.simulator.responder import HaltError
from dock_service.simulator.transfers import FromFile, Packed

pytestmark = pytest.mark.usefixtures("no_pauses")
make = random.Random(5).randbytes
FILES = {"DCIM/100/a.mp4": make(70_000), "DCIM/100/b.mp4": make(500), "DCIM/c.mp4": b"", "ID.txt": b"BWC-1\n"}
FUZZ = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


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

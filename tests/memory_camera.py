"""An MTP camera in memory that answers anything: any graph of folders, any data, never an end."""

import struct
from collections import deque

from dock_service.ptp.codes import ASSOCIATION, ROOT, ContainerType, Operation, Response
from dock_service.ptp.containers import HEADER, pack, parse_header
from dock_service.ptp.link import Link, LinkStallError, LinkTimeoutError

MOST_READS = 5_000


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


def endless(make_answer):
    """Answer GetPartialObject64 and GetObject with what never ends; everything else as a camera with one file."""
    plain = tree({1: node(units([0x61]), folder=False, parent=0, size=1000)}, {ROOT: [1]})

    def answer(code, transaction, parameters):
        if code in {Operation.GET_PARTIAL_OBJECT_64, Operation.GET_OBJECT, Operation.GET_PARTIAL_OBJECT}:
            return make_answer(code, transaction, parameters)
        return plain(code, transaction, parameters)

    return answer

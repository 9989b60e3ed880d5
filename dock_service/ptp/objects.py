"""What we ask a camera for: who it is, which objects it holds, and their bytes from any offset.

A responder may list one level only, give cyclic parents, or report sizes in 32 bits: all handled here. Reads adapt: 1 MiB
at first, up to 8 while they are quick, down on a stall or when one takes longer than a second.
"""

import time
from collections.abc import Callable, Container, Generator
from contextlib import closing
from dataclasses import dataclass

from dock_service.errors import CameraRefusedError, CameraStalledError, ProtocolError
from dock_service.ptp import datasets
from dock_service.ptp.codes import ROOT, SIZE_UNKNOWN, STRING, DeviceProperty, ObjectProperty, Operation, Response
from dock_service.ptp.containers import Fields, pack_text
from dock_service.ptp.datasets import DeviceInfo, ObjectInfo, StorageInfo
from dock_service.ptp.session import Session

MAX_OBJECTS = 100_000
MAX_DEPTH = 32
SMALLEST, FIRST, LARGEST = 64 << 10, 1 << 20, 8 << 20
MOST_PAST_END = 8 << 30  # more than its listed size a file may give: sizes that wrapped at 32 bits; then it is endless
MOST_BYTES = (1 << 63) - 1  # what a database keeps as a number
_STALLS = 4  # in a row, before the camera counts as stalled


@dataclass(frozen=True)
class Found:
    """One file on the camera: its handle, its ObjectInfo, and its path from the storage's root, as raw names."""

    handle: int
    info: ObjectInfo
    parts: tuple[str, ...]


def device_info(session: Session) -> DeviceInfo:
    """Ask the camera who it is."""
    return datasets.parse_device_info(session.fetch(Operation.GET_DEVICE_INFO))


def storages(session: Session) -> list[int]:
    """List the camera's storages, each once; ones without a card (low 16 bits zero) are left out."""
    ids = datasets.parse_handles(session.fetch(Operation.GET_STORAGE_IDS))
    return [number for number in dict.fromkeys(ids) if number & 0xFFFF]


def storage_info(session: Session, storage: int) -> StorageInfo | None:
    """Ask for the space of one storage; None when the camera does not say, or says nonsense."""
    try:
        info = datasets.parse_storage_info(session.fetch(Operation.GET_STORAGE_INFO, storage, limit=4096))
    except (CameraRefusedError, ProtocolError):
        return None
    return info if max(info.capacity, info.free) <= MOST_BYTES else None  # all ones: it does not know


def device_property(session: Session, info: DeviceInfo, code: DeviceProperty) -> Fields | None:
    """Return the value of a device property, or None when the camera does not offer it."""
    if code not in info.properties:
        return None
    try:
        return Fields(session.fetch(Operation.GET_DEVICE_PROP_VALUE, code, limit=4096))
    except (CameraRefusedError, ProtocolError):
        return None


def set_device_property(session: Session, info: DeviceInfo, code: DeviceProperty, value: str) -> bool:
    """Set a device property that is a text; False when the camera does not offer it, or not to be set, or refuses."""
    if code not in info.properties or Operation.SET_DEVICE_PROP_VALUE not in info.operations:
        return False
    try:
        if Operation.GET_DEVICE_PROP_DESC in info.operations:
            raw = session.fetch(Operation.GET_DEVICE_PROP_DESC, code, limit=64 << 10)
            description = datasets.parse_property_description(raw)
            if not description.is_settable or description.type != STRING:
                return False
        session.send(Operation.SET_DEVICE_PROP_VALUE, code, data=pack_text(value))
    except (CameraRefusedError, ProtocolError):
        return False
    return True


def object_info(session: Session, handle: int) -> ObjectInfo:
    """Ask for one object's ObjectInfo."""
    return datasets.parse_object_info(session.fetch(Operation.GET_OBJECT_INFO, handle, limit=64 << 10))


def object_size(session: Session, handle: int, info: ObjectInfo) -> int:
    """Return an object's size in bytes; above 4 GiB it is the 64-bit property 0xDC04 (MTP 1.1, B.2.4)."""
    if info.size != SIZE_UNKNOWN:
        return info.size
    try:
        raw = session.fetch(Operation.GET_OBJECT_PROP_VALUE, handle, ObjectProperty.OBJECT_SIZE, limit=64)
        return min(Fields(raw).u64(), MOST_BYTES)
    except (CameraRefusedError, ProtocolError):
        return info.size


def walk(session: Session, storage: int, besides: Container[int] = ()) -> list[Found]:
    """List every file of a storage, folder by folder, in the order the camera gives; handles in `besides` are another's.

    Folders are asked one by one, because some responders list one level only; handles seen twice are skipped and a parent
    that loops ends the path, so a hostile camera can neither hang nor overflow the walk. A file that won't describe itself is
    listed by its handle, so that it ends as a problem of that name and never stops the others.
    """
    seen: dict[int, tuple[ObjectInfo, int]] = {}
    waiting = [ROOT]
    while waiting:
        folder = waiting.pop(0)
        for handle in datasets.parse_handles(session.fetch(Operation.GET_OBJECT_HANDLES, storage, 0, folder)):
            if handle in seen or handle in {0, ROOT} or handle in besides:
                continue
            if len(seen) >= MAX_OBJECTS:
                raise ProtocolError(detail=f"more than {MAX_OBJECTS} objects")
            info = _described(session, storage, handle)
            if info is None:
                continue
            seen[handle] = (info, folder)
            if info.is_folder:
                waiting.append(handle)
    return [Found(handle, info, _parts(handle, seen)) for handle, (info, _) in seen.items() if not info.is_folder]


def _described(session: Session, storage: int, handle: int) -> ObjectInfo | None:
    try:
        return object_info(session, handle)
    except CameraRefusedError as error:
        if error.is_response(Response.INVALID_HANDLE):  # deleted meanwhile
            return None
    except ProtocolError:
        pass
    return ObjectInfo(storage, 0, SIZE_UNKNOWN, 0, f"object-{handle:08X}", "", "")


def _parts(handle: int, seen: dict[int, tuple[ObjectInfo, int]]) -> tuple[str, ...]:
    parts: list[str] = []
    visited: set[int] = set()
    while handle in seen and handle not in visited and len(parts) < MAX_DEPTH:
        visited.add(handle)
        info, listed_in = seen[handle]
        parts.append(info.name)
        handle = info.parent if info.parent in seen else listed_in
    return tuple(reversed(parts))


class ReadSize:
    """How many bytes to ask for at once: grows while reads are quick, shrinks on trouble and never grows back past it."""

    def __init__(self) -> None:
        """Start at 1 MiB, which no known firmware chokes on (libgphoto2 #665)."""
        self.bytes = FIRST
        self._ceiling = LARGEST

    def went(self, seconds: float) -> None:
        """Learn how long the last read took."""
        if seconds > 1:
            self.bytes = max(self.bytes // 2, SMALLEST)
        elif seconds < 0.25:  # noqa: PLR2004  keeps progress at four steps a second
            self.bytes = min(self.bytes * 2, self._ceiling)

    def failed(self) -> None:
        """Learn that a read of this size stalled; quickly down, so that the smallest is tried before the camera is given up."""
        self.bytes = self._ceiling = max(self.bytes // 4, SMALLEST)


class ObjectReader:
    """Streams one camera's objects from any offset, by the best operation it offers."""

    def __init__(self, session: Session, info: DeviceInfo) -> None:
        """Remember what the camera offers."""
        self._session = session
        self._offers = info.operations
        self._size = ReadSize()

    def stream(self, locate: Callable[[], int], size: int, offset: int) -> Generator[bytes]:
        """Yield the object's bytes from `offset` to its real end, which may lie before or after the listed `size`.

        `locate` gives the handle; it is asked before every request, since a recovery opens a new session.
        """
        wide = Operation.GET_PARTIAL_OBJECT_64 in self._offers
        most = size + MOST_PAST_END
        narrow = Operation.GET_PARTIAL_OBJECT in self._offers and size < SIZE_UNKNOWN
        if not wide and not narrow:
            yield from self._whole(locate, offset, most)
            return
        stalls = 0
        while offset < most:
            before = offset
            try:
                for piece in self._request(locate(), size, offset, wide=wide):
                    offset += len(piece)
                    yield piece
            except CameraStalledError:
                stalls = stalls + 1 if offset == before else 1
                if before >= size:
                    return  # firmware that can't be asked past the end
                if stalls >= _STALLS:
                    raise
                self._size.failed()
            else:
                if offset == before:
                    return
                stalls = 0
        raise ProtocolError(detail=f"a file of {size} bytes that does not end after {offset}")

    def _request(self, handle: int, size: int, offset: int, *, wide: bool) -> Generator[bytes]:
        """Ask for one range; past the listed end a small one, to see whether more is there."""
        past = offset >= size
        ask = SMALLEST if past else min(self._size.bytes, size - offset)
        operation = Operation.GET_PARTIAL_OBJECT_64 if wide else Operation.GET_PARTIAL_OBJECT
        where = (offset & 0xFFFFFFFF, offset >> 32) if wide else (offset,)
        pieces = self._session.stream(operation, handle, *where, ask, limit=ask)
        reading = 0.0
        with closing(pieces):
            while True:
                started = time.monotonic()
                try:
                    piece = next(pieces, None)
                except CameraRefusedError:
                    if past:
                        return
                    raise
                reading += time.monotonic() - started
                if piece is None:
                    break
                yield bytes(piece)
        if ask == self._size.bytes:
            self._size.went(reading)

    def _whole(self, locate: Callable[[], int], skip: int, most: int) -> Generator[bytes]:
        """Yield the object from `skip` on a camera that only gives it from the start, beginning again after a stall."""
        for attempt in range(1, _STALLS + 1):
            at = 0
            try:
                for piece in self._session.stream(Operation.GET_OBJECT, locate(), limit=most):
                    fresh = piece[max(skip - at, 0) :]
                    at += len(piece)
                    if fresh:
                        skip = at
                        yield bytes(fresh)
            except CameraStalledError:
                if attempt == _STALLS:
                    raise
            else:
                return

"""A PTP responder over a camera's folder: takes commands, queues data and responses, and misbehaves as told.

It speaks for the camera only: USB (packets, timeouts, plugs) is `backend`'s. Handles are given out once and stay the same
while the camera is plugged in.
"""

import contextlib
import struct
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bodycam import clock
from dock_service.ptp.codes import (
    ASSOCIATION,
    ROOT,
    SIZE_UNKNOWN,
    STRING,
    ContainerType,
    DeviceProperty,
    Event,
    ObjectProperty,
    Operation,
    Response,
)
from dock_service.ptp.containers import HEADER, Fields, pack, pack_text
from dock_service.ptp.datasets import parse_date_time
from dock_service.simulator.profile import Profile, VirtualCamera
from dock_service.simulator.transfers import FromFile, Packed, Transfer

PACKET = 512
STORAGE = 0x00010001
EVENTS = (Event.OBJECT_ADDED, Event.OBJECT_REMOVED, Event.OBJECT_INFO_CHANGED, Event.STORE_FULL)
_FORMATS = {".mp4": 0xB982, ".jpg": 0x3801, ".txt": 0x3004}


class HaltError(Exception):
    """The camera halts its pipe instead of answering."""


@dataclass(frozen=True)
class _Object:
    path: Path
    parent: int
    size: int
    is_folder: bool


class Responder:
    """The camera's end of the session."""

    def __init__(self, camera: VirtualCamera, profile: Profile) -> None:
        """Start without a session, with nothing queued."""
        self.queue: deque[Transfer] = deque()
        self.requested: list[tuple[str, int, int]] = []  # (path, offset, length) of every read asked for
        self._camera = camera
        self._profile = profile
        self._session = 0
        self._objects: dict[int, _Object] = {}
        self._handles: dict[Path, int] = {}
        self._awaited: tuple[int, int, int] | None = (
            None  # operation, transaction, parameter: its data is still to come
        )
        self._came = b""
        self._told: dict[Path, tuple[int, int]] = {}  # what the host knows by listing or by events: size and time

    def reset(self) -> None:
        """Forget the session and what is queued."""
        self._session = 0
        self._awaited = None
        self.queue.clear()

    def take(self, data: bytes) -> None:
        """Take what the host wrote: a command, or the data that a command announced."""
        if self._awaited is None:
            self.command(data)
        else:
            self._data(data, *self._awaited)

    def cancelled(self) -> None:
        """Give up the transaction."""
        self._awaited = None
        self.queue.clear()

    def _data(self, data: bytes, code: int, transaction: int, parameter: int) -> None:
        """Take a piece of a data container; it ends with a short packet, and only then is it acted upon."""
        self._came += data
        if data and len(data) % PACKET == 0:
            return
        came, self._came, self._awaited = self._came, b"", None
        if len(came) < HEADER.size or HEADER.unpack_from(came) != (len(came), ContainerType.DATA, code, transaction):
            raise HaltError
        self._respond(self._set_property(parameter, Fields(came[HEADER.size :])), transaction)

    def command(self, data: bytes) -> None:
        """Take a command container and queue the answer; HaltError when it makes no sense or comes at a wrong time."""
        if self.queue or len(data) < HEADER.size or (len(data) - HEADER.size) % 4:
            raise HaltError
        length, kind, code, transaction = HEADER.unpack_from(data)
        if length != len(data) or kind != ContainerType.COMMAND:
            raise HaltError
        given = struct.unpack(f"<{(len(data) - HEADER.size) // 4}I", data[HEADER.size :])
        parameters = (*given, 0, 0, 0, 0, 0)[:5]
        if code == Operation.SET_DEVICE_PROP_VALUE and self._profile.date_time_set and self._session:
            self._awaited, self._came = (code, transaction, parameters[0]), b""
            return
        handler = self._operations().get(code)
        if handler is None:
            self._respond(Response.OPERATION_NOT_SUPPORTED, transaction)
        elif not self._session and code not in {Operation.OPEN_SESSION, Operation.GET_DEVICE_INFO}:
            self._respond(Response.SESSION_NOT_OPEN, transaction)
        else:
            self._respond(handler(transaction, *parameters), transaction)

    def _operations(self) -> dict[int, Callable[..., Response]]:
        offered: dict[int, Callable[..., Response]] = {
            Operation.GET_DEVICE_INFO: self._device_info,
            Operation.OPEN_SESSION: self._open,
            Operation.CLOSE_SESSION: self._close,
            Operation.GET_STORAGE_IDS: self._storage_ids,
            Operation.GET_STORAGE_INFO: self._storage_info,
            Operation.GET_OBJECT_HANDLES: self._object_handles,
            Operation.GET_OBJECT_INFO: self._object_info,
            Operation.GET_OBJECT: self._object,
            Operation.DELETE_OBJECT: self._delete,
            Operation.GET_DEVICE_PROP_DESC: self._property_description,
            Operation.GET_DEVICE_PROP_VALUE: self._device_property,
            Operation.GET_OBJECT_PROP_VALUE: self._object_property,
        }
        if self._profile.date_time_set:
            offered[Operation.SET_DEVICE_PROP_VALUE] = self._property_description  # its data goes another way
        if self._profile.partial:
            offered[Operation.GET_PARTIAL_OBJECT] = self._partial
        if self._profile.partial > 32:  # noqa: PLR2004  bits of the widest offset offered
            offered[Operation.GET_PARTIAL_OBJECT_64] = self._partial_64
        return offered

    def _respond(self, code: Response, transaction: int) -> None:
        self.queue.append(Packed(pack(ContainerType.RESPONSE, code, transaction)))

    def _send(self, code: Operation, transaction: int, payload: bytes) -> Response:
        whole = pack(ContainerType.DATA, code, transaction, payload)
        if self._profile.header_alone:
            self.queue.append(Packed(whole[: HEADER.size]))
            whole = whole[HEADER.size :]
        self.queue.append(Packed(whole))
        return Response.OK

    def _open(self, _transaction: int, number: int, *_: int) -> Response:
        if self._session:
            return Response.SESSION_ALREADY_OPEN
        self._session = number
        self._told = self._known_now()
        return Response.OK

    def _close(self, _transaction: int, *_: int) -> Response:
        self._session = 0
        return Response.OK

    def _device_info(self, transaction: int, *_: int) -> Response:
        properties = [DeviceProperty.BATTERY_LEVEL] if self._profile.battery >= 0 else []
        properties += [DeviceProperty.DATE_TIME] if self._profile.date_time else []
        events = EVENTS if self._profile.events else ()
        payload = struct.pack("<HIH", 100, 6, 100) + pack_text("microsoft.com: 1.0; android.com: 1.0;")
        payload += (
            struct.pack("<H", 0) + _array("H", self._operations()) + _array("H", events) + _array("H", properties)
        )
        payload += _array("H", ()) + _array("H", (ASSOCIATION, 0xB982))
        for text in (self._profile.make, self._profile.model, "1.0", self._profile.serial):
            payload += pack_text(text)
        return self._send(Operation.GET_DEVICE_INFO, transaction, payload)

    def _storage_ids(self, transaction: int, *_: int) -> Response:
        return self._send(Operation.GET_STORAGE_IDS, transaction, _array("I", (STORAGE,)))

    def _storage_info(self, transaction: int, number: int, *_: int) -> Response:
        if number != STORAGE:
            return Response.INVALID_STORAGE
        used = sum(thing.size for thing in self._scan().values() if not thing.is_folder)
        capacity = self._profile.capacity
        payload = struct.pack("<HHHQQI", 4, 2, 1, capacity, max(capacity - used, 0), ROOT)
        payload += pack_text("Card") + pack_text("SIM")
        return self._send(Operation.GET_STORAGE_INFO, transaction, payload)

    def _scan(self) -> dict[int, _Object]:
        """List the card again, giving new files new handles."""
        self._objects = {}
        for path in sorted(self._camera.card.rglob("*")):
            if path.name.startswith("."):
                continue  # a recording still being made
            handle = self._handles.setdefault(path, len(self._handles) + 1)
            parent = self._handles.get(path.parent, 0)
            is_folder = path.is_dir()
            self._objects[handle] = _Object(path, parent, 0 if is_folder else path.stat().st_size, is_folder)
        return self._objects

    def _object_handles(self, transaction: int, storage: int, _format: int, parent: int, *_: int) -> Response:
        if storage not in {STORAGE, ROOT}:
            return Response.INVALID_STORAGE
        objects = self._scan()
        under = 0 if parent in {0, ROOT} else parent
        if parent == 0 and not self._profile.one_level:
            handles = list(objects)
        else:
            handles = [handle for handle, thing in objects.items() if thing.parent == under]
        return self._send(Operation.GET_OBJECT_HANDLES, transaction, _array("I", handles))

    def _claimed(self, thing: _Object) -> int:
        return self._profile.faults.lies.get(thing.path.relative_to(self._camera.card).as_posix(), thing.size)

    def _object_info(self, transaction: int, handle: int, *_: int) -> Response:
        thing = self._objects.get(handle) or self._scan().get(handle)
        if thing is None:
            return Response.INVALID_HANDLE
        kind = ASSOCIATION if thing.is_folder else _FORMATS.get(thing.path.suffix.lower(), 0x3000)
        if not thing.is_folder:
            thing = replace(thing, size=thing.path.stat().st_size)  # the card may have changed since it was listed
        size = SIZE_UNKNOWN if self._profile.large_sizes_by_property else min(self._claimed(thing), SIZE_UNKNOWN)
        payload = struct.pack("<IHHI", STORAGE, kind, 0, 0 if thing.is_folder else size) + bytes(2 + 24)
        payload += struct.pack("<IHII", thing.parent, int(thing.is_folder), 0, 0) + pack_text(thing.path.name)
        modified = self._written(thing.path.stat().st_mtime)
        return self._send(Operation.GET_OBJECT_INFO, transaction, payload + pack_text(modified) * 2 + pack_text(""))

    def _object_property(self, transaction: int, handle: int, code: int, *_: int) -> Response:
        thing = self._objects.get(handle)
        if thing is None or code != ObjectProperty.OBJECT_SIZE:
            return Response.INVALID_HANDLE if thing is None else Response.PROPERTY_NOT_SUPPORTED
        return self._send(Operation.GET_OBJECT_PROP_VALUE, transaction, struct.pack("<Q", self._claimed(thing)))

    def _device_property(self, transaction: int, code: int, *_: int) -> Response:
        if code == DeviceProperty.BATTERY_LEVEL and self._profile.battery >= 0:
            payload = bytes([self._profile.battery])
        elif code == DeviceProperty.DATE_TIME and self._profile.date_time:
            payload = pack_text(self._now())
        else:
            return Response.PROPERTY_NOT_SUPPORTED
        return self._send(Operation.GET_DEVICE_PROP_VALUE, transaction, payload)

    def _property_description(self, transaction: int, code: int, *_: int) -> Response:
        if code != DeviceProperty.DATE_TIME or not self._profile.date_time:
            return Response.PROPERTY_NOT_SUPPORTED
        now = pack_text(self._now())
        payload = struct.pack("<HHB", code, STRING, int(self._profile.date_time_set)) + now + now + b"\0"
        return self._send(Operation.GET_DEVICE_PROP_DESC, transaction, payload)

    def _set_property(self, code: int, value: Fields) -> Response:
        if code != DeviceProperty.DATE_TIME or not self._profile.date_time:
            return Response.PROPERTY_NOT_SUPPORTED
        moment = parse_date_time(value.text(), self._zone())
        if moment is None:
            return Response.INVALID_PROPERTY_VALUE
        self._camera.set_clock_offset_s((moment - clock.now()).total_seconds())
        return Response.OK

    def _delete(self, _transaction: int, handle: int, *_: int) -> Response:
        thing = self._objects.get(handle) or self._scan().get(handle)
        if thing is None or thing.is_folder:
            return Response.INVALID_HANDLE
        if self._profile.read_only:
            return Response.STORE_READ_ONLY
        thing.path.unlink(missing_ok=True)
        self._objects.pop(handle, None)
        self._told.pop(thing.path, None)  # who asks for it is not told of it
        return Response.OK

    def event(self) -> bytes:
        """Return the next event container, or nothing: what came, went or grew on the card, and that it is full."""
        if not self._session or not self._profile.events:
            return b""
        now = self._known_now()
        for path in sorted(now.keys() | self._told.keys()):
            before, after = self._told.get(path), now.get(path)
            if before == after:
                continue
            if after is None:
                self._told.pop(path)
                return self._event(Event.OBJECT_REMOVED, self._handles.get(path, 0))
            self._told[path] = after
            self._scan()
            code = Event.OBJECT_ADDED if before is None else Event.OBJECT_INFO_CHANGED
            if sum(size for size, _ in now.values()) >= self._profile.capacity:
                code = Event.STORE_FULL
            return self._event(code, self._handles.get(path, 0))
        return b""

    def _event(self, code: Event, parameter: int) -> bytes:
        return pack(ContainerType.EVENT, code, ROOT, struct.pack("<I", parameter))

    def _known_now(self) -> dict[Path, tuple[int, int]]:
        known = {}
        for path in self._camera.card.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                info = path.stat()
                if path.is_file() and not path.name.startswith("."):
                    known[path] = (info.st_size, info.st_mtime_ns)
        return known

    def _now(self) -> str:
        moment = clock.now() + timedelta(seconds=self._camera.clock_offset_s())
        moment = moment.astimezone(self._zone())
        if self._profile.zone_hours is None:
            return moment.strftime("%Y%m%dT%H%M%S.") + str(moment.microsecond // 100_000)
        return moment.strftime("%Y%m%dT%H%M%S%z")

    def _zone(self) -> timezone:
        stated = self._profile.zone_hours
        return timezone(timedelta(hours=self._profile.local_hours if stated is None else stated))

    def _written(self, epoch: float) -> str:
        # a card's times are the camera's local ones; the offset is already in the file's mtime
        return datetime.fromtimestamp(epoch, timezone(timedelta(hours=self._profile.local_hours))).strftime(
            "%Y%m%dT%H%M%S"
        )

    def _object(self, transaction: int, handle: int, *_: int) -> Response:
        return self._range(Operation.GET_OBJECT, transaction, handle, 0, None)

    def _partial(self, transaction: int, handle: int, offset: int, length: int, *_: int) -> Response:
        return self._range(Operation.GET_PARTIAL_OBJECT, transaction, handle, offset, length)

    def _partial_64(self, transaction: int, handle: int, low: int, high: int, length: int, *_: int) -> Response:
        return self._range(Operation.GET_PARTIAL_OBJECT_64, transaction, handle, low | high << 32, length)

    def _range(self, code: Operation, transaction: int, handle: int, offset: int, length: int | None) -> Response:
        thing = self._objects.get(handle) or self._scan().get(handle)
        if thing is None or thing.is_folder:
            return Response.INVALID_HANDLE
        above = self._profile.faults.stall_above
        if above is not None and (length or 0) > above:
            raise HaltError
        size = thing.path.stat().st_size
        count = max(min(size - offset, size if length is None else length), 0)
        self.requested.append((thing.path.relative_to(self._camera.card).as_posix(), offset, count))
        stated = min(HEADER.size + count, SIZE_UNKNOWN)
        header = HEADER.pack(stated, ContainerType.DATA, code, transaction)
        if self._profile.header_alone:
            self.queue.append(Packed(header))
            header = b""
        self.queue.append(FromFile(header, thing.path, offset, count))
        return Response.OK


def _array(kind: str, items: Iterable[int]) -> bytes:
    numbers = list(items)
    return struct.pack(f"<I{len(numbers)}{kind}", len(numbers), *numbers)

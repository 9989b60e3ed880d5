"""A camera that speaks MTP or PTP over USB."""

import contextlib
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, tzinfo

import usb.core

from bodycam import clock
from dock_service.cameras.camera import (
    CameraFile,
    CameraIdentity,
    CameraStorage,
    ClockReading,
    safe_path,
    safe_serial,
    unique_paths,
)
from dock_service.errors import (
    CameraGoneError,
    CameraReadOnlyError,
    CameraRefusedError,
    CameraStalledError,
    FileReplacedError,
    ProtocolError,
)
from dock_service.ptp import objects
from dock_service.ptp.codes import ContainerType, DeviceProperty, Event, Operation, Response
from dock_service.ptp.containers import parse_header
from dock_service.ptp.datasets import ObjectInfo, parse_date_time, write_date_time
from dock_service.ptp.link import Link
from dock_service.ptp.objects import Found, ObjectReader
from dock_service.ptp.session import Session

_EVENT_WAIT_MS = 20  # an event that came is there at the next poll of the pipe, 4 to 16 ms
_MOST_EVENTS = 64  # looked at in one go; a camera that tells more is listened to again at the next call
_SAYS_FILES_CHANGED = {
    Event.OBJECT_ADDED,
    Event.OBJECT_REMOVED,
    Event.STORE_ADDED,
    Event.STORE_REMOVED,
    Event.OBJECT_INFO_CHANGED,
    Event.STORE_FULL,
    Event.DEVICE_RESET,
    Event.STORAGE_INFO_CHANGED,
    Event.UNREPORTED_STATUS,
}
_DELETE_TRIES = 3


class MtpCamera:
    """Opens a PTP session on a USB device; see `Camera` for what each method promises."""

    def __init__(
        self,
        device: usb.core.Device,
        port: str,
        usb_serial: str | None,
        timeout_s: float = 10.0,
        *,
        zone: tzinfo = clock.VIETNAM,
    ) -> None:
        """Claim the device and read its DeviceInfo.

        `usb_serial` stands in when that names no serial number; `zone` is what the camera means by times without one.
        """
        self._zone = zone
        self._link = Link(device, port, timeout_s)
        self._session = Session(self._link)
        try:
            self._link.open()
            self._session.open()
            self._info = objects.device_info(self._session)
        except BaseException:
            self._link.close()
            raise
        self._reader = ObjectReader(self._session, self._info)
        self._raw: dict[int, ObjectInfo] = {}
        self._seen: dict[int, int] = {}  # handle -> the session in which it was seen to name its file
        serial = safe_serial(self._info.serial) or safe_serial(usb_serial or "")
        self._identity = CameraIdentity(serial or f"port-{port}", self._info.manufacturer, self._info.model)

    @property
    def identity(self) -> CameraIdentity:
        """Return who it is; a camera without any serial number is known by its port."""
        return self._identity

    def list_files(self) -> list[CameraFile]:
        """List the files of all its storages, ordered by path; several storages are told apart by their number."""
        storages = objects.storages(self._session)
        found: dict[int, tuple[int, Found]] = {}  # some responders list everything for every storage
        for n, number in enumerate(storages, 1):
            others = set(storages) - {number}
            for item in objects.walk(self._session, number, besides=found):
                if item.info.storage not in others:
                    found[item.handle] = n, item
        prefix = len(storages) > 1
        files = [self._file(item, ((f"store{n}",) if prefix else ()) + item.parts) for n, item in found.values()]
        self._raw = {item.handle: item.info for _, item in found.values()}
        self._seen = dict.fromkeys(self._raw, self._session.generation)
        files.sort(key=lambda file: (file.path, file.key))
        names = unique_paths([file.path for file in files])
        return [replace(file, path=name) for file, name in zip(files, names, strict=True)]

    def _file(self, item: Found, parts: tuple[str, ...]) -> CameraFile:
        raw = item.info.modified or item.info.captured
        size = objects.object_size(self._session, item.handle, item.info)
        return CameraFile(safe_path(parts), size, raw, parse_date_time(raw, self._zone), item.handle)

    def read(self, file: CameraFile, offset: int = 0) -> Generator[bytes]:
        """Yield the file's bytes from `offset` to its real end."""
        try:
            yield from self._reader.stream(lambda: self._locate(file), file.size, offset)
        finally:
            self._link.rest()

    def _locate(self, file: CameraFile) -> int:
        """Return the file's handle; after a new session it must still name the same object."""
        if self._seen.get(file.key) != self._session.generation:
            if self._raw.get(file.key) != objects.object_info(self._session, file.key):
                raise CameraGoneError(camera=self._identity.serial)
            self._seen[file.key] = self._session.generation
        return file.key

    def refresh(self, file: CameraFile) -> CameraFile | None:
        """List the file again; None when its handle is no longer known."""
        try:
            info = objects.object_info(self._session, file.key)
        except CameraRefusedError:
            return None
        again = self._file(Found(file.key, info, (info.name,)), (info.name,))
        return replace(again, path=file.path)

    def clock(self) -> ClockReading | None:
        """Read DateTime (0x5011); the dock's time is taken in the middle of the question."""
        before = clock.now()
        fields = objects.device_property(self._session, self._info, DeviceProperty.DATE_TIME)
        middle = before + (clock.now() - before) / 2
        if fields is None:
            return None
        try:
            raw = fields.text()
        except ProtocolError:
            return None
        return ClockReading(raw, parse_date_time(raw, self._zone), middle)

    def read_times_in(self, zone: tzinfo) -> bool:
        """Take another zone for what names none."""
        self._zone = zone
        return True

    def set_clock(self, to: datetime) -> bool:
        """Set DateTime (0x5011), written with the zone the camera's own text has; False when it is not offered to be set."""
        now = self.clock()
        if now is None:
            return False
        text = write_date_time(to, now.raw, self._zone)
        return objects.set_device_property(self._session, self._info, DeviceProperty.DATE_TIME, text)

    def delete(self, file: CameraFile) -> None:
        """Delete one listed file; before every try its handle must still name it, and afterwards the handle must be gone."""
        if Operation.DELETE_OBJECT not in self._info.operations:
            raise CameraReadOnlyError(camera=self._identity.serial, path=file.path)
        for attempt in range(_DELETE_TRIES):
            if not self._is_there(file):
                if attempt == 0:
                    raise FileReplacedError(path=file.path)
                return
            try:
                self._session.once(Operation.DELETE_OBJECT, file.key, 0)
            except CameraStalledError:
                if attempt == _DELETE_TRIES - 1:
                    raise
            else:
                break
        if self._is_there(file):
            raise CameraRefusedError(operation=Operation.DELETE_OBJECT.name, response="OK")

    def _is_there(self, file: CameraFile) -> bool:
        """Tell whether the handle is known; FileReplacedError when it names something else than it was listed as."""
        try:
            info = objects.object_info(self._session, file.key)
        except CameraRefusedError as error:
            if error.is_response(Response.INVALID_HANDLE):
                return False
            raise
        if self._raw.get(file.key) != info:
            raise FileReplacedError(path=file.path)
        return True

    def changed(self) -> bool:
        """Read the events that came; ones about files, cards or a full store count."""
        found = False
        for _ in range(_MOST_EVENTS):
            data = self._link.event(_EVENT_WAIT_MS)
            if not data:
                break
            with contextlib.suppress(ProtocolError):
                header = parse_header(data)
                found = found or (header.type is ContainerType.EVENT and header.code in _SAYS_FILES_CHANGED)
        return found

    def battery(self) -> int | None:
        """Read BatteryLevel (0x5001) in percent."""
        fields = objects.device_property(self._session, self._info, DeviceProperty.BATTERY_LEVEL)
        try:
            return None if fields is None else min(fields.u8(), 100)
        except ProtocolError:
            return None

    def storage(self) -> CameraStorage | None:
        """Sum its storages."""
        infos = [objects.storage_info(self._session, number) for number in objects.storages(self._session)]
        known = [info for info in infos if info is not None]
        if not known:
            return None
        capacity, free = sum(info.capacity for info in known), sum(info.free for info in known)
        return CameraStorage(capacity, free) if capacity <= objects.MOST_BYTES else None

    def close(self) -> None:
        """Close the session and give the device back."""
        try:
            self._session.close()
        except CameraGoneError:
            pass
        finally:
            self._link.close()

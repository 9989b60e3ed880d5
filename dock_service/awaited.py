"""Cameras told to show their files that are not back yet; kept in a file, so that a restart forgets none.

Written down before the camera is told. One that left the bus and is not back within its profile's time is called for by an
alarm and a lost tile, and owed by its holder: until it is read, or somebody ends the debt with a reason.
"""

import threading
from collections.abc import Collection
from datetime import timedelta

import structlog
from pydantic import AwareDatetime, BaseModel, PrivateAttr, TypeAdapter, ValidationError, field_serializer

from bodycam import clock
from bodycam.coverage import service as coverage
from bodycam.coverage.models import Debt
from bodycam.custody.durable import write_durably
from bodycam.fleet.docking import camera_name
from bodycam.fleet.models import Station
from bodycam.fleet.service import camera_for, issued_to, register_unknown_camera, serial_form
from bodycam.runtime import Runtime
from dock_service.alarms import AlarmKind
from dock_service.board import Board, SlotState
from dock_service.bus import BusDevice
from dock_service.cameras.switching import Before, becomes
from dock_service.journal import Journal
from dock_service.profiles.switch import ModeSwitch, UsbId, UsbIdentifier
from dock_service.visit import Visit

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0


class _Told(BaseModel):
    """A camera that was told: where, who it said it was (by record or USB), and what it is to come back as."""

    port: str  # "" once another camera was told there
    slot: int
    serial: str
    usb_serial: str
    becomes: UsbId
    back_s: float
    since: AwareDatetime
    name: str = ""
    debt: str = ""  # once it was called for
    _due: float | None = PrivateAttr(default=None)  # by when it must be back; None while it is here

    @field_serializer("becomes")
    def _as_text(self, becomes: UsbIdentifier) -> str:
        return str(becomes)

    def is_called(self, *serials: str) -> bool:
        """Tell whether it said one of these serial numbers."""
        return bool({serial_form(serial) for serial in serials if serial} & {self.serial, self.usb_serial})

    def wait(self, seconds: float) -> None:
        """Begin to wait for it so long, unless it is waited for already."""
        if self._due is None:
            self._due = clock.monotonic() + seconds

    def stop_waiting(self) -> None:
        """Learn that it stands in its slot."""
        self._due = None

    def is_late(self) -> bool:
        """Tell whether it was waited for in vain."""
        return self._due is not None and clock.monotonic() >= self._due


_FILE = TypeAdapter(list[_Told])


class Awaited:
    """The cameras a station waits for; any thread may call."""

    def __init__(self, rt: Runtime, board: Board, station_id: str, journal: Journal) -> None:
        """Take over those an earlier process waited for: each has its time anew, unless it was called for."""
        self._rt, self._board, self._station_id, self._journal = rt, board, station_id, journal
        self._file = rt.settings.data_dir / "dock-awaited.json"
        self._lock = threading.RLock()
        self._looked = 0.0
        self._all: list[_Told] = []
        try:
            self._all = _FILE.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.warning("awaited.unreadable", file=str(self._file), error=type(error).__name__)
        for told in self._all:
            told.wait(0 if told.debt else told.back_s)
        known = {told.serial for told in self._all}
        for alarm in board.alarms.all():
            if alarm.kind is AlarmKind.NOT_BACK and alarm.serial not in known:
                board.alarms.hush(alarm.kind, alarm.serial, why="ended")

    def told(self, slot: int, device: BusDevice, switch: ModeSwitch, before: Before) -> None:
        """Keep that a camera is about to be told to change over; raises DiskFullError: then it must not be told."""
        usb_serial = serial_form(device.serial or "")
        serial = serial_form(before.serial) or usb_serial or serial_form(f"port-{device.port}")
        with self._lock:
            known = next((told for told in self._all if told.is_called(serial, usb_serial)), None)
            told = _Told(
                port=device.port,
                slot=slot,
                serial=known.serial if known else serial,
                usb_serial=usb_serial,
                becomes=becomes(device, switch),
                back_s=switch.back_s,
                since=clock.now(),
                name=known.name if known else "",
                debt=known.debt if known else "",
            )
            others = [other for other in self._all if other is not known]
            for other in others:
                other.port = "" if other.port == device.port else other.port
            self._write([*others, told])
            self._all = [*others, told]

    def left(self, port: str) -> None:
        """Learn that the bus no longer shows a port's device."""
        with self._lock:
            for told in self._all:
                if told.port == port:
                    told.wait(told.back_s)

    def arrived(self, device: BusDevice) -> None:
        """Learn of a device: the one a camera was to become, in time and on its port, is no longer waited for."""
        with self._lock:
            for told in self._at(device):
                if not told.is_late():
                    told.stop_waiting()

    def came(self, device: BusDevice, visit: Visit) -> None:
        """Learn that a camera is read: from here on its visit says what is missing of it."""
        with self._lock:
            here = [told for told in self._at(device) if not told.is_late()]
            found = [told for told in self._all if told in here or told.is_called(visit.serial)]
            for told in found:
                self._settle(told, visit)
                self._end(told, "back")

    def forget(self, port: str) -> None:
        """Learn that a person let the port's camera go: his order says what is owed."""
        with self._lock:
            for told in [told for told in self._all if told.port == port]:
                self._end(told, "ended")

    def look(self, taken: Collection[int]) -> None:
        """Call for those that are late, show them in slots that are not `taken`, and end what somebody gave a reason for."""
        if clock.monotonic() - self._looked < _LOOK_EVERY_S:
            return
        self._looked = clock.monotonic()
        with self._lock:
            for told in list(self._all):
                if told.debt and self._is_ended(told.debt):
                    self._journal.append("camera.not_back_ended", slot=told.slot, serial=told.serial)
                    self._end(told, "ended")
                elif told.is_late():
                    self._call(told, taken)

    def _call(self, told: _Told, taken: Collection[int]) -> None:
        if not told.debt:
            self._journal.append("camera.not_back", slot=told.slot, serial=told.serial, port=told.port)
            self._owe(told)
            self._keep(self._all)
        self._board.alarms.shout(
            AlarmKind.NOT_BACK, serial=told.serial, name=told.name, slot=told.slot, since=told.since
        )
        tile = self._board.tile(told.slot)
        if told.slot not in taken and tile.state in {SlotState.EMPTY, SlotState.UPLOADING}:
            self._board.missing(told.slot, told.serial, told.name)

    def _owe(self, told: _Told) -> None:
        hours = timedelta(hours=self._rt.settings.coverage.footage_hours)
        with self._rt.db.write() as session:
            station = session.get(Station, self._station_id)
            unit_id = station.unit_id if station else None
            camera = camera_for(session, told.serial)
            if camera is None:
                camera = register_unknown_camera(session, serial=told.serial, unit_id=unit_id)
            holder = issued_to(session, camera.id, told.since)
            debt = coverage.footage_owed(
                session,
                camera_id=camera.id,
                visit_id=None,
                officer_id=holder.id if holder else None,
                unit_id=camera.unit_id or unit_id,
                due_at=clock.now() + hours,
                actor=f"station:{self._station_id}",
            )
            told.debt, told.name = debt.id, camera_name(camera)

    def _settle(self, told: _Told, visit: Visit) -> None:
        """End the debt of a camera that turned out to be another than it had said; its own ends when it is done."""
        if not told.debt:
            return
        with self._rt.db.write() as session:
            debt = session.get(Debt, told.debt)
            if debt is not None and debt.camera_id != visit.camera_id:
                coverage.close_debt(
                    session, debt, closed_by=coverage.DOCKED, actor=visit.place.actor, visit_id=visit.id
                )

    def _is_ended(self, debt_id: str) -> bool:
        with self._rt.db.read() as session:
            debt = session.get(Debt, debt_id)
            return debt is None or debt.closed_at is not None

    def _end(self, told: _Told, why: str) -> None:
        self._keep([other for other in self._all if other is not told])
        self._board.alarms.hush(AlarmKind.NOT_BACK, told.serial, why=why)
        self._board.found(told.serial)

    def _at(self, device: BusDevice) -> list[_Told]:
        return [
            told
            for told in self._all
            if told.port == device.port and told.becomes.fits(device.vendor_id, device.product_id)
        ]

    def _keep(self, told: list[_Told]) -> None:
        self._all = told
        try:
            self._write(told)
        except OSError as error:  # a broken disk stops no station: this process still knows
            log.warning("awaited.not_kept", error=error.strerror)

    def _write(self, told: list[_Told]) -> None:
        write_durably(self._file, _FILE.dump_json(told, indent=1))

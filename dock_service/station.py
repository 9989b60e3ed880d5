"""The docking station: `python -m dock_service.station`.

Polls the bus, gives every camera's slot a thread, writes the board as the station's heartbeat and takes commands from rows. Dock
and web meet only in the database. It can be killed at any moment: what was received is durable, and the next start goes on.
"""

import json
import sys
import threading
from collections.abc import Callable

import structlog
from sqlalchemy import select

from bodycam.custody import record, record_now
from bodycam.errors import BodycamError, DatabaseAwayError, DiskFullError
from bodycam.fleet.docking import close_open_visits, ensure_station, take_commands
from bodycam.fleet.models import StationBoard, StationCommand
from bodycam.jobs.app import make_app
from bodycam.process import hold_lifeline, log_to_stderr, only_one, run_named, stop_event, use_few_arenas
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from dock_service.awaited import Awaited
from dock_service.board import Board
from dock_service.bus import Bus, BusDevice, open_bus
from dock_service.cameras.opening import is_camera, match_device
from dock_service.clock_reference import ClockSteps
from dock_service.journal import open_journal
from dock_service.profiles import profiles_of
from dock_service.slot import Dock, Slot
from dock_service.slots import Slots
from dock_service.turns import Turns
from dock_service.visit import Order

log = structlog.get_logger()

LOOK_EVERY_S = 0.4
_END_WAIT_S = 15.0
Hand = Callable[[str, str], None]


class Station:
    """One station at work; `step` is one look at bus, commands and board."""

    def __init__(self, rt: Runtime, bus: Bus, stop: threading.Event, hand: Hand | None = None) -> None:
        """Register the station and close the visits a dead one left; `hand` plugs and pulls virtual cameras."""
        settings = rt.settings
        with rt.db.write() as session:
            station = ensure_station(session, name=settings.station.name, slots=settings.dock.slots)
            left_open = close_open_visits(session, station.id)
            details = {"slots": settings.dock.slots, "visits_left_open": left_open}
            record(session, "station.started", object_id=station.id, actor=f"station:{station.id}", details=details)
            shown = session.get(StationBoard, station.id)
        self.board = Board(station.id, settings.station.name, settings.dock.slots)
        if shown is not None:
            self.board.restore(shown.body)
        self._rt, self._bus, self._hand = rt, bus, hand
        self._id = station.id
        self.journal = open_journal(rt, station.id)
        self.journal.append("station.started", slots=settings.dock.slots, visits_left_open=left_open)
        self._steps = ClockSteps()
        self._numbers = Slots(settings.data_dir / "dock-slots.json", settings.dock.slots)
        self._slots: dict[tuple[str, int], Slot] = {}
        self._ending: dict[int, Slot] = {}  # taken out, their threads not yet done
        self._stop = stop
        self._awaited = Awaited(rt, self.board, station.id, self.journal)
        turns = Turns(settings.dock.parallel, settings.dock.bytes_per_second)
        self._dock = Dock(
            rt,
            self.board,
            station.id,
            turns,
            stop,
            self._slot_of_serial,
            self.journal,
            profiles_of(settings),
            self._awaited,
        )

    def run(self) -> None:
        """Work until stopped, then end the slots in order."""
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self.step()
            except (DatabaseAwayError, DiskFullError) as error:  # the kiosk sees the missing heartbeat
                log.warning("station.database", error=error.code)
        self.close()

    def close(self) -> None:
        """End every slot; what is being copied stays resumable."""
        self._stop.set()
        slots = [*self._slots.values(), *self._ending.values()]
        for slot in slots:
            slot.halt()
        for slot in slots:
            slot.join(_END_WAIT_S)
        mark = self.journal.append("station.stopped")
        with self._rt.db.write() as session:
            record(
                session,
                "station.stopped",
                object_id=self._id,
                actor=f"station:{self._id}",
                details=mark.as_details(),
            )

    def step(self) -> None:
        """Look at the bus, the commands and the clock once and write the board when it is due."""
        for slot in list(self._slots.values()):
            if slot.is_dead():
                self._bus.forget(slot.device)
        try:
            changes = self._bus.poll()
            self.board.says(None)
        except BodycamError as error:
            self.board.says(error)
        else:
            for device in changes.left:
                self._left(device)
            for device in changes.arrived:
                self._arrived(device)
        self._obey()
        self._watch_clock()
        self._awaited.look(
            {slot.number for slot in [*self._slots.values(), *self._ending.values()] if slot.is_at_work()}
        )
        self.board.write(self._rt.db)

    def _left(self, device: BusDevice) -> None:
        slot = self._slots.pop((device.port, device.address), None)
        if slot is not None:
            log.info("station.left", slot=slot.number)
            self.journal.append("camera.unplugged", slot=slot.number, serial=slot.serial, port=device.port)
            slot.left()
            self._ending[slot.number] = slot
            self._awaited.left(device.port)

    def _arrived(self, device: BusDevice) -> None:
        if not is_camera(device, match_device(self._dock.profiles, device)):
            log.info("station.ignored", port=device.port, kind=device.kind.value)
            return
        self._left(device)  # one that came back under the same address
        number = self._numbers.slot_of(device.port)
        if number is None:
            log.warning("station.no_slot", port=device.port)
            return
        for other in list(self._slots.values()):
            if other.number == number:  # one slot, one camera: whatever the bus said of the last one, it is gone
                self._left(other.device)
        self._awaited.arrived(device)
        log.info("station.arrived", slot=number, port=device.port)
        self.journal.append(
            "camera.plugged",
            slot=number,
            serial=device.serial or "",
            port=device.port,
            usb=f"{device.vendor_id:04x}:{device.product_id:04x}",
            model=device.product or "",
        )
        slot = Slot(self._dock, number, device, self._ending.pop(number, None))
        self._slots[device.port, device.address] = slot
        if device.serial:
            self.board.found(device.serial)
        slot.start()

    def _slot_of_serial(self, serial: str, besides: int) -> int | None:
        """Return the other slot in which a camera of this serial stands."""
        for slot in list(self._slots.values()):
            if slot.serial == serial and slot.number != besides and slot.is_here():
                return slot.number
        return None

    def _obey(self) -> None:
        waiting = select(StationCommand.id).where(
            StationCommand.station_id == self._id, StationCommand.taken_at.is_(None)
        )
        with self._rt.db.read() as session:  # most looks find nothing, and should lock nothing
            if session.scalar(waiting.limit(1)) is None:
                return
        with self._rt.db.write() as session:
            commands = take_commands(session, self._id)
        for row in commands:
            log.info("station.command", command=row.command, slot=row.slot)
            self.journal.append("command.taken", command=row.command, slot=row.slot, id=row.id)
            self._command(row)

    def _command(self, row: StationCommand) -> None:
        """Do what a person asked; a command that this station doesn't know is left alone."""
        asked = [slot for slot in list(self._slots.values()) if row.slot in {None, slot.number}]
        if row.command == "retry":
            for slot in asked:
                slot.retry()
        elif row.command == "release" and row.slot is not None:
            for slot in asked:
                slot.release(_order(row))
        elif row.command == "identify" and row.slot is not None:
            self.board.identify(row.slot)
        elif row.command == "acknowledge":
            self.board.alarms.seen(row.slot)
        elif self._hand is not None and row.command in {"plug", "unplug"} and row.slot is not None:
            for port in self._numbers.ports_of(row.slot):
                self._hand(row.command, port)

    def _watch_clock(self) -> None:
        """Write down a step of the dock's own clock: all times around it are to be read with care."""
        step = self._steps.look()
        if step is None:
            return
        log.warning("station.clock_stepped", seconds=round(step, 3))
        self.journal.append("clock.stepped", step_ms=round(step * 1000))
        record_now(
            self._rt.db,
            "clock.stepped",
            object_id=self._id,
            actor=f"station:{self._id}",
            details={"step_ms": round(step * 1000)},
        )


def _order(row: StationCommand) -> Order:
    """Read whose order a release is: the officer of its body, or who signed on to give it."""
    try:
        body = json.loads(row.body)
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    by = body.get("by") or row.officer_id
    return Order(str(by) if by else None, str(body.get("reason") or "")[:500], row.account_id)


def main() -> None:
    """Run until SIGTERM."""
    use_few_arenas()
    hold_lifeline()
    log_to_stderr()
    settings = load_settings()
    make_app(settings)  # so that a sealed recording is read at once
    stop = stop_event()
    with open_runtime(settings) as rt, only_one(settings.data_dir / "station.lock", settings.station.name):
        hand: Hand | None = None
        if settings.dock.bus.startswith("sim:"):
            from dock_service.simulator.hand import hand_on  # late: only a simulated bus has one

            hand = hand_on(settings.dock.bus)
        Station(rt, open_bus(settings.dock.bus), stop, hand).run()


if __name__ == "__main__":
    sys.exit(run_named(main))

"""The docking station: `python -m dock_service.station`.

Polls the bus, gives every camera's slot a thread, writes the board as the station's heartbeat and takes commands from rows. Dock
and web meet only in the database. It can be killed at any moment: what was received is durable, and the next start goes on.
"""

import sys
import threading
from collections.abc import Callable

import structlog
from sqlalchemy import select

from bodycam.custody import record
from bodycam.errors import BodycamError, DatabaseAwayError, DiskFullError
from bodycam.fleet.docking import close_open_visits, ensure_station, take_commands
from bodycam.fleet.models import StationCommand
from bodycam.jobs.app import make_app
from bodycam.process import hold_lifeline, log_to_stderr, only_one, run_named, stop_event
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from dock_service.board import Board
from dock_service.bus import Bus, BusDevice, DeviceKind, open_bus
from dock_service.slot import Dock, Slot
from dock_service.slots import Slots

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
        self.board = Board(station.id, settings.station.name, settings.dock.slots)
        self._rt, self._bus, self._hand = rt, bus, hand
        self._id = station.id
        self._numbers = Slots(settings.data_dir / "dock-slots.json", settings.dock.slots)
        self._slots: dict[tuple[str, int], Slot] = {}
        self._ending: dict[int, Slot] = {}  # taken out, their threads not yet done
        self._stop = stop
        turns = threading.Semaphore(settings.dock.parallel)
        self._dock = Dock(rt, self.board, station.id, turns, stop, self._slot_of_serial)

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
        for slot in [*self._slots.values(), *self._ending.values()]:
            slot.join(_END_WAIT_S)
        with self._rt.db.write() as session:
            record(session, "station.stopped", object_id=self._id, actor=f"station:{self._id}")

    def step(self) -> None:
        """Look at the bus and the commands once and write the board when it is due."""
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
        self.board.write(self._rt.db)

    def _left(self, device: BusDevice) -> None:
        slot = self._slots.pop((device.port, device.address), None)
        if slot is not None:
            log.info("station.left", slot=slot.number)
            slot.left()
            self._ending[slot.number] = slot

    def _arrived(self, device: BusDevice) -> None:
        if device.kind is not DeviceKind.MTP:
            log.info("station.ignored", port=device.port, kind=device.kind.value)
            return
        number = self._numbers.slot_of(device.port)
        if number is None:
            log.warning("station.no_slot", port=device.port)
            return
        log.info("station.arrived", slot=number, port=device.port)
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
            commands = [(row.command, row.slot) for row in take_commands(session, self._id)]
        for command, number in commands:
            log.info("station.command", command=command, slot=number)
            for slot in list(self._slots.values()):
                if command == "retry" and number in {None, slot.number}:
                    slot.retry()
            if self._hand is not None and command in {"plug", "unplug"} and number is not None:
                for port in self._numbers.ports_of(number):
                    self._hand(command, port)


def main() -> None:
    """Run until SIGTERM."""
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

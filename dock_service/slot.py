"""One slot at work: from the plug to the pull, in a thread of its own.

The camera's lock is held as long as the camera sits in the slot, so nothing else on this machine reads it meanwhile. However
the work ends, the slot stays on the board until the camera is taken out. What heals by itself is tried again by itself: a
camera that comes back, a disk that gets room, a database that answers again.
"""

import math
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.canonical import JSON
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.errors import BodycamError, DatabaseAwayError, DiskFullError
from bodycam.fleet.models import VisitState
from bodycam.runtime import Runtime
from bodycam.vault.errors import CopiesMissingError
from dock_service.alarms import AlarmKind
from dock_service.awaited import Awaited
from dock_service.board import Board, SlotState
from dock_service.bus import BusDevice
from dock_service.cameras.camera import Camera
from dock_service.cameras.opening import match_device, open_camera
from dock_service.cameras.switching import Before
from dock_service.errors import (
    CameraBusyError,
    CameraGoneError,
    DuplicateSerialError,
    FileChangedError,
    ModeSwitchedError,
    MountFailedError,
    OffloadStoppedError,
    ReleasedByOrderError,
    StationFaultError,
    StorageNotReadyError,
)
from dock_service.journal import Journal
from dock_service.offload import Offload, Watch
from dock_service.outcome import Outcome
from dock_service.profiles import Match, Profiles
from dock_service.profiles.switch import ModeSwitch
from dock_service.turns import Turns
from dock_service.visit import Order, Place, Visit, hold_camera, owe_footage
from dock_service.wipe import Watch as WipeWatch
from dock_service.wipe import run_orders

log = structlog.get_logger()

_POLL_S = 0.2
_BUSY_AGAIN_S = 2.0
_GONE_AGAIN_S = 0.5  # at first, then twice as long each time: a camera that blinked is back soon
_GONE_AGAIN_MOST_S = 8.0
_DEAD_S = 2.0
_WRITTEN_AGAIN_S = 30.0  # a camera that records on in its slot
_DATABASE_AGAIN_S = 5.0
_CARD_AGAIN_S = 5.0  # a card that is put in, a mount that comes late
_ORDERS_AGAIN_S = 3.0  # a green camera is asked about so often: an order may come while it stands there
_WIPE_AGAIN_S = 30.0
_FULL_AGAIN_S = 600.0  # the full disk may be another one than the vault's
_COPIES_AGAIN_S = 60.0  # a place for copies that was away
_ROOM_BYTES = 16 << 20  # so much more room than when the disk was full is worth another try
_RECEIPTS_A_LINE = 300
_RECORDED_ON = ("Máy vừa ghi thêm, đang lấy tiếp", "The camera recorded on: the new files are being read")
_CHANGING = ("Đang chuyển máy sang chế độ đọc tệp", "Changing the camera over to show its files")


@dataclass(frozen=True)
class Dock:
    """What the slots of a station share."""

    rt: Runtime
    board: Board
    station_id: str
    turns: Turns
    stop: threading.Event
    slot_of_serial: Callable[[str, int], int | None]
    journal: Journal
    profiles: Profiles
    awaited: Awaited


class Slot:
    """A camera in a slot."""

    def __init__(self, dock: Dock, number: int, device: BusDevice, after: "Slot | None" = None) -> None:
        """Take a device that has just arrived in the slot that `after` had; `start` begins when that one has ended."""
        self.device = device
        self.number = number
        self.serial = device.serial or ""
        self._dock = dock
        self._after = after
        self._left = threading.Event()
        self._retry = threading.Event()
        self._halt = threading.Event()  # the copying is to end now: left, released or the station stops
        self._order: Order | None = None
        self._is_full = False  # the disk was, at the last try
        self._owing: Visit | None = None  # the last visit, while not all of it is saved
        self._is_changing = False  # told to show its files, it comes back as another device
        self._gone_again = _GONE_AGAIN_S
        self._died = 0.0  # when the camera was last found gone while the bus still shows it
        self._thread = threading.Thread(target=self._run, name=f"slot-{number}", daemon=True)

    def start(self) -> None:
        """Begin to read the camera."""
        self._thread.start()

    def is_here(self) -> bool:
        """Tell whether the camera is still in the slot."""
        return not self._left.is_set()

    def is_at_work(self) -> bool:
        """Tell whether its thread has not ended."""
        return self._thread.is_alive()

    def is_dead(self) -> bool:
        """Tell whether the camera is gone although the bus still shows it: it may have come back under the same address."""
        return self._died > 0 and clock.monotonic() - self._died > _DEAD_S

    def left(self) -> None:
        """Learn that the camera was taken out."""
        self._left.set()
        self._halt.set()

    def halt(self) -> None:
        """Learn that the station stops."""
        self._halt.set()

    def retry(self) -> None:
        """Learn that a person asked to try again; an order to release the camera is over then."""
        self._order = None
        self._retry.set()

    def release(self, order: Order) -> None:
        """Learn that the camera may be taken before it is done: what came is kept, the rest is owed."""
        if self._dock.board.tile(self.number).state is not SlotState.DONE:
            self._order = order
            self._halt.set()

    def join(self, seconds: float | None) -> None:
        """Wait for the thread to end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        if self._after is not None:
            self._after.join(None)
            self._after = None
        self._dock.board.arrived(self.number, self.serial)
        try:
            while not self._over():
                self._retry.clear()
                if self._order is None:
                    self._halt.clear()
                    if self._over() or self._order is not None:  # in this very moment
                        self._halt.set()
                self._wait(self._try())
        finally:
            if self._left.is_set():
                if not self._is_changing:  # else it is awaited
                    self._dock.board.taken(self.number)
                self._owe(None)

    def _try(self) -> float | None:
        try:
            return self._attempt() if self._order is None else self._let_go()
        except BodycamError as error:
            return self._failed(error)
        except Exception:  # the thread's edge: the other slots go on
            log.exception("slot.failed", slot=self.number)
            return self._failed(StationFaultError(slot=self.number))

    def _over(self) -> bool:
        return self._left.is_set() or self._dock.stop.is_set()

    def _wait(self, seconds: float | None) -> None:
        """Wait until the camera is taken out, somebody asks for something, the seconds are over, or a full disk has room."""
        if self._is_full:
            seconds = _FULL_AGAIN_S
        end = math.inf if seconds is None else clock.monotonic() + seconds
        enough = self._room() + _ROOM_BYTES if self._is_full else 0
        ordered = self._order
        while not (self._over() or self._retry.is_set() or self._order is not ordered) and clock.monotonic() < end:
            if self._is_full and self._room() >= enough:
                break
            (self._left if self._halt.is_set() else self._halt).wait(_POLL_S)
        self._is_full = False

    def _room(self) -> int:
        return shutil.disk_usage(self._dock.rt.spool.root).free

    def _attempt(self) -> float | None:
        """Try once; returns after how many seconds to try again by itself, or None to wait for a person."""
        match = match_device(self._dock.profiles, self.device)
        try:
            camera = open_camera(self.device, match, self._dock.rt.settings, self._told)
        except ModeSwitchedError:  # it comes back on this port as another device
            self._dock.journal.append("camera.mode_switched", slot=self.number, port=self.device.port)
            self._dock.board.arrived(self.number, self.serial, _CHANGING)
            self._is_changing = True
            return None
        try:
            self.serial = camera.identity.serial
            self._died = 0.0
            with hold_camera(self._dock.rt.settings.data_dir, self.serial):
                self._dock.board.found(self.serial)
                return self._offload(camera, match)
        except CameraBusyError as error:
            other = self._dock.slot_of_serial(self.serial, self.number)
            return self._failed(DuplicateSerialError(serial=self.serial, slot=other) if other else error)
        finally:
            camera.close()

    def _told(self, switch: ModeSwitch, before: Before) -> None:
        self._dock.awaited.told(self.number, self.device, switch, before)

    def _offload(self, camera: Camera, match: Match) -> float | None:
        """Offload and then keep the camera's lock and visit until it is taken out or somebody asks for something."""
        board, number = self._dock.board, self.number
        watch = Watch(
            report=lambda at: board.progress(number, at),
            settle=self._wait_for_receipts,
            started=self._started,
            stop=self._halt,
            turn=self._dock.turns.seat(self._halt.is_set).taken,
            write=self._dock.journal.append,
        )
        work = Offload(
            self._dock.rt,
            camera,
            Place(self.device.port, self._dock.station_id, number),
            watch,
            match,
            self._dock.profiles,
        )
        again: float | None = None
        state = VisitState.FAILED
        try:
            state, again = self._finished(work.run())
        except BodycamError as error:
            again = self._failed(error)
        if state is VisitState.DONE and work.outcome is not None:
            self._stand_green(camera, work, work.outcome.visit)
        elif self._order is None:
            self._wait(again)
        if state is VisitState.FAILED and self._left.is_set() and board.tile(number).state is SlotState.LOST:
            state = VisitState.LOST
        work.end(VisitState.RELEASED if self._order is not None and state is VisitState.FAILED else state)
        return 0

    def _stand_green(self, camera: Camera, work: Offload, visit: Visit) -> None:
        """Wait until the camera is taken out, records on or somebody asks for something; meanwhile wipe what batches list on it."""
        number, board = self.number, self._dock.board
        watch = WipeWatch(
            is_over=self._halt.is_set,
            say=lambda text: board.wiping(number, text),
            turn=self._dock.turns.seat(self._halt.is_set).taken,
            write=self._dock.journal.append,
        )
        while not (self._over() or self._retry.is_set()):
            again = _ORDERS_AGAIN_S
            try:
                run_orders(self._dock.rt, camera, visit, watch)
                if work.has_news():
                    self._dock.journal.append("camera.recorded_on", slot=number, serial=self.serial, visit=visit.id)
                    board.arrived(number, self.serial, _RECORDED_ON)
                    return
            except CameraGoneError:  # taken out, as it may be; or it blinked, and is read anew
                self._died = self._died or clock.monotonic()
                self._wait(_DEAD_S)
                return
            except OffloadStoppedError:
                again = _POLL_S
            except BodycamError as error:
                log.warning("slot.wipe_failed", slot=number, code=error.code)
                again = _WIPE_AGAIN_S
            self._wait(again)

    def _started(self, visit: Visit) -> None:
        self._owing = visit
        self._dock.awaited.came(self.device, visit)
        self._dock.board.began(
            self.number,
            camera=visit.name,
            officer=visit.officer,
            badge=visit.number,
            battery=visit.battery,
            profile=visit.profile.title,
        )
        alarms = self._dock.board.alarms
        if visit.quarantine:
            alarms.shout(AlarmKind.UNKNOWN, serial=self.serial, name=visit.name, slot=self.number)
        else:
            alarms.hush(AlarmKind.UNKNOWN, self.serial, why="registered")

    def _finished(self, outcome: Outcome) -> tuple[VisitState, float | None]:
        serious = [problem for problem in outcome.problems if not problem.is_note]
        if serious:
            self._is_full = any(isinstance(problem.error, DiskFullError) for problem in serious)
            self._dock.board.failed(self.number, serious[0].error)
            return VisitState.FAILED, _heals_in([problem.error for problem in serious])
        files = len(outcome.recordings) + outcome.skipped
        self._dock.journal.append(
            "tile.shown_done",
            slot=self.number,
            serial=self.serial,
            visit=outcome.visit.id,
            files=files,
            receipts=outcome.receipts,
        )
        self._owing = None
        self._dock.board.done(self.number, outcome.receipts, files)
        return VisitState.DONE, None

    def _failed(self, error: BodycamError) -> float | None:
        """Show what went wrong; what heals by itself is tried again, the rest waits for a person."""
        log.warning("slot.error", slot=self.number, code=error.code)
        if isinstance(error, OffloadStoppedError) and not self._left.is_set():
            return None
        if isinstance(error, CameraGoneError | OffloadStoppedError):
            return self._gone()
        self._dock.journal.append("slot.failed", slot=self.number, serial=self.serial, code=error.code)
        self._is_full = isinstance(error, DiskFullError)
        self._dock.board.failed(self.number, error)
        if isinstance(error, DatabaseAwayError):
            return _DATABASE_AGAIN_S
        if isinstance(error, StorageNotReadyError | MountFailedError):
            return _CARD_AGAIN_S
        return _BUSY_AGAIN_S if isinstance(error, CameraBusyError) else None

    def _gone(self) -> float:
        if not self._died:
            self._dock.journal.append("camera.gone", slot=self.number, serial=self.serial)
            self._died = clock.monotonic()
            self._gone_again = _GONE_AGAIN_S
        self._dock.board.lost(self.number)
        self._gone_again = min(self._gone_again * 2, _GONE_AGAIN_MOST_S)
        return self._gone_again / 2

    def _let_go(self) -> float | None:
        """Show that the camera may be taken by order, and write down whose order it was and what is owed."""
        order = self._order
        if order is None:
            return 0
        self._dock.awaited.forget(self.device.port)
        self._dock.board.released(self.number, ReleasedByOrderError(camera=self.serial))
        self._dock.journal.append("order.obeyed", slot=self.number, serial=self.serial, by=order.by)
        self._owe(order)
        return None

    def _owe(self, order: Order | None) -> None:
        """Write the debt of a camera that goes before it is done, as soon as the database takes it."""
        while self._owing is not None:
            try:
                owe_footage(self._dock.rt, self._owing, order)
                self._owing = None
            except (DatabaseAwayError, DiskFullError) as error:
                log.warning("slot.debt_waits", slot=self.number, code=error.code)
                if self._dock.stop.wait(_DATABASE_AGAIN_S):
                    return

    def _wait_for_receipts(self, events: Sequence[str]) -> None:
        while len(found := _receipts(self._dock.rt, events)) < len(set(events)):
            if self._halt.wait(_POLL_S):
                raise OffloadStoppedError(camera=self.serial)
        rows = sorted(found.items())
        for start in range(0, len(rows), _RECEIPTS_A_LINE):
            part: dict[str, JSON] = dict(rows[start : start + _RECEIPTS_A_LINE])
            self._dock.journal.append("receipts.came", slot=self.number, serial=self.serial, leaves=part)


def _heals_in(errors: Sequence[BodycamError]) -> float | None:
    """Return after how many seconds to try again by itself; None when one of the errors needs a person."""
    if all(isinstance(error, FileChangedError | DatabaseAwayError) for error in errors):
        recording = any(isinstance(error, FileChangedError) for error in errors)
        return _WRITTEN_AGAIN_S if recording else _DATABASE_AGAIN_S
    return _COPIES_AGAIN_S if all(isinstance(error, CopiesMissingError) for error in errors) else None


def _receipts(rt: Runtime, events: Sequence[str]) -> dict[str, int]:
    """Return, for the events that have their receipt, their leaf's index in the log."""
    found: dict[str, int] = {}
    ordered = sorted(set(events))
    with rt.db.read() as session:
        for start in range(0, len(ordered), 500):
            part = ordered[start : start + 500]
            query = select(CustodyEvent.id, CustodyEvent.log_index).join(Receipt, Receipt.event_id == CustodyEvent.id)
            found |= {event: index or 0 for event, index in session.execute(query.where(CustodyEvent.id.in_(part)))}
    return found

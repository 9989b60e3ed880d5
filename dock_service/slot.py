"""One slot at work: from the plug to the pull, in a thread of its own.

The camera's lock is held as long as the camera sits in the slot, so nothing else on this machine reads it meanwhile. However
the work ends, the slot stays on the board until the camera is taken out. What heals by itself is tried again by itself: a
camera that comes back, a disk that gets room, a database that answers again.
"""

import math
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select

from bodycam import clock
from bodycam.custody.models import Receipt
from bodycam.errors import BodycamError, DatabaseAwayError, DiskFullError
from bodycam.fleet.models import VisitState
from bodycam.runtime import Runtime
from dock_service.board import Board, SlotState
from dock_service.bus import BusDevice
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import (
    CameraBusyError,
    CameraGoneError,
    DuplicateSerialError,
    OffloadStoppedError,
    StationFaultError,
)
from dock_service.offload import Offload, Outcome, Watch
from dock_service.visit import Place, hold_camera

log = structlog.get_logger()

_POLL_S = 0.2
_BUSY_AGAIN_S = 2.0
_GONE_AGAIN_S = 3.0
_DATABASE_AGAIN_S = 5.0
_FULL_AGAIN_S = 600.0  # the full disk may be another one than the vault's
_ROOM_BYTES = 16 << 20  # so much more room than when the disk was full is worth another try
_QUEUED = ("Đang chờ đến lượt", "Waiting for its turn")


@dataclass(frozen=True)
class Dock:
    """What the slots of a station share."""

    rt: Runtime
    board: Board
    station_id: str
    turns: threading.Semaphore
    stop: threading.Event
    slot_of_serial: Callable[[str, int], int | None]


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
        self._is_full = False  # the disk was, at the last try
        self._thread = threading.Thread(target=self._run, name=f"slot-{number}", daemon=True)

    def start(self) -> None:
        """Begin to read the camera."""
        self._thread.start()

    def is_here(self) -> bool:
        """Tell whether the camera is still in the slot."""
        return not self._left.is_set()

    def left(self) -> None:
        """Learn that the camera was taken out."""
        self._left.set()

    def retry(self) -> None:
        """Learn that a person asked to try again."""
        self._retry.set()

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
                self._wait(self._try())
        finally:
            if self._left.is_set():
                self._dock.board.taken(self.number)

    def _try(self) -> float | None:
        try:
            return self._attempt()
        except BodycamError as error:
            return self._failed(error)
        except Exception:  # the thread's edge: the other slots go on
            log.exception("slot.failed", slot=self.number)
            return self._failed(StationFaultError(slot=self.number))

    def _over(self) -> bool:
        return self._left.is_set() or self._dock.stop.is_set()

    def _wait(self, seconds: float | None) -> None:
        """Wait until the camera is taken out, somebody asks to try again, the seconds are over, or a full disk has room."""
        if self._is_full:
            seconds = _FULL_AGAIN_S
        end = math.inf if seconds is None else clock.monotonic() + seconds
        enough = self._room() + _ROOM_BYTES if self._is_full else 0
        while not (self._over() or self._retry.is_set()) and clock.monotonic() < end:
            if self._is_full and self._room() >= enough:
                break
            time.sleep(_POLL_S)
        self._is_full = False

    def _room(self) -> int:
        return shutil.disk_usage(self._dock.rt.spool.root).free

    def _attempt(self) -> float | None:
        """Try once; returns after how many seconds to try again by itself, or None to wait for a person."""
        try:
            camera = MtpCamera(self.device.device, self.device.port, self.device.serial)
        except BodycamError as error:
            return self._failed(error)
        try:
            self.serial = camera.identity.serial
            with hold_camera(self._dock.rt.settings.data_dir, self.serial):
                return self._offload(camera)
        except CameraBusyError as error:
            other = self._dock.slot_of_serial(self.serial, self.number)
            return self._failed(DuplicateSerialError(serial=self.serial, slot=other) if other else error)
        finally:
            camera.close()

    def _offload(self, camera: MtpCamera) -> float | None:
        """Offload and then keep the camera's lock and visit until it is taken out or somebody asks to try again."""
        board, number = self._dock.board, self.number
        watch = Watch(
            report=lambda at: board.progress(number, at),
            settle=self._wait_for_receipts,
            started=lambda visit: board.began(
                number, camera=visit.name, officer=visit.officer, badge=visit.number, battery=visit.battery
            ),
            stop=self._dock.stop,
        )
        work = Offload(self._dock.rt, camera, Place(self.device.port, self._dock.station_id, number), watch)
        again: float | None = None
        state = VisitState.FAILED
        try:
            outcome = self._in_turn(work)
        except BodycamError as error:
            again = self._failed(error)
        else:
            state = self._finished(outcome)
        self._wait(again)
        if state is VisitState.FAILED and self._left.is_set() and board.tile(number).state is SlotState.LOST:
            state = VisitState.LOST
        work.end(state)
        return 0

    def _in_turn(self, work: Offload) -> Outcome:
        """Run it when it is this slot's turn: only so many cameras are read at once."""
        waited = False
        while not self._dock.turns.acquire(timeout=_POLL_S):
            if self._left.is_set():
                raise CameraGoneError(camera=self.serial)
            if self._dock.stop.is_set():
                raise OffloadStoppedError(camera=self.serial)
            if not waited:
                self._dock.board.arrived(self.number, self.serial, _QUEUED)
                waited = True
        try:
            return work.run()
        finally:
            self._dock.turns.release()

    def _finished(self, outcome: Outcome) -> VisitState:
        serious = [problem for problem in outcome.problems if not problem.is_note]
        if serious:
            self._is_full = any(isinstance(problem.error, DiskFullError) for problem in serious)
            self._dock.board.failed(self.number, serious[0].error)
            return VisitState.FAILED
        self._dock.board.done(self.number, outcome.receipts, len(outcome.recordings) + outcome.skipped)
        return VisitState.DONE

    def _failed(self, error: BodycamError) -> float | None:
        """Show what went wrong; what heals by itself is tried again, the rest waits for a person."""
        log.warning("slot.error", slot=self.number, code=error.code)
        if isinstance(error, OffloadStoppedError):
            return None
        if isinstance(error, CameraGoneError):
            self._dock.board.lost(self.number)
            return _GONE_AGAIN_S
        self._is_full = isinstance(error, DiskFullError)
        self._dock.board.failed(self.number, error)
        if isinstance(error, DatabaseAwayError):
            return _DATABASE_AGAIN_S
        return _BUSY_AGAIN_S if isinstance(error, CameraBusyError) else None

    def _wait_for_receipts(self, events: Sequence[str]) -> None:
        while True:
            if _receipts(self._dock.rt, events) == len(set(events)):
                return
            if self._left.is_set():
                raise CameraGoneError(camera=self.serial)
            if self._dock.stop.is_set():
                raise OffloadStoppedError(camera=self.serial)
            time.sleep(_POLL_S)


def _receipts(rt: Runtime, events: Sequence[str]) -> int:
    """Count how many of the events have their receipt."""
    found, ordered = 0, sorted(set(events))
    with rt.db.read() as session:
        for start in range(0, len(ordered), 500):
            query = select(func.count()).select_from(Receipt).where(Receipt.event_id.in_(ordered[start : start + 500]))
            found += session.scalar(query) or 0
    return found

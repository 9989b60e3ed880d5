"""What the dock shows: one state a slot, written to the station's row at most once a second and at least every two.

A slot is green (`done`) only when its offload said that everything is sealed, read back and has its receipt.
"""

import contextlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bodycam import clock
from bodycam.custody.canonical import JSON
from bodycam.db import Database
from bodycam.errors import BodycamError
from bodycam.fleet.docking import put_board
from dock_service.alarms import AlarmKind, Alarms

WRITE_EVERY_S = 1.0
BEAT_EVERY_S = 2.0
_RATE_OVER_S = 10.0
IDENTIFY_S = 10.0
_NOT_BACK = ("chuyển chế độ rồi không trở lại", "changed over and did not come back")


class SlotState(StrEnum):
    """The states of PRODUCT.md, screen 1."""

    EMPTY = "empty"
    UPLOADING = "uploading"
    VERIFYING = "verifying"
    WAITING_RECEIPT = "waiting_receipt"
    DONE = "done"
    LOST = "lost"
    RELEASED = "released"  # by the duty officer's order: not done, never green
    ERROR = "error"


@dataclass(frozen=True)
class Progress:
    """How far an offload is: uploading, verifying or waiting_receipt; bytes received in earlier tries count, too."""

    stage: SlotState
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    path: str = ""


@dataclass(frozen=True)
class Tile:
    """One slot as the kiosk needs it; sizes in bytes, the time left in seconds."""

    slot: int
    state: SlotState = SlotState.EMPTY
    camera: str = ""
    officer: str = ""
    number: str = ""
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    eta_s: int | None = None
    battery: int | None = None
    message_vi: str = ""
    message_en: str = ""
    error_code: str = ""
    receipts: int = 0
    profile: str = ""  # what kind of camera it is, for a person
    wiping: str = ""  # what a wipe order is doing to it
    identify: bool = False  # somebody looks for this camera: let it be seen


@dataclass
class _Rate:
    """Bytes a second over the last ten seconds."""

    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def left(self, done: int, total: int) -> int | None:
        now = clock.monotonic()
        self.seen.append((now, done))
        while now - self.seen[0][0] > _RATE_OVER_S:
            self.seen.popleft()
        since, first = self.seen[0]
        if done <= first or now - since < 1:
            return None
        return round((total - done) * (now - since) / (done - first))


class Board:
    """The tiles of one station; any thread may change one, the station's main loop writes them."""

    def __init__(self, station_id: str, name: str, slots: int) -> None:
        """Start with every slot empty."""
        self._station_id = station_id
        self._name = name
        self._tiles = {slot: Tile(slot) for slot in range(1, slots + 1)}
        self._rates: dict[int, _Rate] = {}
        self._serials: dict[int, str] = {}
        self._lock = threading.Lock()
        self._changed = True
        self._written = 0.0
        self._says: tuple[str, str] | None = None
        self._sought: dict[int, float] = {}  # until when a slot's tile lets itself be seen
        self.alarms = Alarms(station_id)

    def restore(self, text: str) -> None:
        """Take the alarms over from the board that the station wrote last."""
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            self.alarms.restore(json.loads(text).get("alarms", []))

    def tile(self, slot: int) -> Tile:
        """Return a slot's tile."""
        with self._lock:
            return self._tiles[slot]

    def clear(self, slot: int) -> None:
        """Show an empty slot."""
        self._put(Tile(slot))

    def arrived(self, slot: int, camera: str, message: tuple[str, str] = ("", "")) -> None:
        """Show a camera that was just plugged in, or waits for its turn."""
        with self._lock:
            self._rates[slot] = _Rate()
            self._serials[slot] = camera
        self._put(Tile(slot, SlotState.UPLOADING, camera, message_vi=message[0], message_en=message[1]))

    def began(
        self, slot: int, *, camera: str, officer: str, badge: str, battery: int | None, profile: str = ""
    ) -> None:
        """Show whose camera it is."""
        who: dict[str, Any] = {
            "camera": camera,
            "officer": officer,
            "number": badge,
            "battery": battery,
            "profile": profile,
        }
        self._change(slot, **who, message_vi="", message_en="")

    def progress(self, slot: int, at: Progress) -> None:
        """Show how far it is."""
        with self._lock:
            eta = self._rates.setdefault(slot, _Rate()).left(at.bytes_done, at.bytes_total)
        self._change(
            slot,
            state=at.stage,
            files_done=at.files_done,
            files_total=at.files_total,
            bytes_done=at.bytes_done,
            bytes_total=at.bytes_total,
            eta_s=eta,
        )

    def done(self, slot: int, receipts: int, files: int) -> None:
        """Show green: the camera may be taken."""
        self._change(slot, state=SlotState.DONE, receipts=receipts, files_done=files, files_total=files, eta_s=None)

    def failed(self, slot: int, error: BodycamError) -> None:
        """Show what is wrong and what to do."""
        vi, en = error.text("vi"), error.text("en")
        self._change(slot, state=SlotState.ERROR, message_vi=vi, message_en=en, error_code=error.code, eta_s=None)

    def released(self, slot: int, error: BodycamError) -> None:
        """Show that the camera may be taken by order, although it is not done."""
        vi, en = error.text("vi"), error.text("en")
        self._change(
            slot, state=SlotState.RELEASED, message_vi=vi, message_en=en, error_code=error.code, eta_s=None, wiping=""
        )

    def wiping(self, slot: int, text: str) -> None:
        """Show what a wipe order is doing to the camera; nothing with an empty text."""
        self._change(slot, wiping=text)

    def identify(self, slot: int) -> None:
        """Let a slot's tile be seen for ten seconds."""
        with self._lock:
            self._sought[slot] = clock.monotonic() + IDENTIFY_S
            self._changed = True

    def taken(self, slot: int) -> None:
        """Show that the camera was taken out: an empty slot after green, an order or an error, else one lost too early."""
        tile = self.tile(slot)
        if tile.state in {SlotState.DONE, SlotState.RELEASED, SlotState.ERROR, SlotState.EMPTY}:
            self.clear(slot)
            return
        self.lost(slot)
        serial = self._serials.get(slot) or tile.camera
        self.alarms.shout(AlarmKind.PULLED, serial=serial, name=tile.camera or serial, slot=slot)

    def found(self, camera: str) -> None:
        """Take away the lost tiles and the alarm of a camera that is back."""
        self.alarms.hush(AlarmKind.PULLED, camera, why="back")
        for slot, tile in list(self._tiles.items()):
            if tile.state is SlotState.LOST and camera in {tile.camera, self._serials.get(slot)}:
                self.clear(slot)

    def lost(self, slot: int) -> None:
        """Show that the camera was pulled before it was green."""
        self._change(slot, state=SlotState.LOST, eta_s=None)

    def missing(self, slot: int, serial: str, name: str) -> None:
        """Show, where the slot is free, a camera that left to change over and is not back."""
        with self._lock:
            self._serials[slot] = serial
        self._put(Tile(slot, SlotState.LOST, name, message_vi=_NOT_BACK[0], message_en=_NOT_BACK[1]))

    def says(self, error: BodycamError | None) -> None:
        """Show, or take away, what is wrong with the whole station."""
        said = None if error is None else (error.text("vi"), error.text("en"))
        with self._lock:
            self._changed = self._changed or said != self._says
            self._says = said

    def _change(self, slot: int, **changes: Any) -> None:  # noqa: ANN401  the fields of a Tile
        self._put(replace(self.tile(slot), **changes))

    def _put(self, tile: Tile) -> None:
        with self._lock:
            self._changed = self._changed or self._tiles[tile.slot] != tile
            self._tiles[tile.slot] = tile

    def body(self) -> dict[str, JSON]:
        """Return the board as it is written."""
        with self._lock:
            sought = {slot for slot, until in self._sought.items() if clock.monotonic() < until}
            slots: list[JSON] = [
                {**vars(tile), "state": tile.state.value, "identify": tile.slot in sought}
                for tile in self._tiles.values()
            ]
            alarms: list[JSON] = [alarm.as_json() for alarm in self.alarms.all()]
            body: dict[str, JSON] = {
                "station": self._name,
                "slots": slots,
                "alarms": alarms,
                "at": clock.now().isoformat(),
            }
            if self._says is not None:
                body |= {"message_vi": self._says[0], "message_en": self._says[1]}
            return body

    def write(self, db: Database) -> None:
        """Write the row when it is due: changed and a second old, or two seconds old."""
        since = clock.monotonic() - self._written
        changed = self._changed or self.alarms.is_unwritten()
        if since < WRITE_EVERY_S or (since < BEAT_EVERY_S and not changed):
            return
        with self._lock:
            self._changed = False
        body = self.body()
        with db.write() as session:
            events = self.alarms.record(session)
            put_board(session, self._station_id, body)
        self.alarms.written(events)
        self._written = clock.monotonic()

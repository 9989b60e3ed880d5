"""What a station calls somebody for: shown over its tiles until somebody acts or the cause is gone, and kept over a restart.

An alarm belongs to a camera, not to a slot: it stays when another camera takes the place. Raising and clearing are custody
events, written in the transaction that writes the board.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON


class AlarmKind(StrEnum):
    """Why somebody is called."""

    PULLED = "pulled"  # taken out before it was green
    UNKNOWN = "unknown"  # nobody registered this camera: it is taken in, into quarantine
    NOT_BACK = "not_back"  # told to show its files, it never came back


_WORDS = {
    AlarmKind.PULLED: (
        "Máy {name} rời khe {slot} lúc {at} khi chưa xong. Tìm máy và cắm lại vào khe bất kỳ.",
        "The camera {name} left slot {slot} at {at} before it was done. Find it and plug it into any slot.",
    ),
    AlarmKind.UNKNOWN: (
        "Máy lạ {name} cắm ở khe {slot} lúc {at}: dữ liệu vẫn được lưu, để riêng. Báo chỉ huy đăng ký máy.",
        "An unknown camera {name} came to slot {slot} at {at}: its files are saved, kept apart. Have a supervisor register it.",
    ),
    AlarmKind.NOT_BACK: (
        "Máy {name} ở khe {slot} được chuyển sang chế độ đọc tệp lúc {at} và chưa trở lại. Rút ra, cắm lại; không được thì ghi lý do ở Còn thiếu.",
        "The camera {name} in slot {slot} was told to show its files at {at} and is not back. Plug it in again; if that fails, note why under Still missing.",
    ),
}
_STAYS = {AlarmKind.NOT_BACK}  # until its cause is gone, whoever has seen it


@dataclass(frozen=True)
class Alarm:
    """One cause to call somebody."""

    kind: AlarmKind
    serial: str
    name: str
    slot: int
    since: datetime

    def as_json(self) -> dict[str, JSON]:
        """Return what the kiosk draws."""
        at = clock.local(self.since).strftime("%H:%M")
        vi, en = (text.format(name=self.name, slot=self.slot, at=at) for text in _WORDS[self.kind])
        return {
            "kind": self.kind.value,
            "serial": self.serial,
            "camera": self.name,
            "slot": self.slot,
            "since": self.since.isoformat(),
            "text_vi": vi,
            "text_en": en,
            "stays": self.kind in _STAYS,
        }


class Alarms:
    """A station's alarms; any thread may raise and clear them."""

    def __init__(self, station_id: str) -> None:
        """Begin without any."""
        self._station_id = station_id
        self._raised: dict[tuple[AlarmKind, str], Alarm] = {}
        self._unwritten: list[tuple[str, Alarm, str]] = []
        self._lock = threading.Lock()

    def restore(self, kept: Sequence[Mapping[str, object]]) -> None:
        """Take over what the station's last board showed; what can't be read is left out."""
        for fields in kept:
            try:
                alarm = Alarm(
                    AlarmKind(str(fields["kind"])),
                    str(fields["serial"]),
                    str(fields["camera"]),
                    int(str(fields["slot"])),
                    datetime.fromisoformat(str(fields["since"])),
                )
            except (KeyError, ValueError):
                continue
            self._raised[alarm.kind, alarm.serial] = alarm

    def shout(self, kind: AlarmKind, *, serial: str, name: str, slot: int, since: datetime | None = None) -> None:
        """Call somebody; once for one camera and cause. `since` is UTC, now if it isn't given."""
        with self._lock:
            if (kind, serial) in self._raised:
                return
            alarm = self._raised[kind, serial] = Alarm(kind, serial, name or serial, slot, since or clock.now())
            self._unwritten.append(("board.alarm_raised", alarm, ""))

    def hush(self, kind: AlarmKind, serial: str, *, why: str) -> None:
        """Call nobody any more: "back", "ended" with a reason, or "seen" by a person."""
        with self._lock:
            alarm = self._raised.pop((kind, serial), None)
            if alarm is not None:
                self._unwritten.append(("board.alarm_cleared", alarm, why))

    def seen(self, slot: int | None) -> None:
        """Clear what somebody has seen: of one slot, or all; what stays until its cause is gone is left."""
        for alarm in self.all():
            if slot in {None, alarm.slot} and alarm.kind not in _STAYS:
                self.hush(alarm.kind, alarm.serial, why="seen")

    def all(self) -> list[Alarm]:
        """Return the alarms, the oldest first."""
        with self._lock:
            return sorted(self._raised.values(), key=lambda alarm: alarm.since)

    def is_unwritten(self) -> bool:
        """Tell whether an event of theirs is still to be written."""
        return bool(self._unwritten)

    def record(self, session: Session) -> int:
        """Write the events that are due; tell `written` how many once they are committed."""
        with self._lock:
            due = list(self._unwritten)
        for kind, alarm, why in due:
            details: dict[str, JSON] = {"alarm": alarm.kind.value, "slot": alarm.slot}
            custody.record(
                session,
                kind,
                object_id=self._station_id,
                actor=f"station:{self._station_id}",
                details={**details, "why": why} if why else details,
                private={"serial": alarm.serial},
            )
        return len(due)

    def written(self, count: int) -> None:
        """Learn that so many events are committed."""
        with self._lock:
            del self._unwritten[:count]

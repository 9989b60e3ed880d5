"""What a slot's tile says: the station's board turned into words.

A tile is never greener than its station: only the state `done` may say "you may take it", and a board older than six seconds
says nothing at all (`is_alive`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bodycam.fleet.models import Station, StationBoard
from webui.common.formatting import number, size
from webui.common.locale import t

SILENCE = timedelta(seconds=6)  # PRODUCT.md, screen 1: a heartbeat each 2 s, missed for 6 s
_MINUTE_S = 60
_STATES = {
    "empty": ("Khe trống", "", "Empty slot", ""),
    "uploading": ("Đang tải lên", "KHÔNG RÚT", "Uploading", "DO NOT REMOVE"),
    "verifying": ("Đang đối chiếu", "KHÔNG RÚT", "Verifying", "DO NOT REMOVE"),
    "waiting_receipt": ("Đã lưu, chờ biên nhận", "KHÔNG RÚT", "Saved, waiting for the receipt", "DO NOT REMOVE"),
    "done": ("ĐÃ XONG", "Được phép rút máy", "DONE", "You may take the camera"),
    "lost": ("Mất kết nối", "cắm lại máy", "Connection lost", "plug the camera in again"),
    "error": ("LỖI", "giữ máy trong khe", "ERROR", "leave the camera in the slot"),
}


@dataclass(frozen=True)
class Tile:
    """One slot as the kiosk shows it."""

    slot: int
    state: str
    title: str
    order: str
    hint: str
    camera: str
    officer: str
    number: str
    battery: str
    done: int
    total: int
    detail: str

    @property
    def is_moving(self) -> bool:
        """Whether the tile shows a progress bar."""
        return self.state in {"uploading", "verifying"}


def is_alive(board: StationBoard | None, at: datetime) -> bool:
    """Tell whether the station wrote its board within the last six seconds."""
    return board is not None and at - board.beat_at < SILENCE


def tiles_of(station: Station, board: StationBoard | None, *, duty_phone: str) -> list[Tile]:
    """Return one tile a slot; slots the board doesn't name are empty, an unknown state is an error."""
    body = json.loads(board.body) if board else {}
    named = {int(slot["slot"]): slot for slot in body.get("slots", [])}
    highest = max([station.slots, *named])
    return [_tile(n, named.get(n, {"state": "empty"}), duty_phone) for n in range(1, highest + 1)]


def _tile(n: int, slot: Mapping[str, Any], duty_phone: str) -> Tile:
    state = str(slot.get("state", "error"))
    state = state if state in _STATES else "error"
    title_vi, order_vi, title_en, order_en = _STATES[state]
    battery = slot.get("battery")
    return Tile(
        slot=n,
        state=state,
        title=t(title_vi, title_en),
        order=t(order_vi, order_en),
        hint=_hint(state, duty_phone),
        camera=str(slot.get("camera") or ""),
        officer=str(slot.get("officer") or ""),
        number=str(slot.get("number") or ""),
        battery="" if battery is None else t(f"pin {battery} %", f"battery {battery} %"),
        done=int(slot.get("bytes_done") or 0),
        total=int(slot.get("bytes_total") or 0),
        detail=_detail(state, slot),
    )


def _hint(state: str, duty_phone: str) -> str:
    if state == "uploading":
        return t("Để máy trong khe, đồng chí có thể ra về", "Leave the camera in the slot, you may go")
    if state == "error":
        return t(f"Gọi trực ban: {duty_phone}", f"Call the duty officer: {duty_phone}")
    return ""


def _detail(state: str, slot: Mapping[str, Any]) -> str:
    files, total = int(slot.get("files_done") or 0), int(slot.get("files_total") or 0)
    said = str(slot.get(t("message_vi", "message_en")) or "")
    counted = t(f"{files}/{total} tệp", f"{files}/{total} files") if total else ""
    saved = t(f"{files} bản ghi đã lưu", f"{files} recordings saved")
    receipts = int(slot.get("receipts") or 0)
    due = int(slot.get("bytes_total") or 0)
    parts = {
        "empty": [],
        "uploading": [counted, size(due), _left(slot.get("eta_s"))]
        if due
        else [t("đang đọc danh sách tệp", "reading the file list")],
        "verifying": [counted, _left(slot.get("eta_s"))],
        "waiting_receipt": [saved, t("còn vài giây", "a few seconds more")],
        "done": [saved, t(f"{number(receipts)} biên nhận", f"{number(receipts)} receipts") if receipts else ""],
        "lost": [said or t("sẽ tiếp tục từ chỗ dừng", "goes on where it stopped")],
        "error": [said, saved if files else ""],
    }[state]
    return " · ".join(part for part in parts if part)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < _MINUTE_S:
        return t("còn dưới 1 phút", "less than 1 minute left")
    minutes = round(seconds / _MINUTE_S)
    return t(f"còn khoảng {minutes} phút", f"about {minutes} min left")

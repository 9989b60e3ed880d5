"""What a slot's tile says: the station's board turned into words.

A tile is never greener than its station: only the state `done` may say "you may take it", and a board older than six seconds
says nothing at all (`is_alive`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bodycam.fleet.docking import camera_name
from bodycam.fleet.models import CameraState, Station, StationBoard
from bodycam.fleet.standing import Standing
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
    "released": ("Rút theo lệnh", "Chưa tải hết – phải cắm lại", "Pulled by order", "Not all uploaded – dock it again"),
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
    left: str  # how long it still takes, in words
    officer_id: str = ""  # who holds the camera now, where the station's slot and board agree on it

    @property
    def is_moving(self) -> bool:
        """Whether the tile shows a progress bar."""
        return self.state in {"uploading", "verifying"}


def is_alive(board: StationBoard | None, at: datetime) -> bool:
    """Tell whether the station wrote its board within the last six seconds."""
    return board is not None and at - board.beat_at < SILENCE


@dataclass(frozen=True)
class Alarm:
    """A line over the tiles: a camera that left too early, and since when."""

    slot: int
    text: str
    stays: bool = False  # until its cause is gone, whoever has seen it


def tiles_of(
    station: Station,
    board: StationBoard | None,
    *,
    duty_phone: str,
    standing: Mapping[int, Standing] | None = None,
) -> list[Tile]:
    """Return one tile a slot; slots the board doesn't name are empty, an unknown state is an error.

    `standing` names who holds each camera now: once a camera is done, its tile shows its new holder.
    """
    body = json.loads(board.body) if board else {}
    named = {int(slot["slot"]): slot for slot in body.get("slots", [])}
    highest = max([station.slots, *named])
    tiles = [_tile(n, named.get(n, {"state": "empty"}), duty_phone) for n in range(1, highest + 1)]
    return [_held(tile, (standing or {}).get(tile.slot)) for tile in tiles]


def alarms_of(board: StationBoard | None) -> list[Alarm]:
    """Return the station's alarms in the reader's language."""
    body = json.loads(board.body) if board else {}
    return [
        Alarm(int(alarm.get("slot") or 0), str(alarm.get(t("text_vi", "text_en")) or ""), bool(alarm.get("stays")))
        for alarm in body.get("alarms") or []
    ]


def _held(tile: Tile, standing: Standing | None) -> Tile:
    if standing is None or tile.camera not in {camera_name(standing.camera), standing.camera.serial}:
        return tile
    holder = standing.holder
    if standing.camera.state == CameraState.BROKEN:
        tile = replace(
            tile, detail=" · ".join(part for part in (t("máy đang báo hỏng", "reported broken"), tile.detail) if part)
        )
    if tile.state != "done":
        return replace(tile, officer_id=holder.id if holder else "")
    if holder is None:
        return replace(tile, officer=t("Chưa giao ai", "Not issued"), number="")
    return replace(tile, officer=holder.name, number=holder.number, officer_id=holder.id)


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
        hint=_hint(state, duty_phone, str(slot.get("wiping") or "")),
        camera=str(slot.get("camera") or ""),
        officer=str(slot.get("officer") or ""),
        number=str(slot.get("number") or ""),
        battery="" if battery is None else t(f"pin {battery} %", f"battery {battery} %"),
        done=int(slot.get("bytes_done") or 0),
        total=int(slot.get("bytes_total") or 0),
        detail=_detail(state, slot),
        left=_left(slot.get("eta_s")) if state in {"uploading", "verifying"} else "",
    )


def _hint(state: str, duty_phone: str, wiping: str) -> str:
    if state == "done" and wiping:
        said = t("Đang xóa theo biên bản", "Wiping by the minute")
        return f"{said} {wiping}. {t('Rút máy thì lần sau xóa tiếp', 'Taken now, the rest follows next time')}"
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
    due, wiping = int(slot.get("bytes_total") or 0), str(slot.get("wiping") or "")
    parts = {
        "empty": [],
        "uploading": [counted, size(due)] if due else [said or t("đang đọc danh sách tệp", "reading the file list")],
        "verifying": [counted],
        "waiting_receipt": [saved, t("còn vài giây", "a few seconds more")],
        "done": [
            t(f"đang xóa theo lệnh {wiping}", f"being wiped by order {wiping}") if wiping else "",
            saved,
            t(f"{number(receipts)} biên nhận", f"{number(receipts)} receipts") if receipts else "",
        ],
        "released": [t("phần còn lại vẫn phải tải lên", "the rest is still owed")],
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

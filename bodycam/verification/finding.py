"""A finding: one check's answer with its reason in both languages, its numbers, and where on the recording it lies.

No finding accuses: possible innocent causes come first, and what was not checked says so and is never shown as good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bodycam.recordings.models import Verdict

Number = str | int | float | bool | None


class Row(StrEnum):
    """The row of the verification timeline that a finding belongs to, in the order shown."""

    INTEGRITY = "integrity"
    DEVICE_SIGNATURE = "device_signature"
    CLOCK = "clock"
    GPS = "gps"
    CONTINUITY = "continuity"


ROW_NAMES: dict[Row, tuple[str, str]] = {
    Row.INTEGRITY: ("Toàn vẹn tệp", "File integrity"),
    Row.DEVICE_SIGNATURE: ("Chữ ký thiết bị", "Device signature"),
    Row.CLOCK: ("Đồng hồ", "Clock"),
    Row.GPS: ("Định vị GPS", "GPS position"),
    Row.CONTINUITY: ("Liên tục hình ảnh", "Continuity"),
}

VERDICT_NAMES: dict[Verdict, tuple[str, str]] = {
    Verdict.MATCH: ("Phù hợp", "Match"),
    Verdict.NOTE: ("Có lưu ý", "Note"),
    Verdict.LOOK_CLOSER: ("Cần kiểm tra thêm", "Look closer"),
    Verdict.CONTRADICTION: ("Mâu thuẫn", "Contradiction"),
    Verdict.NOT_CHECKED: ("Chưa kiểm tra", "Not checked"),
    Verdict.NOT_APPLICABLE: ("Không áp dụng", "Not applicable"),
}


@dataclass(frozen=True)
class Finding:
    """One check's answer; `span` is (start, end) in seconds on the recording, None for all of it."""

    row: Row
    code: str
    result: Verdict
    vi: str
    en: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    span: tuple[float, float] | None = None


def vi_number(value: float, digits: int = 1) -> str:
    """Return a number as Vietnamese write it: "144.720" and "40,2"."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def vi_duration(seconds: float) -> str:
    """Return a duration for a Vietnamese reader: "7 giờ 0 phút 3 giây", "4,2 giây"."""
    return _duration(seconds, ("ngày", "giờ", "phút", "giây"), vi_number(abs(seconds)))


def en_duration(seconds: float) -> str:
    """Return a duration for an English reader: "7 h 0 min 3 s", "4.2 s"."""
    return _duration(seconds, ("d", "h", "min", "s"), f"{abs(seconds):.1f}")


def _duration(seconds: float, units: tuple[str, str, str, str], short: str) -> str:
    day, hour, minute, second = units
    if abs(seconds) < 60:  # noqa: PLR2004  under a minute, tenths count
        return f"{short} {second}"
    whole = round(abs(seconds))
    days, rest = divmod(whole, 86_400)
    parts = [f"{days} {day}"] if days else []
    parts += [f"{rest // 3600} {hour}"] if rest // 3600 or days else []
    parts += [f"{rest % 3600 // 60} {minute}", f"{rest % 60} {second}"] if days < 2 else []  # noqa: PLR2004  days are enough
    return " ".join(parts)

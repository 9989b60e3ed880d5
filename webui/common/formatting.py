"""How times, numbers and places are written for people, and how typed dates are read.

Dates are dd/mm/yyyy, times 24 h in Vietnam's zone (UTC+7) in both languages; numbers have a decimal comma in Vietnamese.
Missing values show as an en dash, never as an empty cell.
"""

import re
from datetime import UTC, datetime, timedelta

from flask import Flask

from bodycam.clock import VIETNAM, local
from bodycam.errors import InvalidInputError
from webui.common.locale import language, t

NOTHING = "–"
_TYPED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ ,]+(\d{1,2})[:h](\d{2}))?")
_MINUTE_S, _HOUR_S = 60, 3600


def when(moment: datetime | None) -> str:
    """Write a moment as "09/11/2026 14:20:07" in Vietnam's time."""
    return local(moment).strftime("%d/%m/%Y %H:%M:%S") if moment else NOTHING


def minute(moment: datetime | None) -> str:
    """Write a moment as "09/11/2026 14:20" in Vietnam's time."""
    return local(moment).strftime("%d/%m/%Y %H:%M") if moment else NOTHING


def day(moment: datetime | None) -> str:
    """Write a moment's day as "09/11/2026" in Vietnam's time."""
    return local(moment).strftime("%d/%m/%Y") if moment else NOTHING


def clock_time(moment: datetime | None) -> str:
    """Write a moment's time of day as "14:20:07" in Vietnam's time."""
    return local(moment).strftime("%H:%M:%S") if moment else NOTHING


def due(moment: datetime) -> str:
    """Write a deadline: one at midnight is the end of the day before, "hết ngày 18/11/2026"."""
    if local(moment).strftime("%H%M%S") == "000000":
        last = day(moment - timedelta(seconds=1))
        return t(f"hết ngày {last}", f"end of {last}")
    return minute(moment)


def number(value: float | None, places: int = 0) -> str:
    """Write a number with a fixed count of decimals: "20,98713" in Vietnamese, "20.98713" in English."""
    if value is None:
        return NOTHING
    text = f"{value:,.{places}f}".replace(",", "\u202f")  # a narrow space groups the thousands in both languages
    return text.replace(".", ",") if language() == "vi" else text


def size(octets: int | None) -> str:
    """Write a size in bytes with a decimal unit: "11,2 GB"."""
    if octets is None:
        return NOTHING
    value, units = float(octets), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:  # noqa: PLR2004  decimal units
        value, units = value / 1000, units[1:]
    return f"{number(value, 0 if units[0] == 'B' else 1)} {units[0]}"


def duration(seconds: float | None) -> str:
    """Write a duration as "11:45" or "1:02:03"."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR_S)
    minutes, left = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def offset(seconds: float | None) -> str:
    """Write a camera clock's offset in words: "nhanh 1,8 s", "chậm 7 giờ 0 phút", "đúng giờ"."""
    if seconds is None:
        return NOTHING
    if abs(seconds) < 0.05:  # noqa: PLR2004  less than what is shown
        return t("đúng giờ", "on time")
    side = t("nhanh", "fast by") if seconds >= 0 else t("chậm", "slow by")
    amount = abs(seconds)
    if amount < 2 * _MINUTE_S:
        return f"{side} {number(amount, 1)} s"
    hours, rest = divmod(round(amount), _HOUR_S)
    minutes = rest // _MINUTE_S
    long = t(f"{hours} giờ {minutes} phút", f"{hours} h {minutes} min")
    return f"{side} {long if hours else t(f'{minutes} phút', f'{minutes} min')}"


def position(lat: float | None, lon: float | None) -> str:
    """Write a WGS 84 position in degrees: "20,98713 B 105,86442 Đ" (B = north, Đ = east)."""
    if lat is None or lon is None:
        return NOTHING
    north = t("B", "N") if lat >= 0 else t("N", "S")
    east = t("Đ", "E") if lon >= 0 else t("T", "W")
    return f"{number(abs(lat), 5)} {north} {number(abs(lon), 5)} {east}"


def read_degrees(text: str, *, field: str) -> float | None:
    """Read degrees typed with a comma or a point, None for an empty text; raises InvalidInputError naming `field`."""
    typed = text.strip().replace(",", ".").rstrip("°")
    if not typed:
        return None
    try:
        return float(typed)
    except ValueError:
        raise InvalidInputError(
            field=field,
            reason_vi="cần viết độ thập phân, ví dụ 20,98713",
            reason="write decimal degrees, such as 20.98713",
        ) from None


def read_moment(text: str, *, field: str, end_of_day: bool = False) -> datetime | None:
    """Read "dd/mm/yyyy" or "dd/mm/yyyy HH:MM", typed in Vietnam's time, as aware UTC; None for an empty text.

    A day alone means its first moment, or with `end_of_day` the first moment of the next day.
    Raises InvalidInputError naming `field`.
    """
    typed = text.strip()
    if not typed:
        return None
    match = _TYPED.fullmatch(typed)
    moment = _moment(match) if match else None
    if match is None or moment is None:
        raise InvalidInputError(
            field=field,
            reason_vi="cần viết ngày/tháng/năm, ví dụ 09/11/2026 hoặc 09/11/2026 14:20",
            reason="write day/month/year, such as 09/11/2026 or 09/11/2026 14:20",
        )
    if end_of_day and match[4] is None:
        moment += timedelta(days=1)
    return moment.astimezone(UTC)


def _moment(match: re.Match[str]) -> datetime | None:
    d, m, y, hour, minutes = (int(part or 0) for part in match.groups())
    try:
        return datetime(y, m, d, hour, minutes, tzinfo=VIETNAM)
    except ValueError:
        return None


def init_app(app: Flask) -> None:
    """Give templates the writers as filters."""
    for writer in (when, minute, day, clock_time, due, number, size, duration, offset):
        app.jinja_env.filters[writer.__name__] = writer
    app.jinja_env.globals.update(position=position)

"""What a file's name says, as its profile reads it. Names are claims of a camera: kept, shown, and never proof."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from bodycam.clock import VIETNAM

_ZONE = re.compile(r"([+-])(\d{2}):(\d{2})")


@dataclass(frozen=True)
class FileName:
    """What one name says; `start` is UTC by the profile's zone, `start_raw` the same as the camera wrote it.

    `series` names the run of numbers it belongs to: its folder and the width of the number, since films and pictures often share one. A file split by the camera has the same
    `sequence` and a growing `chapter`.
    """

    path: str
    camera: str | None = None
    officer: str | None = None
    start: datetime | None = None
    start_raw: str = ""
    is_event: bool = False
    sequence: int | None = None
    sequence_digits: int = 0
    chapter: int | None = None
    is_encrypted: bool = False
    series: str = ""


def read_match(path: str, found: re.Match[str], form: str | None, zone: tzinfo, *, series: str) -> FileName | None:
    """Turn a pattern's groups into what they mean; None when its start is no date, since then it is another's name."""
    groups: Mapping[str, str | None] = found.groupdict()
    raw = groups.get("start") or ""
    start = parse_start(raw, form, zone) if raw and form else None
    if raw and start is None:
        return None
    number, chapter = groups.get("sequence"), groups.get("chapter")
    return FileName(
        path=path,
        camera=groups.get("camera") or None,
        officer=groups.get("officer") or None,
        start=start,
        start_raw=raw,
        is_event=bool(groups.get("event")),
        sequence=_number(number),
        sequence_digits=len(number or ""),
        chapter=_number(chapter),
        is_encrypted=bool(groups.get("encrypted")),
        series=f"{series}#{len(number or '')}",
    )


def parse_start(raw: str, form: str, zone: tzinfo) -> datetime | None:
    """Read a time of a name in the profile's zone as UTC; None when there is no such time."""
    try:
        moment = datetime.strptime(raw, form)  # noqa: DTZ007  the zone is the profile's, or in the text
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def zone_of(text: str) -> tzinfo:
    """Return the zone "local" (Vietnam), "utc" or "+07:00" names; raises ValueError."""
    if text == "local":
        return VIETNAM
    if text == "utc":
        return UTC
    found = _ZONE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 9 else None  # noqa: PLR2004  of nine digits

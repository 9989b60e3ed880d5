"""What a person types into the one search box, split into questions: "29A-123.45 09/11/2026 14:20" is a plate and a time.

A day asks for that day, a day with a time for the hour around it; a time alone is a word like any other. Everything else is
looked for as words.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from webui.common.formatting import read_moment

AROUND = timedelta(minutes=30)
_DAY = re.compile(r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b")
_TIME = re.compile(r"\b\d{1,2}[:h]\d{2}\b")
_PLATE = re.compile(r"\b\d{2}[ -]?[A-Za-zĐđ]{1,2}\d?[ -.]{0,2}\d{3}\.?\d{1,2}\b")  # 29A-123.45, 29-A1 2345, 80NG 12345


@dataclass(frozen=True)
class Words:
    """The parts of one search text; times are aware, `until` is exclusive."""

    text: str
    plate: str
    since: datetime | None
    until: datetime | None


def split(typed: str) -> Words:
    """Take days and a plate out of what was typed; raises InvalidInputError for a day that doesn't exist."""
    since = until = None
    day = _DAY.search(typed)
    if day:
        typed = _without(typed, day)
        time = _TIME.search(typed)
        typed = _without(typed, time) if time else typed
        since = read_moment(f"{day[0]} {time[0]}" if time else day[0], field=day[0])
        until = read_moment(day[0], field=day[0], end_of_day=True)
        if time and since:
            since, until = since - AROUND, since + AROUND
    plate = _PLATE.search(typed)
    if plate:
        typed = _without(typed, plate)
    return Words(" ".join(typed.replace(",", " ").split()), plate[0] if plate else "", since, until)


def _without(typed: str, found: re.Match[str]) -> str:
    return f"{typed[: found.start()]} {typed[found.end() :]}"

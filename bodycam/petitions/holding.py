"""The hold that a report causes: the official footage of its time and its own files, placed by the system, seen by intake alone.

What a citizen writes of the time is free text. A day that can be read from it holds that day and half a day around, over whole
shifts; else the days before the report are held. Without coordinates any place is held: a name read wrongly would let the footage
go. Intake narrows a hold once it knows better. A closed report's holds end after the schedule's time; a reopened one's stand again.
"""

import re
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.clock import VIETNAM, local, now
from bodycam.db import fold
from bodycam.people.models import Officer
from bodycam.people.numbers import compact_number
from bodycam.petitions.content import Content
from bodycam.petitions.models import Submission, SubmissionState
from bodycam.retention import changes, clockwatch, holds
from bodycam.retention.targets import Target

PLACE_M = 5_000.0
_AROUND = timedelta(hours=12)
_FAR_BACK = timedelta(days=3 * 366)
_MOST_OFFICERS = 20
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?(?!\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d{1,2})\s+thang\s+(\d{1,2})(?:\s+nam\s+(\d{4}))?")
_RELATIVE = {"hom nay": 0, "sang nay": 0, "chieu nay": 0, "toi nay": 0, "vua xong": 0, "today": 0, "hom qua": 1,
             "toi qua": 1, "dem qua": 1, "yesterday": 1, "hom kia": 2}  # fmt: skip
_COORDINATES = re.compile(r"(?<![\d.])(\d{1,2}\.\d{3,8})\s*[,; ]\s*(\d{2,3}\.\d{3,8})(?![\d.])")
_NUMBER = re.compile(r"\d[\d-]{3,10}\d")


def hold_for(session: Session, submission: Submission, content: Content) -> list[str]:
    """Place the holds of a received report and return their ids; asking again places nothing more."""
    received = submission.received_at or now()
    complaint = changes.in_force(session).complaint
    span = read_when(content.when, received) or (received - timedelta(days=complaint.unknown_days), received)
    starts_at, ends_at = span
    spot = read_where(content.where)
    lat, lon = spot or (None, None)
    targets = [
        Target(starts_at=starts_at, ends_at=ends_at, lat=lat, lon=lon, radius_m=PLACE_M if spot else None),
        *(Target(officer_id=one, starts_at=starts_at, ends_at=ends_at) for one in _officers(session, content.unit)),
    ]
    placed = [holds.place_for_complaint(session, target, submission_id=submission.id).id for target in targets]
    follow(session, submission)
    return placed


def hold_file(session: Session, submission: Submission, recording_id: str) -> None:
    """Hold a file that a citizen sent, as long as his report is held."""
    holds.place_for_complaint(session, Target(recording_id=recording_id), submission_id=submission.id)
    follow(session, submission)


def follow(session: Session, submission: Submission) -> None:
    """Give a closed report's holds their end, and take it away when the report is open again."""
    complaint = changes.in_force(session).complaint
    days = {
        SubmissionState.ANSWERED.value: complaint.answered_days,
        SubmissionState.DECLINED.value: complaint.declined_days,
    }.get(submission.state)
    believed = clockwatch.lock(session).high
    since = max(now(), believed) if believed else now()  # a clock that went back must not end a hold early
    holds.limit_complaint(session, submission.id, since + timedelta(days=days) if days else None)


def read_when(text: str, received_at: datetime) -> tuple[datetime, datetime] | None:
    """Return the span (UTC) that a citizen's words of the time leave open: whole days and half a day around, or None."""
    plain = fold(text)
    today = local(received_at).date()
    days = [day for day in _days(plain, today) if today - _FAR_BACK <= day <= today]
    if not days:
        return None
    start = datetime.combine(min(days), time(), VIETNAM) - _AROUND
    end = datetime.combine(max(days) + timedelta(days=1), time(), VIETNAM) + _AROUND
    return start.astimezone(UTC), end.astimezone(UTC)


def read_where(text: str) -> tuple[float, float] | None:
    """Return the coordinates (WGS 84 degrees) that a text names, if any that can lie in Vietnam."""
    found = _COORDINATES.search(text)
    if found is None:
        return None
    lat, lon = float(found[1]), float(found[2])
    return (lat, lon) if 6 <= lat <= 24 and 101 <= lon <= 118 else None  # noqa: PLR2004  with the islands


def _days(plain: str, today: date) -> list[date]:
    found = [today - timedelta(days=ago) for words, ago in _RELATIVE.items() if words in plain]
    found += [day for year, month, d in _ISO.findall(plain) if (day := _day(year, month, d, today))]
    for d, month, year in [*_NUMERIC.findall(_ISO.sub(" ", plain)), *_WORDS.findall(plain)]:
        if day := _day(year, month, d, today):
            found.append(day)
    return found


def _day(year: str, month: str, day: str, today: date) -> date | None:
    """Return a day; without a year the last one that has been, with two digits one of this century."""
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))  # noqa: PLR2004  two digits
        this = date(today.year, int(month), int(day))
        return this if this <= today else date(today.year - 1, int(month), int(day))
    except ValueError:
        return None


def _officers(session: Session, text: str) -> list[str]:
    """Return the officers whose number a text names, in whichever force."""
    numbers = {compact_number(found) for found in _NUMBER.findall(text)}
    if not numbers:
        return []
    query = select(Officer.id, Officer.number).order_by(Officer.id)
    return [row_id for row_id, number in session.execute(query) if compact_number(number) in numbers][:_MOST_OFFICERS]

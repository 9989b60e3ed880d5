"""What an officer says of his recordings at the end of a shift: the number of their minute, that there is none, or later.

Only a quarter of stops have a minute (biên bản), so none is as good an answer as a number. Each answer that changes something is
an event of the recording; the number enters the log as a commitment. A number also proposes the recording for the case that bears
it, whenever that case is made. Only the officer who recorded answers, and only for what a camera of the unit recorded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases import matching
from bodycam.cases.errors import IdentifierError
from bodycam.cases.identifiers import Identifier, IdentifierType, parse
from bodycam.cases.models import CaseIdentifier, MinuteChoice, RecordingMinute
from bodycam.clock import now
from bodycam.errors import NotFoundError
from bodycam.jobs import service as jobs
from bodycam.recordings.models import Origin, Recording

MOST = 2_000
FEW = 12  # matched at once: whoever answers waits for it, and so does every other writer of an embedded database
_UNDONE = "undone"
_PART = 400  # bound variables of one statement


@dataclass(frozen=True)
class Answer:
    """An officer's answer; `number` as typed with `MinuteChoice.NUMBER`, `due_at` (UTC) with `MinuteChoice.LATER`."""

    choice: MinuteChoice
    number: str = ""
    due_at: datetime | None = None


def choose(
    session: Session, recording_ids: Sequence[str], answer: Answer, *, officer_id: str, station_id: str | None = None
) -> list[Recording]:
    """Note one answer for several of an officer's recordings and return those for which it changed something.

    Raises:
        IdentifierError: the number can't be one.
        NotFoundError: a recording isn't this officer's, or isn't there.
    """
    number = _number(answer.number) if answer.choice is MinuteChoice.NUMBER else None
    recordings = _own(session, recording_ids, officer_id)
    known = minutes_of(session, [recording.id for recording in recordings])
    changed, moment = [], now()  # one moment for all: an answer is taken back as it was given
    numbers = {number.compact} if number else set()
    for recording in recordings:
        row = known.get(recording.id)
        if row is not None and (row.choice, row.compact) == (answer.choice, number.compact if number else None):
            continue
        if row is None:
            row = RecordingMinute(recording_id=recording.id, due_at=None)
            session.add(row)
        numbers |= {row.compact} if row.compact else set()
        row.choice, row.officer_id, row.station_id = answer.choice.value, officer_id, station_id
        row.number, row.compact = (number.raw, number.compact) if number else (None, None)
        row.chosen_at = moment
        if answer.choice is MinuteChoice.LATER:
            row.due_at = row.due_at or answer.due_at  # putting off twice wins no time
        _told(session, recording.id, answer.choice.value, officer_id, station_id, number)
        changed.append(recording)
    session.flush()
    _match(session, changed, numbers)
    return changed


def take_back(
    session: Session, recording_ids: Sequence[str], *, officer_id: str, station_id: str | None = None
) -> list[RecordingMinute]:
    """Take back the answers for several of an officer's recordings and return those that were put off before, as they were.

    What was put off before it was answered is put off again, until the same time; other recordings are unanswered again.
    """
    recordings = _own(session, recording_ids, officer_id)
    known = minutes_of(session, [recording.id for recording in recordings])
    numbers = {row.compact for row in known.values() if row.compact}
    again = []
    for recording_id, row in known.items():
        if row.choice != MinuteChoice.LATER and row.due_at is not None:
            row.choice, row.number, row.compact = MinuteChoice.LATER.value, None, None
            again.append(row)
        else:
            session.delete(row)
        _told(session, recording_id, _UNDONE, officer_id, station_id, None)
    session.flush()
    _match(session, [recording for recording in recordings if recording.id in known], numbers)
    return again


def minutes_of(session: Session, recording_ids: Sequence[str]) -> Mapping[str, RecordingMinute]:
    """Return what was answered, by recording id; recordings without an answer are left out."""
    found: dict[str, RecordingMinute] = {}
    for start in range(0, len(recording_ids), _PART):
        query = select(RecordingMinute).where(RecordingMinute.recording_id.in_(recording_ids[start : start + _PART]))
        found |= {row.recording_id: row for row in session.scalars(query)}
    return found


def last_number(session: Session, officer_id: str) -> str:
    """Return the last minute's number an officer typed, or "": the next one is likely to be written alike."""
    query = select(RecordingMinute.number).where(
        RecordingMinute.officer_id == officer_id, RecordingMinute.choice == MinuteChoice.NUMBER
    )
    return session.scalar(query.order_by(RecordingMinute.chosen_at.desc()).limit(1)) or ""


def _match(session: Session, recordings: Sequence[Recording], numbers: Collection[str]) -> None:
    """Match recordings whose number changed, if any case bears the old number or the new one; many of them in jobs."""
    bearing = select(CaseIdentifier.id).where(CaseIdentifier.compact.in_(numbers))
    if not numbers or session.scalar(bearing.limit(1)) is None:
        return
    for recording in recordings:
        if len(recordings) <= FEW:
            matching.match_recording(session, recording.id)
        else:
            jobs.enqueue(session, "recording.match", {"recording_id": recording.id})


def _number(text: str) -> Identifier:
    found = parse(IdentifierType.DOCUMENT, text)
    if not any(c.isdigit() for c in found.compact):
        raise IdentifierError(
            text=found.raw,
            reason_vi="số biên bản cần có chữ số, ví dụ 45/BB-VPHC",
            reason_en="a minute's number has digits, such as 45/BB-VPHC",
        )
    return found


def _own(session: Session, recording_ids: Sequence[str], officer_id: str) -> list[Recording]:
    wanted = list(dict.fromkeys(recording_ids))
    if not wanted or len(wanted) > MOST:
        raise NotFoundError(what="recording")
    found: list[Recording] = []
    for start in range(0, len(wanted), _PART):
        query = select(Recording).where(
            Recording.id.in_(wanted[start : start + _PART]),
            Recording.officer_id == officer_id,
            Recording.origin != Origin.CITIZEN,
        )
        found += session.scalars(query.order_by(Recording.id))
    if len(found) != len(wanted):
        raise NotFoundError(what="recording")
    return found


def _told(
    session: Session, recording_id: str, choice: str, officer_id: str, station_id: str | None, number: Identifier | None
) -> None:
    custody.record(
        session,
        "recording.minute_chosen",
        object_id=recording_id,
        actor=officer_id,
        details={"choice": choice, "station": station_id},
        private={"number": number.raw} if number else None,
    )

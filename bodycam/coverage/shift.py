"""An officer's shift as he ends it: what came in since his last end of shift, by stop, with what he answered for each.

Files of one camera that follow each other without a gap are one stop: a camera that cuts every five minutes would make a hundred
lines otherwise. What was put off at an earlier end of shift comes along until it is answered. A recording that arrives after the
end of a shift belongs to the next one's list, so nothing falls between two.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from bodycam.cases.minutes import Answer, choose, minutes_of, take_back
from bodycam.cases.models import MinuteChoice, RecordingMinute
from bodycam.clock import now
from bodycam.coverage.models import Debt, DebtKind, ShiftEnd
from bodycam.coverage.service import close_debt, open_debt
from bodycam.custody.models import Receipt
from bodycam.fleet.models import Camera, CameraIssue
from bodycam.recordings.models import Kind, Origin, Recording

FIRST_SHIFT = timedelta(hours=36)  # how far back an officer's first end of shift looks
SEAM = timedelta(seconds=10)  # between two files of one recording; a person needs longer to stop and start again
MINUTE_TIME = timedelta(hours=24)
"""Until a number put off is due when its caller names no deadline (as `coverage.minute_hours` ships)."""

OVERLAP = timedelta(hours=1)  # a sealing that was under way at the last end of shift, and committed after it
MOST = 2_000
UNDONE = "undone"
_TICK = timedelta(microseconds=1)
_PART = 400  # bound variables of one statement
_WATCHED = (Kind.VIDEO, Kind.AUDIO, Kind.IMAGE)


@dataclass(frozen=True)
class Stop:
    """Recordings that follow each other without a gap, answered alike; `receipts` counts those that have theirs."""

    recordings: tuple[Recording, ...]
    camera: Camera | None
    minute: RecordingMinute | None
    receipts: int

    @property
    def ids(self) -> tuple[str, ...]:
        """The recordings' ids, by time."""
        return tuple(recording.id for recording in self.recordings)

    @property
    def starts_at(self) -> datetime:
        """When it began, or was sealed as long as its beginning isn't known."""
        return self.recordings[0].shown_at

    @property
    def is_read(self) -> bool:
        """Whether the beginning is what was recorded, not when it was sealed."""
        return self.recordings[0].started_at is not None

    @property
    def seconds(self) -> float | None:
        """How long it is together, None while a part isn't read."""
        lengths = [recording.duration_s for recording in self.recordings]
        return None if None in lengths else sum(length or 0.0 for length in lengths)

    @property
    def size(self) -> int:
        """Its bytes together."""
        return sum(recording.size for recording in self.recordings)

    @property
    def is_event(self) -> bool:
        """Whether a part was marked on the camera."""
        return any(recording.event_flag for recording in self.recordings)

    @property
    def place(self) -> str:
        """Where it was, as far as a part says."""
        return next((recording.place for recording in self.recordings if recording.place), "")

    @property
    def is_sealed(self) -> bool:
        """Whether every part has its receipt."""
        return self.receipts == len(self.recordings)


@dataclass(frozen=True)
class Shift:
    """What an officer has to look at: the stops since `since` (UTC), and what he put off before."""

    since: datetime
    stops: Sequence[Stop]
    put_off: Sequence[Stop]

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The recordings nothing was said of."""
        return tuple(id_ for stop in self.stops if stop.minute is None for id_ in stop.ids)


def shift_of(session: Session, officer_id: str, *, apart: Sequence[str] = ()) -> Shift:
    """Return an officer's shift up to now, by time, at most 2,000 recordings.

    `apart` names, by its first recording, what is shown file by file instead of as one stop.
    """
    since = last_end(session, officer_id) or now() - FIRST_SHIFT
    later = select(RecordingMinute.recording_id).where(
        RecordingMinute.officer_id == officer_id, RecordingMinute.choice == MinuteChoice.LATER
    )
    missed = and_(Recording.sealed_at > since - OVERLAP, Recording.id.not_in(select(RecordingMinute.recording_id)))
    fresh = or_(Recording.sealed_at > since, missed)
    query = _own(officer_id).where(or_(fresh, Recording.id.in_(later)))
    recordings = list(session.scalars(query.order_by(Recording.shown_at, Recording.id).limit(MOST)))
    minutes = minutes_of(session, [recording.id for recording in recordings])
    fresh_ids = {r.id for r in recordings if r.sealed_at > since or r.id not in minutes}
    groups = _groups(recordings, minutes, frozenset(apart), fresh_ids)
    stops = _stops(session, groups, minutes)
    return Shift(
        since,
        [stop for stop in stops if stop.ids[0] in fresh_ids],
        [stop for stop in stops if stop.ids[0] not in fresh_ids],
    )


def last_end(session: Session, officer_id: str) -> datetime | None:
    """Return when an officer last ended a shift (UTC)."""
    query = select(ShiftEnd.ended_at).where(ShiftEnd.officer_id == officer_id)
    return session.scalar(query.order_by(ShiftEnd.ended_at.desc()).limit(1))


def cameras_of(session: Session, officer_id: str, since: datetime) -> list[Camera]:
    """Return the cameras an officer held at any time since a moment (UTC), in order of their names."""
    held = select(CameraIssue.camera_id).where(
        CameraIssue.officer_id == officer_id, or_(CameraIssue.ends_at.is_(None), CameraIssue.ends_at > since)
    )
    query = select(Camera).where(Camera.id.in_(held)).order_by(Camera.label, Camera.serial, Camera.id)
    return list(session.scalars(query.limit(50)))


def answer(
    session: Session, recording_ids: Sequence[str], said: Answer, *, officer_id: str, station_id: str | None
) -> int:
    """Note an officer's answer for his recordings and return how many it changed.

    What is put off at once is one debt, open until the last of its recordings is answered. Raises what `cases.minutes.choose` does.
    """
    if said.choice is MinuteChoice.LATER:
        said = Answer(said.choice, due_at=said.due_at or now() + MINUTE_TIME)
    changed = choose(session, recording_ids, said, officer_id=officer_id, station_id=station_id)
    if said.choice is MinuteChoice.LATER:
        rows = minutes_of(session, [recording.id for recording in changed])
        first = {rows[recording.id].due_at: recording for recording in reversed(changed)}
        for due_at, recording in first.items():
            if due_at is not None:
                _owe(session, recording, officer_id, due_at)
    elif changed:
        _settle(session, officer_id, said.choice.value)
    return len(changed)


def undo(session: Session, *, officer_id: str, station_id: str | None, since: datetime) -> int:
    """Take an officer's last answer back, if he gave it after `since` (UTC); returns for how many recordings it was.

    What it had settled is owed again until the same deadline; other recordings are unanswered again.
    """
    last = select(func.max(RecordingMinute.chosen_at)).where(RecordingMinute.officer_id == officer_id)
    moment = session.scalar(last)
    if moment is None or moment < since:
        return 0
    given = select(RecordingMinute.recording_id).where(
        RecordingMinute.officer_id == officer_id, RecordingMinute.chosen_at == moment
    )
    given = given.where(
        or_(RecordingMinute.choice != MinuteChoice.LATER, RecordingMinute.due_at.not_in(_old(officer_id, since)))
    )
    ids = list(session.scalars(given.order_by(RecordingMinute.recording_id).limit(MOST)))
    if not ids:
        return 0
    again = take_back(session, ids, officer_id=officer_id, station_id=station_id)
    for row in again:
        if row.due_at is not None:
            debt = _owe(session, session.get_one(Recording, row.recording_id), officer_id, row.due_at)
            row.chosen_at = min(debt.opened_at, since - _TICK)  # it stands as it stood: nothing more to take back
    _settle(session, officer_id, UNDONE)
    return len(ids)


def can_undo(session: Session, officer_id: str, since: datetime) -> bool:
    """Whether an officer gave an answer after a moment (UTC) that `undo` would take back."""
    given = select(RecordingMinute.recording_id).where(
        RecordingMinute.officer_id == officer_id,
        RecordingMinute.chosen_at >= since,
        or_(RecordingMinute.choice != MinuteChoice.LATER, RecordingMinute.due_at.not_in(_old(officer_id, since))),
    )
    return session.scalar(given.limit(1)) is not None


def _owe(session: Session, recording: Recording, officer_id: str, due_at: datetime) -> Debt:
    """Return the open debt of what an officer put off until a moment (UTC), opening it when there is none."""
    known = session.scalar(_put_off(officer_id).where(Debt.due_at == due_at).limit(1))
    if known is not None:
        return known
    debt = Debt(
        kind=DebtKind.MINUTE.value,
        officer_id=officer_id,
        unit_id=recording.unit_id,
        camera_id=recording.camera_id,
        recording_id=recording.id,
        reason="",
        due_at=due_at,
    )
    return open_debt(session, debt, actor=officer_id)


def _settle(session: Session, officer_id: str, closed_by: str) -> None:
    """End the debts of which nothing is put off any more."""
    for debt in list(session.scalars(_put_off(officer_id).order_by(Debt.id).limit(MOST))):
        left = select(RecordingMinute.recording_id).where(
            RecordingMinute.officer_id == officer_id,
            RecordingMinute.due_at == debt.due_at,
            RecordingMinute.choice == MinuteChoice.LATER,
        )
        if session.scalar(left.limit(1)) is None:
            close_debt(session, debt, closed_by=closed_by, actor=officer_id)


def _old(officer_id: str, since: datetime) -> Select[datetime]:
    """Return until when that was put off which was put off before a moment (UTC)."""
    return select(Debt.due_at).where(
        Debt.officer_id == officer_id, Debt.kind == DebtKind.MINUTE, Debt.opened_at < since
    )


def _put_off(officer_id: str) -> Select[Debt]:
    return select(Debt).where(Debt.officer_id == officer_id, Debt.kind == DebtKind.MINUTE, Debt.closed_at.is_(None))


def _own(officer_id: str) -> Select[Recording]:
    return select(Recording).where(
        Recording.officer_id == officer_id,
        Recording.origin != Origin.CITIZEN,
        Recording.kind.in_(_WATCHED),
        Recording.parent_id.is_(None),
    )


def _groups(
    recordings: Sequence[Recording],
    minutes: Mapping[str, RecordingMinute],
    apart: frozenset[str],
    fresh: Collection[str],
) -> list[list[Recording]]:
    groups: list[list[Recording]] = []
    last: dict[str | None, tuple[str, list[Recording]]] = {}  # by camera: two cameras' files may lie between each other
    for recording in recordings:
        first, group = last.get(recording.camera_id, ("", []))
        goes_on = bool(group) and _goes_on(group[-1], recording)
        goes_on = goes_on and (group[-1].id in fresh) == (recording.id in fresh)
        first = first if goes_on else recording.id
        if goes_on and first not in apart and _alike(minutes.get(group[-1].id), minutes.get(recording.id)):
            group.append(recording)
        else:
            group = [recording]
            groups.append(group)
        last[recording.camera_id] = first, group
    return groups


def _goes_on(before: Recording, after: Recording) -> bool:
    """Whether a file goes on where the one before ended."""
    if before.ended_at is None or after.started_at is None or before.kind != after.kind:
        return False
    return abs(after.started_at - before.ended_at) <= SEAM


def _alike(one: RecordingMinute | None, other: RecordingMinute | None) -> bool:
    return (one.choice, one.compact) == (other.choice, other.compact) if one and other else one is other


def _stops(
    session: Session, groups: Sequence[Sequence[Recording]], minutes: Mapping[str, RecordingMinute]
) -> list[Stop]:
    receipts = _receipts(session, [recording.sealed_event_id for group in groups for recording in group])
    cameras = {camera_id: session.get(Camera, camera_id) for camera_id in {g[0].camera_id for g in groups} if camera_id}
    return [
        Stop(
            tuple(group),
            cameras.get(group[0].camera_id or ""),
            minutes.get(group[0].id),
            sum(recording.sealed_event_id in receipts for recording in group),
        )
        for group in groups
    ]


def _receipts(session: Session, event_ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(event_ids), _PART):
        query = select(Receipt.event_id).where(Receipt.event_id.in_(event_ids[start : start + _PART]))
        found.update(session.scalars(query))
    return found

"""Which recordings belong to which case: proposed by officer, time, place and plate, decided by a person.

Scores add up evidence and stay within 0..1; each reason says its number in both languages. Time alone proposes nothing: the
same officer, a near place or the plate must join it. A minute's number that the officer gave his recording is enough by itself
for the case of that number in his unit and year: numbers start again each year, and every unit has its own. Matching is idempotent and works from either side; it renews or takes
back its own proposals and never touches what a person decided. A citizen's recording is never proposed or attached here:
a complaint must not show to the one complained of.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases.identifiers import IdentifierType
from bodycam.cases.kinds import CaseKind, kind_of
from bodycam.cases.models import (
    NUMBER,
    Case,
    CaseIdentifier,
    CaseOfficer,
    CaseRecording,
    CaseState,
    LinkState,
    RecordingMinute,
)
from bodycam.clock import VIETNAM
from bodycam.db import new_id
from bodycam.geo.geodesy import leg
from bodycam.people.models import Unit
from bodycam.recordings.models import Kind, Origin, Recording, RecordingPlate, Track

LEAST = 0.35
LONGEST_RECORDING = timedelta(hours=12)
LONGEST_MARGIN = timedelta(hours=24)
MOST_CANDIDATES = 5_000
MOST_NUMBERED = 500  # recordings of one number in a year, over all units
FAR_M = 2_000.0
STRENGTHS = ((0.8, "Rất khớp", "Very strong"), (0.55, "Khớp", "Strong"), (0.0, "Có thể", "Possible"))
_WATCHED = (Kind.VIDEO, Kind.AUDIO, Kind.IMAGE)


@dataclass(frozen=True)
class Reason:
    """One piece of evidence: its code, its weight (negative speaks against), and its words."""

    code: str
    weight: float
    vi: str
    en: str


@dataclass(frozen=True)
class Match:
    """How well a recording fits a case."""

    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class CaseView:
    """What is compared of a case, read once."""

    case: Case
    rules: CaseKind
    force: str
    officers: frozenset[str]
    plates: dict[str, str]
    minutes: Mapping[str, str]  # by recording: the number of this case that its officer gave it, as typed


def strength(score: float, language: str) -> str:
    """Return the strength of a match in words."""
    vi, en = next((vi, en) for least, vi, en in STRENGTHS if score >= least)
    return vi if language == "vi" else en


def match_case(session: Session, case_id: str) -> int:
    """Propose every recording that fits a case and return how many proposals stand; a closed case gets none."""
    case = session.get_one(Case, case_id)
    if case.state != CaseState.OPEN:
        return 0
    view = _view(session, case)
    start, end = case.starts_at - view.rules.margin, case.ends_at + view.rules.margin
    in_time = and_(
        Recording.shown_at >= start - LONGEST_RECORDING,
        Recording.shown_at <= end,
        or_(Recording.ended_at.is_(None), Recording.ended_at >= start),
        or_(
            Recording.unit_id.in_(select(Unit.id).where(Unit.force == view.force)),
            Recording.officer_id.in_(view.officers),
        ),
    )
    query = (
        select(Recording)
        .where(
            or_(in_time, Recording.id.in_(list(view.minutes)[:MOST_NUMBERED])),
            Recording.started_at.is_not(None),
            Recording.origin != Origin.CITIZEN,
            Recording.kind.in_(_WATCHED),
        )
        .order_by(Recording.shown_at, Recording.id)
        .limit(MOST_CANDIDATES)
    )
    links = {
        link.recording_id: link
        for link in session.scalars(select(CaseRecording).where(CaseRecording.case_id == case_id))
    }
    standing = 0
    for recording in session.scalars(query):
        standing += _propose(session, view, recording, links.pop(recording.id, None))
    for link in links.values():  # no longer in reach
        _take_back(session, link)
    session.flush()
    return standing


def match_recording(session: Session, recording_id: str) -> int:
    """Propose a recording to every open case it fits and return how many proposals stand."""
    recording = session.get_one(Recording, recording_id)
    if recording.started_at is None or recording.origin == Origin.CITIZEN or recording.kind not in _WATCHED:
        return 0
    unit = session.get(Unit, recording.unit_id) if recording.unit_id else None
    of_officer = select(CaseOfficer.case_id).where(CaseOfficer.officer_id == recording.officer_id)
    in_time = and_(
        Case.ends_at >= recording.started_at - LONGEST_MARGIN,
        Case.starts_at <= (recording.ended_at or recording.started_at) + LONGEST_MARGIN,
        or_(
            Case.unit_id.in_(select(Unit.id).where(Unit.force == (unit.force if unit else ""))),
            Case.id.in_(of_officer),
        ),
    )
    given = select(RecordingMinute.compact).where(RecordingMinute.recording_id == recording_id)
    numbered = select(CaseIdentifier.case_id).where(CaseIdentifier.compact.in_(given))
    query = (
        select(Case)
        .where(Case.state == CaseState.OPEN, or_(in_time, Case.id.in_(numbered)))
        .order_by(Case.starts_at, Case.id)
        .limit(MOST_CANDIDATES)
    )
    links = {
        link.case_id: link
        for link in session.scalars(select(CaseRecording).where(CaseRecording.recording_id == recording_id))
    }
    standing = 0
    for case in session.scalars(query):
        standing += _propose(session, _view(session, case), recording, links.pop(case.id, None))
    for link in links.values():
        _take_back(session, link)
    session.flush()
    return standing


def score(
    view: CaseView,
    recording: Recording,
    *,
    plates: Sequence[RecordingPlate],
    distance_m: float | None,
    minute: str | None = None,
) -> Match | None:
    """Compare one recording with one case; None when nothing but the time speaks for it, or not even that.

    `minute` is the number of the case's own minute when the officer gave it to this recording: then no time is asked for.
    """
    when = _time_reason(view, recording)
    if when is None and minute is None:
        return None
    others: list[Reason] = [when] if when is not None else []
    if minute is not None:
        others.append(
            Reason("minute", 0.80, f"cán bộ ghi số biên bản {minute}", f"the officer noted minute number {minute}")
        )
    if recording.officer_id is not None and recording.officer_id in view.officers:
        others.append(Reason("officer", 0.45, "cùng cán bộ", "same officer"))
    plate = next((plate for plate in plates if plate.compact in view.plates), None)
    if plate is not None:
        typed = view.plates[plate.compact]
        others.append(Reason("plate", 0.45, f"có ghi biển số {typed}", f"plate {typed} noted"))
    near = _place_reason(distance_m, view.case.radius_m or view.rules.radius_m)
    if near is not None:
        others.append(near)
    if not any(reason.weight > 0 for reason in others if reason is not when):
        return None
    reasons = sorted(others, key=lambda reason: -reason.weight)
    total = min(max(sum(reason.weight for reason in reasons), 0.0), 1.0)
    return Match(round(total, 2), tuple(reasons)) if total >= LEAST else None


def _time_reason(view: CaseView, recording: Recording) -> Reason | None:
    if recording.started_at is None:
        return None
    start, end = recording.started_at, recording.ended_at or recording.started_at
    overlap = min(end, view.case.ends_at) - max(start, view.case.starts_at)
    seconds = overlap.total_seconds()
    if seconds < 0:
        gap = -seconds
        if gap > view.rules.margin.total_seconds():
            return None
        vi, en = ("trước", "before") if end < view.case.starts_at else ("sau", "after")
        return Reason("near_time", 0.10, f"{vi} vụ việc {_minutes(gap)} phút", f"{_minutes(gap)} min {en} the case")
    shorter = min(end - start, view.case.ends_at - view.case.starts_at).total_seconds()
    share = seconds / shorter if shorter > 0 else 1.0
    text = f"{_minutes(seconds)}"
    return Reason("overlap", 0.25 + 0.10 * share, f"trùng {text} phút", f"{text} min in common")


def _place_reason(distance_m: float | None, radius_m: float) -> Reason | None:
    if distance_m is None:
        return None
    vi, en = f"cách {_metres(distance_m)}", f"{_metres(distance_m)} away"
    if distance_m <= radius_m:
        return Reason("place", 0.25, vi, en)
    if distance_m <= 3 * radius_m:
        return Reason("near_place", 0.10, vi, en)
    return Reason("far", -0.25, vi, en) if distance_m > FAR_M else None


def distance_to(session: Session, case: Case, recording: Recording) -> float | None:
    """Return the metres between a case's place and the nearest position of a recording, None when either has none."""
    if case.lat is None or case.lon is None:
        return None
    positions = _positions(session.get(Track, recording.id))
    if not positions and recording.lat is not None and recording.lon is not None:
        positions = [(recording.lat, recording.lon)]
    return min((leg(case.lat, case.lon, lat, lon).metres for lat, lon in positions), default=None)


def _positions(track: Track | None) -> list[tuple[float, float]]:
    points = json.loads(track.points) if track is not None else []
    return [(float(point[2]), float(point[3])) for point in points]


def _view(session: Session, case: Case) -> CaseView:
    rules = kind_of(case.kind)
    officers = select(CaseOfficer.officer_id).where(CaseOfficer.case_id == case.id)
    keys = rules.identifier_keys(IdentifierType.PLATE)
    documents = rules.identifier_keys(IdentifierType.DOCUMENT) | {NUMBER}
    rows = list(
        session.scalars(select(CaseIdentifier).where(CaseIdentifier.case_id == case.id).order_by(CaseIdentifier.id))
    )
    return CaseView(
        case=case,
        rules=rules,
        force=session.get_one(Unit, case.unit_id).force,
        officers=frozenset(session.scalars(officers)),
        plates={row.compact: row.raw for row in rows if row.kind in keys},
        minutes=_numbered(session, case, [row.compact for row in rows if row.kind in documents]),
    )


def _numbered(session: Session, case: Case, compacts: Sequence[str]) -> dict[str, str]:
    """Return the recordings of the case's year whose officers gave them one of these numbers, as they typed it."""
    start = datetime(case.year, 1, 1, tzinfo=VIETNAM)
    query = (
        select(RecordingMinute.recording_id, RecordingMinute.number)
        .join(Recording, Recording.id == RecordingMinute.recording_id)
        .where(
            RecordingMinute.compact.in_(compacts),
            Recording.started_at >= start,
            Recording.started_at < datetime(case.year + 1, 1, 1, tzinfo=VIETNAM),
        )
        .order_by(RecordingMinute.recording_id)
        .limit(MOST_NUMBERED)
    )
    return {recording_id: number or "" for recording_id, number in session.execute(query)} if compacts else {}


def _propose(session: Session, view: CaseView, recording: Recording, link: CaseRecording | None) -> bool:
    """Renew, make or take back one proposal; returns whether one stands."""
    found = score(
        view,
        recording,
        plates=recording.plates,
        distance_m=distance_to(session, view.case, recording),
        minute=_minute_of(session, view, recording),
    )
    if link is not None and link.state != LinkState.PROPOSED:
        return False
    if found is None:
        _take_back(session, link)
        return False
    told = [{"code": r.code, "weight": r.weight, "vi": r.vi, "en": r.en} for r in found.reasons]
    reasons = json.dumps(told, ensure_ascii=False)
    if link is not None:
        link.score, link.reasons = found.score, reasons
        return True
    row = CaseRecording(
        id=new_id(),
        case_id=view.case.id,
        recording_id=recording.id,
        state=LinkState.PROPOSED.value,
        score=found.score,
        reasons=reasons,
    )
    with suppress(IntegrityError), session.begin_nested():  # the same pair, matched from the other side at this moment
        session.add(row)
        custody.record(
            session,
            "recording.proposed",
            object_id=recording.id,
            actor="system",
            case_id=view.case.id,
            details={"score_percent": round(found.score * 100), "reasons": [r.code for r in found.reasons]},
        )
    return True


def _minute_of(session: Session, view: CaseView, recording: Recording) -> str | None:
    """Return the number the officer gave the recording when it is this case's: of its unit, or of its officers."""
    number = view.minutes.get(recording.id)
    if number is None:
        return None
    return number if recording.officer_id in view.officers or _is_same_line(session, view, recording) else None


def _is_same_line(session: Session, view: CaseView, recording: Recording) -> bool:
    """Whether the recording's unit is the case's, or stands above or below it."""
    ours = session.get(Unit, recording.unit_id) if recording.unit_id else None
    theirs = session.get_one(Unit, view.case.unit_id)
    return ours is not None and (ours.path.startswith(theirs.path) or theirs.path.startswith(ours.path))


def _take_back(session: Session, link: CaseRecording | None) -> None:
    if link is not None and link.state == LinkState.PROPOSED:
        session.delete(link)


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


def _metres(distance: float) -> str:
    return f"{round(distance, -1):.0f} m" if distance < 1000 else f"{distance / 1000:.1f} km"  # noqa: PLR2004  m, km

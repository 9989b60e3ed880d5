"""Recordings by everything a supervisor knows: when, who, which camera, which plate, which case, or any words.

Words are compared folded (lower case, no diacritics, đ as d), each as a part of what the recording is known by. A citizen's
recording is left out unless the asker may read submissions: a complaint never shows to the one complained of. A case the asker
may not see leads to nothing: else a search for its words would tell that it is there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from bodycam.cases.identifiers import compact, search_forms
from bodycam.cases.models import Case, CaseIdentifier, CaseRecording, LinkState, RecordingMinute
from bodycam.cases.queries import visible
from bodycam.db import fold
from bodycam.errors import InvalidInputError
from bodycam.fleet.models import Camera
from bodycam.people.models import Officer, Unit
from bodycam.people.scope import NOTHING, Scope
from bodycam.recordings.models import Kind, Origin, Recording, RecordingPlate, State

MOST = 200
_SHORTEST_IDENTIFIER = 4  # characters: shorter ones begin too many
_MOST_WORDS = 20  # each is a condition of its own; a database takes only so many
_LINKED = [LinkState.PROPOSED, LinkState.ATTACHED]


@dataclass(frozen=True)
class RecordingFilter:
    """What to look for; an empty field asks nothing. Times are aware; texts are as typed."""

    since: datetime | None = None
    until: datetime | None = None
    unit_id: str | None = None  # the unit and all below it
    officer: str = ""
    camera: str = ""
    plate: str = ""
    case: str = ""  # an id, or part of a number, title or identifier; or a minute's number noted by the officer
    text: str = ""
    verdict: str = ""
    citizens: bool = False  # also what citizens sent
    sidecars: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a listing, newest first; `after` asks for the next one, None when there is none."""

    recordings: Sequence[Recording]
    after: str | None


def find_recordings(
    session: Session,
    scope: Scope,
    wanted: RecordingFilter,
    *,
    cases: Scope = NOTHING,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Return a page of recordings inside the scope, newest first; only cases inside `cases` lead to theirs.

    Raises:
        InvalidInputError: `after` is not a cursor of this listing.
    """
    limit = max(1, min(limit, MOST))
    query = select(Recording).where(
        scope.condition(Recording.unit_id, Recording.officer_id), *_conditions(wanted, cases)
    )
    if after:
        moment, row_id = _cursor(after)
        query = query.where(tuple_(Recording.shown_at, Recording.id) < tuple_(moment, row_id))
    query = query.order_by(Recording.shown_at.desc(), Recording.id.desc()).limit(limit + 1)
    rows = list(session.scalars(query))
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, f"{rows[-1].shown_at.isoformat()}~{rows[-1].id}" if more else None)


def _conditions(wanted: RecordingFilter, cases: Scope) -> list[ColumnElement[bool]]:
    asked: list[tuple[object, Callable[[], ColumnElement[bool]]]] = [
        (True, lambda: Recording.state != State.DESTROYED),  # its own page still says what became of it
        (not wanted.citizens, lambda: Recording.origin != Origin.CITIZEN),
        (not wanted.sidecars, lambda: Recording.kind != Kind.SIDECAR),
        (wanted.since, lambda: Recording.shown_at >= wanted.since),
        (wanted.until, lambda: Recording.shown_at < wanted.until),
        (wanted.verdict, lambda: Recording.verdict == wanted.verdict),
        (wanted.unit_id, lambda: Recording.unit_id.in_(_units_below(wanted.unit_id or ""))),
        (wanted.officer.strip(), lambda: Recording.officer_id.in_(_officers(wanted.officer))),
        (wanted.camera.strip(), lambda: Recording.camera_id.in_(_cameras(wanted.camera.strip()))),
        (wanted.plate.strip(), lambda: _with_plate(compact(wanted.plate), cases)),
        (wanted.case.strip(), lambda: or_(*_of_number(wanted.case.strip(), cases))),
    ]
    found = [condition() for question, condition in asked if question]
    return [*found, _mentions(wanted.text, cases)] if wanted.text.strip() else found


def _units_below(unit_id: str) -> Select[str]:
    return select(Unit.id).where(Unit.path.contains(f"/{unit_id}/", autoescape=True))


def _officers(text: str) -> Select[str]:
    digits = compact(text)
    by_name = [Officer.folded.contains(word, autoescape=True) for word in _words(text)]
    number = or_(Officer.number == text.strip(), Officer.number == digits)
    matches = number
    if by_name:
        names = by_name[0]
        for condition in by_name[1:]:
            names &= condition
        matches = or_(number, names)
    return select(Officer.id).where(matches)


def _of_number(text: str, cases: Scope) -> list[ColumnElement[bool]]:
    """Belonging to a case of this number; or the officer himself noted this minute's number on it."""
    noted = [RecordingMinute.compact.startswith(form) for form in search_forms(text)]
    found: list[ColumnElement[bool]] = [Recording.id.in_(_of_case(text, cases))]
    return [*found, Recording.id.in_(select(RecordingMinute.recording_id).where(or_(*noted)))] if noted else found


def _of_case(text: str, scope: Scope) -> Select[str]:
    words = fold(text)
    forms = [CaseIdentifier.compact.startswith(form) for form in search_forms(text)]
    identifier = or_(*forms) if forms else CaseIdentifier.id.is_(None)
    cases = select(Case.id).where(or_(Case.id == text, Case.folded.contains(words, autoescape=True)))
    by_identifier = select(CaseIdentifier.case_id).where(identifier)
    return select(CaseRecording.recording_id).where(
        CaseRecording.state.in_(_LINKED),
        CaseRecording.case_id.in_(select(Case.id).where(visible(scope))),
        or_(CaseRecording.case_id.in_(cases), CaseRecording.case_id.in_(by_identifier)),
    )


def _mentions(text: str, cases: Scope) -> ColumnElement[bool]:
    """Known by every word; or the whole text is the beginning of a plate, a minute's number, or a case's identifier or title."""
    words = and_(*(Recording.folded.contains(word, autoescape=True) for word in _words(text)))
    identifier = compact(text)
    if len(identifier) < _SHORTEST_IDENTIFIER:
        return words
    return or_(words, _with_plate(identifier, cases), *_of_number(text.strip(), cases))


def _words(text: str) -> list[str]:
    return fold(text).split()[:_MOST_WORDS]


def _with_plate(prefix: str, cases: Scope) -> ColumnElement[bool]:
    """Noted on the recording, or an identifier of a case it's proposed for or attached to."""
    noted = select(RecordingPlate.recording_id).where(RecordingPlate.compact.startswith(prefix))
    of_case = (
        select(CaseRecording.recording_id)
        .join(CaseIdentifier, CaseIdentifier.case_id == CaseRecording.case_id)
        .where(
            CaseRecording.state.in_(_LINKED),
            CaseRecording.case_id.in_(select(Case.id).where(visible(cases))),
            CaseIdentifier.compact.startswith(prefix),
        )
    )
    return or_(Recording.id.in_(noted), Recording.id.in_(of_case))


def _cameras(text: str) -> Select[str]:
    part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    matches = or_(Camera.label.ilike(part, escape="\\"), Camera.serial.ilike(part, escape="\\"))
    return select(Camera.id).where(matches)


def _cursor(after: str) -> tuple[datetime, str]:
    moment, _, row_id = after.partition("~")
    try:
        parsed = datetime.fromisoformat(moment.replace(" ", "+"))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None or not row_id:
        raise InvalidInputError(
            field="after", reason="not a page of this list", reason_vi="không phải trang của danh sách này"
        )
    return parsed, row_id

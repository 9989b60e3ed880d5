"""How long one recording is kept: every rule it falls under, and the longest of them.

Computed per recording each time it is asked, from the catalogue, the cases and the log, never stored: a case that is opened or
closed, a minute that is noted, a schedule that is lengthened count at once. Time runs from the sealing as the log has it. What a
camera's clock says plays no part here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from bodycam.cases.models import Case, CaseRecording, CaseState, LinkState, MinuteChoice, RecordingMinute
from bodycam.custody.models import CustodyEvent
from bodycam.recordings.models import Origin, Recording
from bodycam.retention import clockwatch
from bodycam.retention.leaves import leaf_of
from bodycam.retention.schedule import Category, Rule, Schedule
from bodycam.wipes.models import WipeOrder


@dataclass(frozen=True)
class Term:
    """One rule applied to one recording; `due_at` is None while it can't be said: an open case, a clock in doubt."""

    rule: Rule
    since: datetime | None
    due_at: datetime | None


@dataclass(frozen=True)
class Keeping:
    """Why and until when a recording is kept, by the schedule alone: holds are another question."""

    terms: tuple[Term, ...]

    @property
    def longest(self) -> Term:
        """The term that decides: one without an end if there is any, else the last to end."""
        for term in self.terms:
            if term.due_at is None:
                return term
        return max(self.terms, key=lambda term: (term.due_at, term.rule.key))

    @property
    def due_at(self) -> datetime | None:
        """When the recording may be disposed of, None while no one can say."""
        return self.longest.due_at


@dataclass(frozen=True)
class _Facts:
    """What the rules ask about, read once for many recordings; keyed by the recording whose family it is."""

    sealed: Mapping[str, CustodyEvent]
    numbered: frozenset[str]
    papers: frozenset[str]
    cases: Mapping[str, Sequence[Case | None]]  # None: the log attached it to a case that is no longer there
    closings: Mapping[str, CustodyEvent]
    stretches: Sequence[clockwatch.Doubt]


def keeping_of(session: Session, recordings: Sequence[Recording], schedules: Sequence[Schedule]) -> dict[str, Keeping]:
    """Return how long each recording is kept; `schedules` are those that count (`changes.effective`).

    A sidecar is kept as long as the recording it belongs to: ask for that one (`root_of`).
    """
    facts = _facts(session, recordings)
    return {recording.id: Keeping(tuple(_terms(recording, facts, schedules))) for recording in recordings}


def root_of(session: Session, recording: Recording) -> Recording:
    """Return the recording that a sidecar belongs to, or the recording itself."""
    return session.get_one(Recording, recording.parent_id) if recording.parent_id else recording


def family_of(session: Session, root_ids: Sequence[str]) -> list[Recording]:
    """Return the sidecars of these recordings, by id."""
    query = select(Recording).where(Recording.parent_id.in_(root_ids)).order_by(Recording.id)
    return list(session.scalars(query))


def _terms(recording: Recording, facts: _Facts, schedules: Sequence[Schedule]) -> list[Term]:
    event = facts.sealed.get(recording.id)
    sealed = clockwatch.since(event, facts.stretches) if event is not None else None
    found = [
        Term(rule, sealed, rule.due(sealed) if sealed else None)
        for category in _categories(recording, facts)
        for rule in _rules(schedules, category, None)
    ]
    for case in facts.cases.get(recording.id, ()):
        closing = facts.closings.get(case.id) if case and case.state == CaseState.CLOSED else None
        closed = clockwatch.since(closing, facts.stretches) if closing is not None else None
        found += [
            Term(rule, closed, rule.due(closed) if closed else None)
            for rule in _rules(schedules, Category.CASE, case.kind if case else None)
        ]
    return found


def _categories(recording: Recording, facts: _Facts) -> list[Category]:
    if recording.id in facts.papers:
        return [Category.PAPER]
    found = [Category.CITIZEN if recording.origin == Origin.CITIZEN else Category.OFFICIAL]
    if recording.event_flag:
        found.append(Category.FLAGGED)
    if recording.id in facts.numbered:
        found.append(Category.MINUTE)
    return found


def _rules(schedules: Sequence[Schedule], category: Category, case_kind: str | None) -> list[Rule]:
    """Return the rules that count: all versions' ones, since the longest wins; a kind nobody knows is kept like the longest."""
    found = [rule for schedule in schedules for rule in schedule.rules_for(category, case_kind)]
    if found or category is not Category.CASE:
        return found
    return [rule for schedule in schedules for rule in schedule.rule if rule.category is Category.CASE]


def _facts(session: Session, recordings: Sequence[Recording]) -> _Facts:
    ids = [recording.id for recording in recordings]
    events = [recording.sealed_event_id for recording in recordings]
    family = {row.id: row.parent_id or row.id for row in family_of(session, ids)} | {row_id: row_id for row_id in ids}
    cases = _cases(session, family)
    case_ids = {case.id for found in cases.values() for case in found if case}
    closings = select(CustodyEvent).where(CustodyEvent.kind == "case.closed", CustodyEvent.object_id.in_(case_ids))
    numbered = select(RecordingMinute.recording_id).where(
        RecordingMinute.recording_id.in_(ids), RecordingMinute.choice == MinuteChoice.NUMBER
    )
    sealed = select(CustodyEvent).where(CustodyEvent.id.in_(events), CustodyEvent.kind == "recording.sealed")
    papers = select(WipeOrder.signed_recording_id).where(WipeOrder.signed_recording_id.in_(ids))
    return _Facts(
        sealed={event.object_id: event for event in session.scalars(sealed)},
        numbered=frozenset(session.scalars(numbered)),
        papers=frozenset(row_id for row_id in session.scalars(papers) if row_id),
        cases=cases,
        closings={event.object_id: event for event in session.scalars(closings.order_by(CustodyEvent.id))},
        stretches=clockwatch.doubts(session),
    )


def _cases(session: Session, family: Mapping[str, str]) -> dict[str, list[Case | None]]:
    """Return the cases that keep each recording: those it or a sidecar is attached to, and open ones that propose it.

    Attached is what the row says or the log says: a link that somebody took out of the table behind our back still keeps.
    """
    by_row = (
        select(CaseRecording.recording_id, Case)
        .join(Case, Case.id == CaseRecording.case_id)
        .where(
            CaseRecording.recording_id.in_(family),
            (CaseRecording.state == LinkState.ATTACHED)
            | and_(CaseRecording.state == LinkState.PROPOSED, Case.state == CaseState.OPEN),
        )
    )
    found: dict[str, dict[str, Case | None]] = defaultdict(dict)
    for recording_id, linked in session.execute(by_row.order_by(CaseRecording.id)):
        found[family[recording_id]][linked.id] = linked
    for recording_id, case_id in _attached_in_log(session, family):
        found[family[recording_id]][case_id] = session.get(Case, case_id)
    return {root: list(cases.values()) for root, cases in found.items()}


def _attached_in_log(session: Session, family: Mapping[str, str]) -> set[tuple[str, str]]:
    kinds = ("recording.attached", "recording.detached", "recording.rejected")
    query = select(CustodyEvent).where(CustodyEvent.object_id.in_(family), CustodyEvent.kind.in_(kinds))
    attached: set[tuple[str, str]] = set()
    for event in session.scalars(query.order_by(CustodyEvent.id)):
        pair = (event.object_id, str(leaf_of(event).get("case")))
        if event.kind == "recording.attached":
            attached.add(pair)
        else:
            attached.discard(pair)
    return attached

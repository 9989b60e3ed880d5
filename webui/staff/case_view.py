"""What the page of a case shows: its recordings with the reasons, and its fields in words.

A recording outside the person's own scope is left out, however well it matches.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam.cases import links
from bodycam.cases.kinds import CaseKind, FieldType
from bodycam.cases.models import Case, CaseRecording, LinkState
from bodycam.people.scope import Scope
from bodycam.recordings.models import Recording
from bodycam.search.described import Described, describe
from webui.common.locale import language, t
from webui.staff.reach import may_reach


@dataclass(frozen=True)
class Reason:
    """Why a recording fits, or speaks against it."""

    text: str
    against: bool


@dataclass(frozen=True)
class Belonging:
    """A recording of a case; `left` and `width` lay it over the case's time, in percent of it and a margin."""

    link: CaseRecording
    row: Described
    reasons: Sequence[Reason]
    may_view: bool
    left: float
    width: float


def belonging(session: Session, case: Case, listing: Scope, viewing: Scope) -> list[Belonging]:
    """Return a case's recordings inside the scope: attached first, then the best proposals."""
    found = links.recordings_of(session, case.id)
    rows = describe(session, [recording for _, recording in found])
    return [
        Belonging(link, row, _reasons(link), may_reach(viewing, row.recording, row.unit), *_laid(case, row))
        for (link, _), row in zip(found, rows, strict=True)
        if may_reach(listing, row.recording, row.unit)
    ]


def case_bar(case: Case) -> tuple[float, float]:
    """Return where the case's own time lies on the bar: left and width in percent."""
    margin = _margin(case)
    whole = _span(case) + 2 * margin
    return 100 * margin / whole, 100 * _span(case) / whole


def counts_of(session: Session, case_ids: Sequence[str], listing: Scope) -> dict[tuple[str, str], int]:
    """Return how many recordings inside a scope are attached to and proposed for each case, by (case id, state)."""
    query = (
        select(CaseRecording.case_id, CaseRecording.state, func.count())
        .join(Recording, Recording.id == CaseRecording.recording_id)
        .where(CaseRecording.case_id.in_(case_ids), listing.condition(Recording.unit_id, Recording.officer_id))
        .group_by(CaseRecording.case_id, CaseRecording.state)
        .order_by(CaseRecording.case_id)
        .limit(len(LinkState) * max(len(case_ids), 1))
    )
    return {(case_id, state): count for case_id, state, count in session.execute(query)}


def fields_of(case: Case, kind: CaseKind) -> list[tuple[str, str]]:
    """Return a case's fields as (label, words), in the order of its kind."""
    values: dict[str, str] = json.loads(case.fields)
    shown = []
    for entry in kind.fields:
        value = values.get(entry.key)
        if value is None:
            continue
        if entry.type is FieldType.CHOICE:
            value = next((choice.label(language()) for choice in entry.choices if choice.key == value), value)
        elif entry.type is FieldType.DATE:
            value = "/".join(reversed(value.split("-")))
        elif entry.type is FieldType.YES_NO:
            value = t("có", "yes") if value == "yes" else t("không", "no")
        shown.append((entry.label(language()), value))
    return shown


def _reasons(link: CaseRecording) -> list[Reason]:
    told = json.loads(link.reasons)
    return [Reason(t(reason["vi"], reason["en"]), reason.get("weight", 0) < 0) for reason in told]


def _laid(case: Case, row: Described) -> tuple[float, float]:
    recording = row.recording
    if recording.started_at is None:
        return 0.0, 0.0
    margin = _margin(case)
    whole = _span(case) + 2 * margin
    left = ((recording.started_at - case.starts_at).total_seconds() + margin) / whole
    right = left + (recording.duration_s or 0) / whole
    left, right = max(0.0, min(1.0, left)), max(0.0, min(1.0, right))
    return 100 * left, max(100 * (right - left), 0.6)


def _span(case: Case) -> float:
    return max((case.ends_at - case.starts_at).total_seconds(), 60.0)


def _margin(case: Case) -> float:
    return max(_span(case) * 0.15, 300.0)

"""Listing and finding cases inside a scope.

Kinds marked `own_force_only` (taxpayer data) are shown only through a grant on a unit of the same force, whatever else the
scope reaches. An officer's own cases are those he worked on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from bodycam.cases.identifiers import search_forms
from bodycam.cases.kinds import kinds
from bodycam.cases.models import NUMBER, Case, CaseIdentifier, CaseOfficer
from bodycam.db import fold
from bodycam.people.models import Unit
from bodycam.people.scope import Scope

MOST = 200
MOST_WORDS = 20  # each is a condition of its own; a database takes only so many


@dataclass(frozen=True)
class CaseFilter:
    """What to look for; an empty field asks nothing. `text` is words, or an identifier however it is typed."""

    text: str = ""
    kind: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CasePage:
    """One page, newest first; `after` asks for the next one, None when there is none."""

    cases: Sequence[Case]
    after: tuple[datetime, str] | None


def list_cases(
    session: Session,
    scope: Scope,
    wanted: CaseFilter,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> CasePage:
    """Return a page of the cases inside a scope, newest beginning first; `after` is the last page's."""
    limit = max(1, min(limit, MOST))
    query = select(Case).where(visible(scope), *_conditions(wanted))
    if after is not None:
        query = query.where(tuple_(Case.starts_at, Case.id) < tuple_(*after))
    rows = list(session.scalars(query.order_by(Case.starts_at.desc(), Case.id.desc()).limit(limit + 1)))
    page = rows[:limit]
    return CasePage(page, (page[-1].starts_at, page[-1].id) if len(rows) > limit else None)


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return the WHERE clause of the cases a scope shows."""
    own = select(CaseOfficer.case_id).where(CaseOfficer.officer_id == scope.officer_id)
    reached = scope.condition(Case.unit_id)
    if scope.officer_id is not None:
        reached = or_(reached, Case.id.in_(own))
    shielded = [kind.key for kind in kinds().values() if kind.own_force_only]
    same_force = Case.unit_id.in_(select(Unit.id).where(Unit.force.in_(scope.forces)))
    return and_(reached, or_(Case.kind.not_in(shielded), same_force))


def is_visible(session: Session, scope: Scope, case_id: str) -> bool:
    """Whether a scope shows one case."""
    return session.scalar(select(Case.id).where(Case.id == case_id, visible(scope))) is not None


def identifiers_of(session: Session, case_id: str) -> list[CaseIdentifier]:
    """Return a case's identifiers in the order they were entered, without its own number."""
    query = select(CaseIdentifier).where(CaseIdentifier.case_id == case_id, CaseIdentifier.kind != NUMBER)
    return list(session.scalars(query.order_by(CaseIdentifier.id)))


def officers_of(session: Session, case_id: str) -> list[str]:
    """Return the ids of the officers who worked on a case."""
    query = select(CaseOfficer.officer_id).where(CaseOfficer.case_id == case_id).order_by(CaseOfficer.officer_id)
    return list(session.scalars(query))


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(Case.kind == wanted.kind)
    if wanted.state:
        found.append(Case.state == wanted.state)
    if wanted.since is not None:
        found.append(Case.ends_at >= wanted.since)
    if wanted.until is not None:
        found.append(Case.starts_at < wanted.until)
    words = fold(wanted.text).split()[:MOST_WORDS]
    if words:
        by_words = and_(*(Case.folded.contains(word, autoescape=True) for word in words))
        starts = [CaseIdentifier.compact.startswith(form) for form in search_forms(wanted.text)]
        by_identifier = Case.id.in_(select(CaseIdentifier.case_id).where(or_(*starts))) if starts else by_words
        found.append(or_(by_words, by_identifier))
    return found

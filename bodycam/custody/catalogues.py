"""Holds what other slices keep in their tables against what the log says: a row changed, taken away or slipped in shows.

Custody knows no recordings; whoever audits hands in which columns repeat which facts of which events. The log has the last word.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bodycam.custody.canonical import JSON, parse
from bodycam.custody.leaf import CONTENT
from bodycam.custody.models import CustodyEvent
from bodycam.custody.report import Report
from bodycam.custody.service import openings_of
from bodycam.db import Database

_PAGE = 200
_OBJECT = "object"
_HIDDEN = {"sha256", "size", "name"}  # known only while the event's openings are


@dataclass(frozen=True)
class Catalogue:
    """Rows that repeat events of one kind: `owner` holds the event's object, each column a fact by its name in the event.

    A fact is `device`, a name of the event's details, `sha256` and `size` of its content, or a private value's name. With the
    fact `object` an owner has a row for each; else one row, and its last event counts. `is_listed` is false for rows that may
    stand before their event.
    """

    kind: str
    owner: InstrumentedAttribute[str]
    columns: Mapping[str, InstrumentedAttribute[Any]]
    is_listed: bool = True


Facts = Mapping[str, JSON]


@dataclass(frozen=True)
class _Past:
    """Owners whose openings were destroyed by a disposition; what a restore from manifests left unknown, by owner."""

    destroyed: Collection[str]
    unknown: Mapping[str, set[str]]


def check_catalogue(db: Database, catalogue: Catalogue, report: Report) -> None:
    """Compare all rows with all events of the catalogue's kind and note what differs, in one view of the database a page."""
    after = ""
    while True:
        with _steady(db) as session:
            owners = _owners(session, catalogue, after)
            known, told = _rows(session, catalogue, owners), _events(session, catalogue, owners)
            past = _Past(_destroyed(session, owners), _restored(session, owners))
            for owner in owners:
                _compare(catalogue, owner, known[owner], told[owner], report, past)
        if not owners:
            break
        after = owners[-1]
    if catalogue.is_listed:
        for owner in _gone(db, catalogue):
            _missing(catalogue, owner, report)


def _steady(db: Database) -> Session:
    """Open a session whose every query sees the same moment: a living system writes rows and events meanwhile."""
    engine = db.engine if db.is_sqlite else db.engine.execution_options(isolation_level="REPEATABLE READ")
    return Session(engine)


def _owners(session: Session, catalogue: Catalogue, after: str) -> Sequence[str]:
    query = select(catalogue.owner).where(catalogue.owner > after).distinct()
    if _OBJECT in catalogue.columns:
        query = query.where(catalogue.columns[_OBJECT].is_not(None))
    return session.scalars(query.order_by(catalogue.owner).limit(_PAGE)).all()


def _rows(session: Session, catalogue: Catalogue, owners: Sequence[str]) -> Mapping[str, dict[JSON, Facts]]:
    found: dict[str, dict[JSON, Facts]] = defaultdict(dict)
    query = select(catalogue.owner, *catalogue.columns.values()).where(catalogue.owner.in_(owners))
    for owner, *values in session.execute(query):
        facts = dict(zip(catalogue.columns, values, strict=True))
        if _OBJECT not in facts or facts[_OBJECT] is not None:
            found[owner][facts.get(_OBJECT)] = facts
    return found


def _events(session: Session, catalogue: Catalogue, owners: Sequence[str]) -> Mapping[str, dict[JSON, Facts]]:
    found: dict[str, dict[JSON, Facts]] = defaultdict(dict)
    query = select(CustodyEvent).where(CustodyEvent.kind == catalogue.kind, CustodyEvent.object_id.in_(owners))
    for event in session.scalars(query.order_by(CustodyEvent.id)):
        facts = _facts(event)
        found[event.object_id][facts.get(_OBJECT) if _OBJECT in catalogue.columns else None] = facts
    return found


def _destroyed(session: Session, owners: Sequence[str]) -> Collection[str]:
    query = select(CustodyEvent.object_id).where(
        CustodyEvent.kind == "openings.destroyed", CustodyEvent.object_id.in_(owners)
    )
    return set(session.scalars(query))


def _restored(session: Session, owners: Sequence[str]) -> Mapping[str, set[str]]:
    """Return by owner the facts that its `recording.restored` names: the new database didn't know what they point to."""
    unknown: dict[str, set[str]] = defaultdict(set)
    query = select(CustodyEvent).where(CustodyEvent.kind == "recording.restored", CustodyEvent.object_id.in_(owners))
    for event in session.scalars(query):
        names = set(_facts(event)) & {"camera", "officer", "visit"}
        unknown[event.object_id] |= {"device" if name == "camera" else name for name in names}
    return unknown


def _facts(event: CustodyEvent) -> Facts:
    try:
        leaf, openings = parse(event.body), openings_of(event)
    except ValueError:
        return {}  # the event's own row was changed, which the audit says by itself
    details = leaf.get("details") if isinstance(leaf, Mapping) else None
    facts: dict[str, JSON] = dict(details) if isinstance(details, Mapping) else {}
    facts["device"] = leaf.get("device") if isinstance(leaf, Mapping) else None
    for name, opening in openings.items():
        if name == CONTENT:
            facts |= {key: opening[key] for key in ("sha256", "size") if key in opening}
        elif "value" in opening:
            facts[name] = opening["value"]
    return facts


def _compare(
    catalogue: Catalogue,
    owner: str,
    known: Mapping[JSON, Facts],
    told: Mapping[JSON, Facts],
    report: Report,
    past: _Past,
) -> None:
    for key in told.keys() - known.keys():
        if catalogue.is_listed:
            _missing(catalogue, f"{owner} {key}", report)
    for key, row in known.items():
        if key in told:
            _hold(catalogue, owner, row, told[key], report, past)
        elif catalogue.is_listed:
            vi = f"Danh mục có dòng mà nhật ký không có sự kiện {catalogue.kind}: dòng bị chèn hoặc bị sửa."
            en = f"The catalogue has a row for which the log has no {catalogue.kind}: slipped in, or changed."
            report.add("catalogue_surplus", f"{catalogue.kind} {owner}", vi, en)


def _hold(catalogue: Catalogue, owner: str, row: Facts, event: Facts, report: Report, past: _Past) -> None:
    where = f"{catalogue.kind} {owner}"
    lost = sorted(name for name in row.keys() & _HIDDEN if name not in event)
    if lost and owner not in past.destroyed:
        names = ", ".join(lost)
        vi, en = f"Không còn giá trị mở của {names} để so.", f"The opening of {names} is gone: nothing to compare with."
        report.add("opening_missing", where, vi, en, missing=True)
    differing = {name for name, value in row.items() if name in event and value != event[name]}
    unknown = {name for name in differing & past.unknown.get(owner, set()) if row[name] is None}
    if unknown:
        names = ", ".join(sorted(unknown))
        vi = f"Danh mục được dựng lại từ kho, chưa rõ: {names}."
        en = f"The row was restored from the vault, without: {names}."
        report.add("catalogue_restored", where, vi, en, missing=True)
    changed = sorted(differing - unknown)
    if changed:
        names = ", ".join(changed)
        vi, en = f"Danh mục ghi khác nhật ký: {names}.", f"The catalogue is not what was logged: {names}."
        report.add("catalogue", where, vi, en)


def _gone(db: Database, catalogue: Catalogue) -> Iterator[str]:
    stands = exists().where(catalogue.owner == CustodyEvent.object_id)
    after = ""
    while True:
        query = select(CustodyEvent.object_id).where(CustodyEvent.kind == catalogue.kind, ~stands).distinct()
        query = query.where(CustodyEvent.object_id > after).order_by(CustodyEvent.object_id).limit(_PAGE)
        with db.read() as session:
            owners = session.scalars(query).all()
        yield from owners
        if len(owners) < _PAGE:
            return
        after = owners[-1]


def _missing(catalogue: Catalogue, owner: str, report: Report) -> None:
    vi = f"Nhật ký có {catalogue.kind} nhưng danh mục không còn dòng này."
    en = f"The log has a {catalogue.kind}, but its row in the catalogue is gone."
    report.add("catalogue_missing", f"{catalogue.kind} {owner}", vi, en, missing=True)

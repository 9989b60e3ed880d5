"""Signed negatives: "no footage found for …, searched … by …", made by a search and reopened by itself when footage appears.

The search goes over the catalogue (official footage alone: what citizens sent plays no part and shows to nobody here) and over what is
still owed to it. What it can't exclude it counts and says: recordings whose time or place nobody knows, recordings destroyed under
the schedule, cameras not yet docked. When a recording was made is judged by docks, not by the camera's clock alone. The statement
is an event with a receipt; a recording that comes later and may fit reopens it, and whoever may sign such statements there is told.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases.identifiers import compact
from bodycam.cases.models import Case, CaseIdentifier, CaseRecording, LinkState
from bodycam.clock import local, now
from bodycam.coverage.models import Debt, DebtKind
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.service import format_time
from bodycam.db import new_id, nfc
from bodycam.errors import ConflictError, InvalidInputError, NotFoundError
from bodycam.people.models import Account, Officer, Unit
from bodycam.people.scope import Scope
from bodycam.recordings.models import Kind, Origin, Recording, RecordingPlate, State, Track
from bodycam.retention.errors import FootageFoundError
from bodycam.retention.models import SignedNegative
from bodycam.retention.targets import Target, is_near, made

SCHEMA = "bodycam/negative/1"
MAX_TEXT = 300
_PAGE = 1_000  # a page of the search, which ends with the last recording that may fit
_WATCHED = (Kind.VIDEO, Kind.AUDIO, Kind.IMAGE)
_TRUSTED = ("gps", "dock")
_LINKED = (LinkState.PROPOSED, LinkState.ATTACHED)
_EXPECTED = (DebtKind.FOOTAGE, DebtKind.DOCKING)


class Fit(StrEnum):
    """How a recording stands to what was asked."""

    FOUND = "found"
    UNSURE = "unsure"  # it can't be excluded
    NO = "no"


@dataclass(frozen=True)
class Asked:
    """What footage was asked for: a span (UTC), and any of a place (WGS 84, metres), an officer, a plate, a case."""

    starts_at: datetime
    ends_at: datetime
    place: str = ""
    lat: float | None = None
    lon: float | None = None
    radius_m: float | None = None
    officer_id: str | None = None
    plate: str = ""
    case_id: str | None = None
    everything: bool = False  # where was looked: everywhere, or in these subtrees of units
    subtrees: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """Where was looked."""
        return Scope(everything=self.everything, subtrees=self.subtrees)


@dataclass(frozen=True)
class Searched:
    """What a search looked at and what it can't exclude."""

    found: tuple[str, ...]
    recordings: int
    cameras: int
    unsure: int
    destroyed: int
    debts: int


def search(session: Session, asked: Asked) -> Searched:
    """Look for footage; raises InvalidInputError for a span that ends before it begins or has an unfinished place."""
    _check(asked)
    found, unsure, destroyed, looked, cameras = [], 0, 0, 0, set()
    for recording in _candidates(session, asked):
        fit = fit_of(session, asked, recording, is_new=False)
        if recording.state == State.DESTROYED:
            destroyed += fit is not Fit.NO
            continue
        looked += 1
        cameras.add(recording.camera_id)
        if fit is Fit.FOUND:
            found.append(recording.id)
        unsure += fit is Fit.UNSURE
    debts = (
        select(func.count())
        .select_from(Debt)
        .where(Debt.closed_at.is_(None), Debt.kind.in_(_EXPECTED), asked.scope.condition(Debt.unit_id))
    )
    if asked.officer_id is not None:
        debts = debts.where(or_(Debt.officer_id == asked.officer_id, Debt.officer_id.is_(None)))
    return Searched(tuple(found), looked, len(cameras - {None}), unsure, destroyed, session.scalar(debts) or 0)


def sign(session: Session, asked: Asked, *, actor: str, unit_id: str) -> SignedNegative:
    """Search, and state that there is no footage, with what was searched; the event earns a receipt.

    Raises:
        FootageFoundError: there is some.
    """
    result = search(session, asked)
    if result.found:
        raise FootageFoundError(count=len(result.found))
    negative_id, moment = new_id(), now()
    number = f"KBG-{local(moment):%Y%m%d}-{negative_id[-6:].upper()}"
    document = canonical(_document(session, asked, result, number=number, actor=actor, unit_id=unit_id, moment=moment))
    data = document.encode()
    event = custody.record(
        session,
        "negative.signed",
        object_id=negative_id,
        actor=actor,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        details={"recordings": result.recordings, "unsure": result.unsure, "debts": result.debts},
    )
    row = SignedNegative(
        id=negative_id,
        number=number,
        unit_id=unit_id,
        asked=canonical(_plain(asked)),
        document=document,
        made_by=actor,
        made_at=moment,
        event_id=event.id,
    )
    session.add(row)
    session.flush()
    return row


def appeared(session: Session, recording_id: str) -> list[str]:
    """Reopen the negatives that a recording speaks against, and return their ids; call it once a recording is read."""
    recording = session.get(Recording, recording_id)
    if recording is None or recording.origin == Origin.CITIZEN or recording.kind not in _WATCHED:
        return []
    return [row.id for row in standing(session) if _speaks_against(session, row, recording)]


def look_again(session: Session) -> list[str]:
    """Search anew for every negative that stands, since a plate may be noted or a case attached later; return the reopened."""
    reopened = []
    for row in standing(session):
        asked = read_asked(row)
        for recording in _candidates(session, asked):
            if _speaks_against(session, row, recording):
                reopened.append(row.id)
                break
    return reopened


def acknowledge(session: Session, negative_id: str, *, actor: str) -> SignedNegative:
    """Note that somebody knows of a reopened negative; raises ConflictError while it stands."""
    row = get_negative(session, negative_id)
    if row.reopened_at is None:
        raise ConflictError(what="negative")
    if row.seen_at is None:
        row.seen_by, row.seen_at = actor, now()
        custody.record(session, "negative.seen", object_id=row.id, actor=actor)
    return row


def get_negative(session: Session, negative_id: str) -> SignedNegative:
    """Return a negative or raise NotFoundError."""
    row = session.get(SignedNegative, negative_id)
    if row is None:
        raise NotFoundError(what="negative")
    return row


def standing(session: Session) -> list[SignedNegative]:
    """Return the negatives that nothing speaks against yet, oldest first."""
    query = select(SignedNegative).where(SignedNegative.reopened_at.is_(None)).order_by(SignedNegative.id)
    return list(session.scalars(query))


def read_asked(row: SignedNegative) -> Asked:
    """Return what a negative was asked for."""
    values = parse(row.asked)
    if not isinstance(values, dict):
        raise TypeError("what was asked is an object")
    told = {name: value for name, value in values.items() if name not in {"starts_at", "ends_at", "subtrees"}}
    subtrees = values.get("subtrees")
    return Asked(
        starts_at=datetime.fromisoformat(str(values["starts_at"])),
        ends_at=datetime.fromisoformat(str(values["ends_at"])),
        subtrees=tuple(str(path) for path in subtrees) if isinstance(subtrees, list) else (),
        **told,  # type: ignore[arg-type, unused-ignore]  # what `_plain` wrote
    )


def fit_of(session: Session, asked: Asked, recording: Recording, *, is_new: bool) -> Fit:
    """Say how a recording stands to what was asked; a new one without a noted plate may still show it."""
    fits = [_in_time(session, asked, recording)]
    if asked.officer_id is not None:
        unknown = Fit.UNSURE if recording.officer_id is None else Fit.NO
        fits.append(Fit.FOUND if recording.officer_id == asked.officer_id else unknown)
    if asked.lat is not None:
        fits.append(_in_place(session, asked, recording))
    unnoted = Fit.UNSURE if is_new else Fit.NO
    if asked.plate:
        fits.append(Fit.FOUND if _has_plate(session, asked.plate, recording.id) else unnoted)
    if asked.case_id is not None:
        fits.append(Fit.FOUND if _is_of_case(session, asked.case_id, recording.id) else unnoted)
    if Fit.NO in fits:
        return Fit.NO
    return Fit.UNSURE if Fit.UNSURE in fits else Fit.FOUND


def _speaks_against(session: Session, row: SignedNegative, recording: Recording) -> bool:
    asked, is_new = read_asked(row), recording.sealed_at >= row.made_at
    unit = session.get(Unit, recording.unit_id) if recording.unit_id else None
    if recording.state == State.DESTROYED or not (
        asked.scope.allows(unit_id=recording.unit_id, unit_path=unit.path if unit else None) or unit is None
    ):
        return False
    fit = fit_of(session, asked, recording, is_new=is_new)
    if fit is Fit.NO or (fit is Fit.UNSURE and not is_new):
        return False
    row.reopened_at, row.reopened_by = now(), recording.id
    custody.record(
        session, "negative.reopened", object_id=row.id, actor="system", details={"recording": recording.id, "fit": fit}
    )
    session.flush()
    return True


def _candidates(session: Session, asked: Asked) -> Iterator[Recording]:
    """Yield what may have been made in the span: by a time somebody vouches for, or by none, sealed after its beginning."""
    told = and_(
        Recording.started_at <= asked.ends_at,
        func.coalesce(Recording.ended_at, Recording.started_at) >= asked.starts_at,
    )
    unvouched: ColumnElement[bool] = or_(
        Recording.started_at.is_(None), Recording.time_source.is_(None), Recording.time_source.not_in(_TRUSTED)
    )
    query = select(Recording).where(
        Recording.origin != Origin.CITIZEN,
        Recording.kind.in_(_WATCHED),
        Recording.sealed_at >= asked.starts_at,
        or_(told, unvouched),
        or_(asked.scope.condition(Recording.unit_id), Recording.unit_id.is_(None)),
    )
    query = query.order_by(Recording.sealed_at, Recording.id).limit(_PAGE)
    page = list(session.scalars(query))
    while page:
        yield from page
        last = page[-1]
        after = or_(
            Recording.sealed_at > last.sealed_at, and_(Recording.sealed_at == last.sealed_at, Recording.id > last.id)
        )
        page = list(session.scalars(query.where(after)))


def _in_time(session: Session, asked: Asked, recording: Recording) -> Fit:
    start, end = recording.started_at, recording.ended_at or recording.started_at
    overlaps = start is not None and end is not None and start <= asked.ends_at and end >= asked.starts_at
    if recording.time_source in _TRUSTED and start is not None:
        return Fit.FOUND if overlaps else Fit.NO
    if made(session, recording).may_overlap(asked.starts_at, asked.ends_at):
        return Fit.FOUND if overlaps else Fit.UNSURE
    return Fit.NO


def _in_place(session: Session, asked: Asked, recording: Recording) -> Fit:
    has_position = recording.lat is not None or session.get(Track, recording.id) is not None
    target = Target(lat=asked.lat, lon=asked.lon, radius_m=asked.radius_m)
    if not is_near(session, target, recording):
        return Fit.NO
    return Fit.FOUND if has_position else Fit.UNSURE


def _has_plate(session: Session, plate: str, recording_id: str) -> bool:
    wanted = compact(plate)
    noted = select(RecordingPlate.recording_id).where(
        RecordingPlate.recording_id == recording_id, RecordingPlate.compact == wanted
    )
    of_case = (
        select(CaseRecording.recording_id)
        .join(CaseIdentifier, CaseIdentifier.case_id == CaseRecording.case_id)
        .where(
            CaseRecording.recording_id == recording_id,
            CaseRecording.state.in_(_LINKED),
            CaseIdentifier.compact == wanted,
        )
    )
    return any(session.scalar(query.limit(1)) is not None for query in (noted, of_case))


def _is_of_case(session: Session, case_id: str, recording_id: str) -> bool:
    query = select(CaseRecording.id).where(
        CaseRecording.case_id == case_id, CaseRecording.recording_id == recording_id, CaseRecording.state.in_(_LINKED)
    )
    return session.scalar(query) is not None


def _check(asked: Asked) -> None:
    if asked.ends_at < asked.starts_at:
        raise InvalidInputError(field="ends_at", reason="is before the beginning", reason_vi="trước lúc bắt đầu")
    if (asked.lat is None) != (asked.lon is None) or (asked.lat is not None and not asked.radius_m):
        raise InvalidInputError(
            field="place", reason="give latitude, longitude and radius", reason_vi="cần đủ vĩ độ, kinh độ và bán kính"
        )


def _plain(asked: Asked) -> dict[str, JSON]:
    values: dict[str, JSON] = {}
    for name, value in vars(asked).items():
        if isinstance(value, datetime):
            values[name] = format_time(value)
        elif isinstance(value, tuple):
            values[name] = list(value)
        elif isinstance(value, str):
            values[name] = nfc(value)[:MAX_TEXT]
        elif value is not None:
            values[name] = value
    return values


def _document(
    session: Session, asked: Asked, result: Searched, *, number: str, actor: str, unit_id: str, moment: datetime
) -> dict[str, JSON]:
    officer = session.get(Officer, asked.officer_id) if asked.officer_id else None
    case = session.get(Case, asked.case_id) if asked.case_id else None
    told: dict[str, JSON] = {**_plain(asked)}
    if officer is not None:
        told["officer"] = f"{officer.name}, {officer.number}"
    if case is not None:
        told["case"] = case.number or case.title
    where: Sequence[str] = ["*"] if asked.everything else _names(session, asked.subtrees)
    return {
        "schema": SCHEMA,
        "number": number,
        "asked": told,
        "searched": {
            "recordings": result.recordings,
            "cameras": result.cameras,
            "unsure": result.unsure,
            "destroyed": result.destroyed,
            "debts": result.debts,
            "units": list(where),
        },
        "by": session.get_one(Account, actor).display_name,
        "unit": session.get_one(Unit, unit_id).name,
        "made_at": format_time(moment),
    }


def _names(session: Session, subtrees: Sequence[str]) -> list[str]:
    query = select(Unit.name).where(Unit.path.in_(subtrees)).order_by(Unit.path)
    return list(session.scalars(query))

"""The end of a shift, and its hand-over slip (phiếu bàn giao).

A slip says what was handed over as it stood at that moment and never changes: its body is kept as it was written, and its hash is
printed on the paper. What nothing was said of becomes "later", with its deadline; a camera the officer still holds and that came
to no dock is noted as owed. Slips are numbered anew each day.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases.minutes import Answer
from bodycam.cases.models import MinuteChoice
from bodycam.clock import local, now
from bodycam.coverage.models import Debt, DebtKind, ShiftEnd
from bodycam.coverage.service import FOOTAGE_TIME, open_debt
from bodycam.coverage.shift import MINUTE_TIME, Shift, Stop, answer, cameras_of, shift_of
from bodycam.coverage.standing import Standing, standing_of
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id
from bodycam.errors import ConflictError, NotFoundError
from bodycam.fleet.models import Camera, CameraIssue, CameraState, DockingVisit, Station, VisitState
from bodycam.people.models import Officer, Unit
from bodycam.people.scope import Scope

SCHEMA = "bodycam/handover/1"
TWICE = timedelta(seconds=60)  # a second press within it, with nothing new, is the same end of shift
MOST = 200
_TRIES = 5


@dataclass(frozen=True)
class Limits:
    """Until when there is time for what is left open."""

    minute: timedelta = MINUTE_TIME
    docking: timedelta = FOOTAGE_TIME


@dataclass(frozen=True)
class SlipPage:
    """A page of slips with their officers, newest first; `after` asks for the next one."""

    slips: Sequence[tuple[ShiftEnd, Officer]]
    after: tuple[datetime, str] | None


def end_shift(session: Session, *, officer_id: str, station_id: str | None, limits: Limits = Limits()) -> ShiftEnd:
    """End an officer's shift and return its slip; ending again at once, with nothing new, returns the same slip.

    Call it in a write transaction. Recordings without an answer become "later".
    """
    shift, moment = shift_of(session, officer_id), now()
    before = session.scalar(_of(officer_id).limit(1))
    if before is not None and not shift.stops and moment - before.ended_at < TWICE:
        return before
    if shift.unanswered:
        later = Answer(MinuteChoice.LATER, due_at=moment + limits.minute)
        answer(session, shift.unanswered, later, officer_id=officer_id, station_id=station_id)
        shift = shift_of(session, officer_id)
    cameras = cameras_of(session, officer_id, shift.since)
    standing = standing_of(session, cameras)
    for camera in cameras:
        if camera.id not in standing:
            _docking_owed(session, camera, officer_id, shift.since, moment + limits.docking)
    return _write(session, officer_id, station_id, shift, moment, cameras, standing)


def slip_of(session: Session, slip_id: str) -> ShiftEnd:
    """Return a slip or raise `NotFoundError`; who may see it is the caller's question."""
    row = session.get(ShiftEnd, slip_id)
    if row is None:
        raise NotFoundError(what="slip")
    return row


def slips_of_officer(session: Session, officer_id: str, *, limit: int = 10) -> list[ShiftEnd]:
    """Return an officer's latest slips, newest first."""
    return list(session.scalars(_of(officer_id).limit(limit)))


def slips(session: Session, scope: Scope, *, after: tuple[datetime, str] | None = None, limit: int = 50) -> SlipPage:
    """Return a page of the slips of a scope's officers, newest first; `after` is the last page's."""
    limit = max(1, min(limit, MOST))
    query = select(ShiftEnd, Officer).join(Officer, Officer.id == ShiftEnd.officer_id)
    query = query.where(scope.condition(Officer.unit_id, ShiftEnd.officer_id))
    if after is not None:
        query = query.where(tuple_(ShiftEnd.ended_at, ShiftEnd.id) < tuple_(*after))
    query = query.order_by(ShiftEnd.ended_at.desc(), ShiftEnd.id.desc()).limit(limit + 1)
    rows = [(slip, officer) for slip, officer in session.execute(query)]
    page = rows[:limit]
    return SlipPage(page, (page[-1][0].ended_at, page[-1][0].id) if len(rows) > limit else None)


def digest(slip: ShiftEnd) -> str:
    """Return the SHA-256 (hex) of what a slip says, as it was handed over."""
    return hashlib.sha256(slip.body.encode()).hexdigest()


def _of(officer_id: str) -> Select[ShiftEnd]:
    query = select(ShiftEnd).where(ShiftEnd.officer_id == officer_id)
    return query.order_by(ShiftEnd.ended_at.desc(), ShiftEnd.id.desc())


def _write(
    session: Session,
    officer_id: str,
    station_id: str | None,
    shift: Shift,
    moment: datetime,
    cameras: Sequence[Camera],
    standing: dict[str, Standing],
) -> ShiftEnd:
    said = _body(session, officer_id, station_id, shift, moment, cameras, standing)
    for _ in range(_TRIES):
        slip = _next_slip(session, moment)
        body = json.dumps({"schema": SCHEMA, "slip": slip, **said}, ensure_ascii=False, sort_keys=True)
        row = ShiftEnd(
            id=new_id(), slip=slip, officer_id=officer_id, station_id=station_id, started_at=shift.since,
            ended_at=moment, body=body,
        )  # fmt: skip
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # another kiosk took the number at this moment
            continue
        custody.record(
            session,
            "shift.ended",
            object_id=row.id,
            actor=officer_id,
            details={"slip": slip, "station": station_id, "recordings": sum(len(s.ids) for s in shift.stops)},
            sha256=digest(row),
            size=len(body.encode()),
        )
        return row
    raise ConflictError(what="slip")


def _next_slip(session: Session, moment: datetime) -> str:
    day = f"PBG-{local(moment):%Y%m%d}-"
    last = session.scalar(select(func.max(ShiftEnd.slip)).where(ShiftEnd.slip.startswith(day)))
    return f"{day}{int(last.removeprefix(day)) + 1 if last else 1:04}"


def _body(
    session: Session,
    officer_id: str,
    station_id: str | None,
    shift: Shift,
    moment: datetime,
    cameras: Sequence[Camera],
    standing: dict[str, Standing],
) -> dict[str, object]:
    officer = session.get_one(Officer, officer_id)
    unit = session.get_one(Unit, officer.unit_id)
    above = session.get(Unit, unit.parent_id) if unit.parent_id else None
    station = session.get(Station, station_id) if station_id else None
    leaves = _leaves(session, shift.stops)
    return {
        "officer": officer.name, "number": officer.number, "force": officer.force, "team": officer.team,
        "unit": unit.name, "unit_above": above.name if above else None, "station": station.name if station else None,
        "started_at": _iso(shift.since), "ended_at": _iso(moment),
        "cameras": [_camera(camera, standing.get(camera.id)) for camera in cameras],
        "stops": [_stop(stop, leaves) for stop in shift.stops],
        "put_off": sum(len(stop.ids) for stop in shift.put_off),
    }  # fmt: skip


def _camera(camera: Camera, standing: Standing | None) -> dict[str, object]:
    said: dict[str, object] = {"camera": camera.label or camera.serial, "serial": camera.serial}
    if standing is None:
        return said | {"state": None}
    return said | {"station": standing.station, "slot": standing.slot, "state": standing.state,
                   "files_left": standing.files_left}  # fmt: skip


def _stop(stop: Stop, leaves: dict[str, int]) -> dict[str, object]:
    minute = stop.minute
    return {
        "camera": (stop.camera.label or stop.camera.serial) if stop.camera else None,
        "starts_at": _iso(stop.starts_at), "is_read": stop.is_read, "seconds": stop.seconds, "is_event": stop.is_event,
        "choice": minute.choice if minute else None, "number": minute.number if minute else None,
        "due_at": _iso(minute.due_at) if minute and minute.due_at else None,
        "files": [
            {"recording": r.id, "name": r.name, "size": r.size, "sha256": r.sha256, "leaf": leaves.get(r.sealed_event_id)}
            for r in stop.recordings
        ],
        "receipts": stop.receipts,
    }  # fmt: skip


def _leaves(session: Session, stops: Sequence[Stop]) -> dict[str, int]:
    """Return the place in the log of each sealing that has one, by event."""
    events = [recording.sealed_event_id for stop in stops for recording in stop.recordings]
    found: dict[str, int] = {}
    for start in range(0, len(events), MOST):
        query = select(CustodyEvent.id, CustodyEvent.log_index).where(CustodyEvent.id.in_(events[start : start + MOST]))
        found |= {event_id: index for event_id, index in session.execute(query) if index is not None}
    return found


def _docking_owed(session: Session, camera: Camera, officer_id: str, since: datetime, due_at: datetime) -> None:
    """Note a camera that is still in the officer's hands, works, and came to no dock in his shift."""
    held = select(CameraIssue.id).where(
        CameraIssue.camera_id == camera.id, CameraIssue.officer_id == officer_id, CameraIssue.ends_at.is_(None)
    )
    came = select(DockingVisit.id).where(  # or stands in a slot whose station doesn't answer just now
        DockingVisit.camera_id == camera.id,
        or_(
            DockingVisit.state == VisitState.OPEN,
            and_(DockingVisit.state == VisitState.DONE, DockingVisit.ended_at > since),
        ),
    )
    owed = select(Debt.id).where(
        Debt.camera_id == camera.id, Debt.closed_at.is_(None), Debt.kind.in_((DebtKind.FOOTAGE, DebtKind.DOCKING))
    )
    if camera.state in {CameraState.BROKEN, CameraState.LOST, CameraState.RETIRED}:
        return
    if session.scalar(held) is None or session.scalar(came.limit(1)) or session.scalar(owed.limit(1)):
        return
    debt = Debt(
        kind=DebtKind.DOCKING.value, officer_id=officer_id, unit_id=camera.unit_id, camera_id=camera.id, reason="",
        due_at=due_at,
    )  # fmt: skip
    open_debt(session, debt, actor=officer_id)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")

"""Whether the server's clock may be believed: the log's own ticks say so.

Terms run by the times of the log's events, which the server's clock writes. So the events are looked through in the log's order:
a time that leaps more than `clock_jump_hours` ahead of the latest one believed, or goes back by more than an hour, or drifts so far
from the machine's monotonic clock within one boot, is a jump. It is an event (`clock.stepped`) and an alarm, and from there on no
time is believed, so no term is over, until a person confirms the clock (`clock.confirmed`). What was sealed in between counts
from the confirmation. A machine that was off over a long holiday asks for the same: better a question than a lost recording.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.models import CustodyEvent
from bodycam.errors import ConflictError
from bodycam.retention.errors import ClockDoubtfulError
from bodycam.retention.leaves import details_of, leaf_of, time_of
from bodycam.retention.models import ClockWatch

OBJECT = "clock"
_STEPPED, _CONFIRMED = "clock.stepped", "clock.confirmed"
_BACK = timedelta(hours=1)  # ids commit out of order, machines differ a little
_PAGE = 2_000
_MOST_BOOTS = 50
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Doubt:
    """A stretch of the log whose times aren't believed; `until` is when a person confirmed the clock, None while none has."""

    event_id: str
    first_index: int
    seen_at: datetime  # what the clock said after the jump
    before: datetime  # the latest time believed before it
    last_index: int | None
    until: datetime | None

    def covers(self, index: int) -> bool:
        """Whether an entry lies in the stretch."""
        return index >= self.first_index and (self.last_index is None or index <= self.last_index)


def look(session: Session, jump: timedelta) -> Doubt | None:
    """Look through the entries since the last look; return the doubt that is open now, if there is one."""
    watch = lock(session)
    known = doubts(session)
    in_doubt = any(doubt.last_index is None or doubt.last_index >= watch.scanned for doubt in known)
    state = _State(watch.high, _boots(watch.boots), jump)
    while events := _next(session, watch.scanned):
        for event in events:
            if event.kind == _CONFIRMED:
                state.restart(event)
                in_doubt = False
            elif not in_doubt and event.object_id != OBJECT and (boot := state.judge(event)):
                known.append(_note(session, event, state, boot))
                in_doubt = True
            watch.scanned = (event.log_index or 0) + 1
    watch.high, watch.boots = state.high, json.dumps(state.boots)
    session.flush()
    return next((doubt for doubt in known if doubt.until is None), None)


def believed_now(session: Session, jump: timedelta) -> datetime:
    """Return the time (UTC) when it may be believed.

    Raises:
        ClockDoubtfulError: the log's times jumped, or the clock stands beyond what the log's last entries allow.
    """
    doubt = look(session, jump)
    if doubt is not None:
        raise ClockDoubtfulError(reason=f"{doubt.before:%d/%m/%Y %H:%M} → {doubt.seen_at:%d/%m/%Y %H:%M}")
    watch, moment = lock(session), clock.now()
    state = _State(watch.high, _boots(watch.boots), jump)
    if watch.high is None or state.is_jump(moment, clock.boot_id(), int(clock.monotonic() * 1_000_000)):
        last = f"{watch.high:%d/%m/%Y %H:%M}" if watch.high else "–"
        raise ClockDoubtfulError(reason=f"{last} → {moment:%d/%m/%Y %H:%M}")
    return moment


def confirm(session: Session, jump: timedelta, *, actor: str) -> CustodyEvent:
    """Confirm as a person that the server's clock is right now; times count again from here on.

    Raises:
        ConflictError: nothing is in doubt.
    """
    doubt = look(session, jump)
    watch, moment = lock(session), clock.now()
    state = _State(watch.high, _boots(watch.boots), jump)
    if doubt is None and not state.is_jump(moment, clock.boot_id(), int(clock.monotonic() * 1_000_000)):
        raise ConflictError(what="clock")
    if doubt is None:  # the clock was stepped since the log's last entry: the stretch of doubt is noted before it ends
        doubt = _write(session, watch.scanned, watch.high or moment, moment, "now")
    return custody.record(session, _CONFIRMED, object_id=OBJECT, actor=actor, details={"stepped": doubt.event_id})


def doubts(session: Session) -> list[Doubt]:
    """Return every stretch of doubt there ever was, oldest first, as the log tells."""
    query = select(CustodyEvent).where(CustodyEvent.object_id == OBJECT, CustodyEvent.kind.in_((_STEPPED, _CONFIRMED)))
    found: dict[str, Doubt] = {}
    for event in session.scalars(query.order_by(CustodyEvent.id)):
        told = details_of(event)
        if event.kind == _STEPPED:
            found[event.id] = Doubt(
                event_id=event.id,
                first_index=int(str(told["first"])),
                seen_at=datetime.fromisoformat(str(told["to"])),
                before=datetime.fromisoformat(str(told["from"])),
                last_index=None,
                until=None,
            )
        elif (doubt := found.get(str(told.get("stepped")))) is not None:
            found[doubt.event_id] = Doubt(
                doubt.event_id, doubt.first_index, doubt.seen_at, doubt.before, event.log_index, time_of(event)
            )
    return list(found.values())


def since(event: CustodyEvent, stretches: Sequence[Doubt]) -> datetime | None:
    """Return when a term that an event begins runs from: its own time, or the confirmation after a stretch of doubt.

    None while nobody has confirmed the clock, or while the event isn't in the log yet.
    """
    if event.log_index is None:
        return None
    for doubt in stretches:
        if doubt.covers(event.log_index):
            return doubt.until if doubt.last_index is not None else None
    return time_of(event)


def lock(session: Session) -> ClockWatch:
    """Return the watch's row, locked: who places a hold and who begins to destroy meet here, one after the other."""
    row = session.get(ClockWatch, "log", with_for_update=True, populate_existing=True)
    if row is None:
        row = ClockWatch(id="log", scanned=0)
        session.add(row)
        session.flush()
    return row


class _State:
    """What is believed so far, in the log's order."""

    def __init__(self, high: datetime | None, boots: dict[str, list[int]], jump: timedelta) -> None:
        self.high = high
        self.boots = boots  # boot id -> [wall clock minus monotonic when first believed, µs]
        self._jump = jump

    def restart(self, event: CustodyEvent) -> None:
        """Believe from here on: a person says that the clock is right."""
        self.high, self.boots = time_of(event), {}
        self._remember(*_clocks(event))

    def judge(self, event: CustodyEvent) -> str:
        """Believe an event's time and return "", or the machine's boot on which it jumped."""
        moment, boot, monotonic = _clocks(event)
        if self.is_jump(moment, boot, monotonic):
            return boot
        self.high = max(self.high, moment) if self.high else moment
        self._remember(moment, boot, monotonic)
        return ""

    def is_jump(self, moment: datetime, boot: str, monotonic: int) -> bool:
        """Whether a time can't follow what is believed."""
        if self.high is None:
            return False
        if moment > self.high + self._jump or moment < self.high - _BACK:
            return True
        known = self.boots.get(boot)
        return known is not None and abs(_apart(moment, monotonic) - known[0]) > self._jump / timedelta(microseconds=1)

    def _remember(self, moment: datetime, boot: str, monotonic: int) -> None:
        if boot not in self.boots:
            self.boots[boot] = [_apart(moment, monotonic)]
            while len(self.boots) > _MOST_BOOTS:
                del self.boots[next(iter(self.boots))]


def _clocks(event: CustodyEvent) -> tuple[datetime, str, int]:
    leaf = leaf_of(event)
    return time_of(event), str(leaf.get("boot", "unknown")), int(str(leaf.get("monotonic_us", 0)))


def _apart(moment: datetime, monotonic: int) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) - monotonic


def _boots(text: str) -> dict[str, list[int]]:
    return {str(boot): [int(value[0])] for boot, value in json.loads(text).items()}


def _next(session: Session, scanned: int) -> list[CustodyEvent]:
    query = select(CustodyEvent).where(CustodyEvent.log_index >= scanned).order_by(CustodyEvent.log_index)
    return list(session.scalars(query.limit(_PAGE)))


def _note(session: Session, event: CustodyEvent, state: _State, boot: str) -> Doubt:
    _log.error("clock.stepped", before=str(state.high), after=str(time_of(event)), boot=boot)
    return _write(session, event.log_index or 0, state.high or time_of(event), time_of(event), boot)


def _write(session: Session, first: int, before: datetime, seen_at: datetime, boot: str) -> Doubt:
    event = custody.record(
        session,
        _STEPPED,
        object_id=OBJECT,
        actor="system",
        details={"first": first, "from": before.isoformat(), "to": seen_at.isoformat(), "boot": boot[:36]},
    )
    return Doubt(event.id, first, seen_at, before, None, None)

"""Kết thúc ca: an officer says of each stop of his shift which minute it belongs to, and gets his hand-over slip.

One press answers one stop, or all that are marked. Every answer is kept at once, the last one can be taken back, and nothing is
chosen beforehand; what is left open is put off only after a clear question. A stop is named by its first recording, so an answer
also covers what joined it meanwhile. Pages are plain forms: no script is needed for any step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.cases.errors import IdentifierError
from bodycam.cases.minutes import Answer, last_number
from bodycam.cases.models import MinuteChoice
from bodycam.cases.spelling import Spelling, spelling_of
from bodycam.clock import now
from bodycam.coverage import handover
from bodycam.coverage import shift as shifts
from bodycam.coverage.models import DebtKind
from bodycam.coverage.queries import OpenDebt, debts_of_officer
from bodycam.coverage.shift import Shift, Stop
from bodycam.coverage.standing import Standing, standing_of
from bodycam.fleet.models import Camera, KioskSession
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import kiosk_officer
from webui.kiosk.guard import current_officer

bp = Blueprint("kiosk_shift", __name__, url_prefix="/kiosk/shift")
_CHOICES = {choice.value: choice for choice in MinuteChoice}
_MOST_DIGITS = 12


@dataclass(frozen=True)
class _Look:
    """What the page shows: the shift, where its cameras stand, what they owe, and whether an answer can be taken back."""

    shift: Shift
    cameras: Sequence[tuple[Camera, Standing | None]]
    owed: Sequence[OpenDebt]
    can_undo: bool


@bp.get("")
@kiosk_officer
def index() -> str:
    """Show the shift by stop, what was put off before first."""
    return _page()


@bp.post("/answer")
@kiosk_officer
def answer() -> str | BaseResponse | tuple[str, int]:
    """Take one answer for one stop or for all that are marked; a number is asked for on a page of its own."""
    word, _, only = request.form.get("one", "").partition("|")
    choice = _CHOICES.get(word or request.form.get("choice", ""))
    stops = _stops([only] if word else request.form.getlist("stop"))
    if choice is None or not stops:
        return _page(t("Chọn ít nhất một dòng trước.", "Mark at least one line first.")), int(HTTPStatus.BAD_REQUEST)
    if choice is MinuteChoice.NUMBER:
        return _ask_number(stops)
    _say(stops, Answer(choice, due_at=now() + _minute_time()))
    return _back(stops)


@bp.post("/number")
@kiosk_officer
def number() -> str | BaseResponse | tuple[str, int]:
    """Take the minute's number for the stops it was asked for: one offered whole, or digits and their ending."""
    stops = _stops(request.form.getlist("stop"))
    digits, ending = request.form.get("digits", "").strip(), request.form.get("ending", "")
    spelling = _ending(ending)
    whole = request.form.get("whole", "") or (spelling.whole(digits[:_MOST_DIGITS]) if digits else "")
    try:
        _say(stops, Answer(MinuteChoice.NUMBER, whole))
    except IdentifierError as error:
        return _ask_number(stops, error.text(language())), int(HTTPStatus.BAD_REQUEST)
    return _back(stops)


@bp.post("/undo")
@kiosk_officer
def undo() -> BaseResponse:
    """Take the last answer of this visit to the kiosk back."""
    at = current_officer()
    with runtime().db.write() as session:
        since = session.get_one(KioskSession, at.session_id).opened_at
        count = shifts.undo(session, officer_id=at.officer_id, station_id=at.station_id, since=since)
    if count:
        flash(t(f"Đã bỏ câu trả lời vừa ghi ({count} tệp).", f"Took the last answer back ({count} files)."))
    return _back([])


@bp.post("/end")
@kiosk_officer
def end() -> str | BaseResponse:
    """End the shift; what is unanswered is put off only once the officer said so."""
    at, limits = current_officer(), _limits()
    seen = _look()
    if seen.shift.unanswered and "later" not in request.form:
        open_stops = [stop for stop in seen.shift.stops if stop.minute is None]
        return render_template("kiosk/shift_open.html", stops=open_stops, due_at=now() + limits.minute, apart=_apart())
    with runtime().db.write() as session:
        slip = handover.end_shift(session, officer_id=at.officer_id, station_id=at.station_id, limits=limits)
    return redirect(url_for("kiosk_slips.show", slip_id=slip.id, ended=1), 303)


def _page(problem: str = "") -> str:
    seen = _look()
    return render_template(
        "kiosk/shift.html",
        shift=seen.shift,
        cameras=seen.cameras,
        owed=seen.owed,
        can_undo=seen.can_undo,
        apart=_apart(),
        marks_all="all" in request.args,
        hours=runtime().settings.coverage.minute_hours,
        still_loading=any(not standing.is_green for _, standing in seen.cameras if standing),
        problem=problem,
    )


def _look() -> _Look:
    at = current_officer()
    with runtime().db.read() as session:
        shift = shifts.shift_of(session, at.officer_id, apart=_apart())
        cameras = shifts.cameras_of(session, at.officer_id, shift.since)
        standing = standing_of(session, cameras)
        since = session.get_one(KioskSession, at.session_id).opened_at
        can_undo = shifts.can_undo(session, at.officer_id, since)
        owed = [row for row in debts_of_officer(session, at.officer_id) if row.debt.kind != DebtKind.MINUTE]
    return _Look(shift, [(camera, standing.get(camera.id)) for camera in cameras], owed, can_undo)


def _stops(names: Sequence[str]) -> list[Stop]:
    """Return the officer's own stops that hold one of the recordings named; other names are nobody's here."""
    wanted = set(names)
    with runtime().db.read() as session:
        shift = shifts.shift_of(session, current_officer().officer_id, apart=_apart())
    return [stop for stop in [*shift.put_off, *shift.stops] if wanted & set(stop.ids)]


def _say(stops: Sequence[Stop], said: Answer) -> None:
    at = current_officer()
    ids = [id_ for stop in stops for id_ in stop.ids]
    with runtime().db.write() as session:
        shifts.answer(session, ids, said, officer_id=at.officer_id, station_id=at.station_id)


def _ask_number(stops: Sequence[Stop], problem: str = "") -> str:
    with runtime().db.read() as session:
        last = spelling_of(last_number(session, current_officer().officer_id))
    endings = dict.fromkeys(spelling.whole("…") for spelling in (last, *_endings()) if spelling.suffix)
    return render_template(
        "kiosk/shift_number.html", stops=stops, last=last, endings=list(endings), apart=_apart(), problem=problem
    )


def _endings() -> list[Spelling]:
    return [Spelling("", "", ending) for ending in runtime().settings.coverage.minute_endings.split()]


def _ending(text: str) -> Spelling:
    """Return the spelling an ending of the page stands for: what is before and after its digits."""
    prefix, mark, suffix = text.partition("…")
    return Spelling(prefix, "", suffix) if mark else Spelling("", "", "")


def _apart() -> list[str]:
    """Return the stops that are shown file by file."""
    return request.values.getlist("apart")


def _back(stops: Sequence[Stop]) -> BaseResponse:
    """Lead back to the list, to the first line that was just answered."""
    anchor = f"s-{stops[0].ids[0]}" if stops else None
    return redirect(url_for("kiosk_shift.index", apart=_apart(), _anchor=anchor), 303)


def _minute_time() -> timedelta:
    return timedelta(hours=runtime().settings.coverage.minute_hours)


def _limits() -> handover.Limits:
    coverage = runtime().settings.coverage
    return handover.Limits(minute=_minute_time(), docking=timedelta(hours=coverage.footage_hours))

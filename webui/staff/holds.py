"""Holds ("Tạm dừng xóa"): those placed by order, for whom they concern; those that complaints caused, for intake and auditors alone.

Whoever may not see a complaint's hold is told the same as when there is none: by this page, its addresses, its numbers and counts.
"""

from dataclasses import replace
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import OutOfReachError
from bodycam.cases.models import Case
from bodycam.errors import BodycamError, InvalidInputError
from bodycam.people.models import Force, Officer, Unit
from bodycam.people.scope import Scope
from bodycam.people.units import officer_by_number
from bodycam.recordings.models import Recording
from bodycam.retention import holds, queries
from bodycam.retention.models import HoldCause, HoldTarget, LegalHold
from bodycam.retention.targets import Target, read_target
from webui.common.base import runtime
from webui.common.formatting import minute, position, read_degrees, read_moment
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of
from webui.staff.names import account_names

bp = Blueprint("holds", __name__)
ACTION = "hold.view"
ROWS = 50
_KINDS = {
    HoldTarget.RECORDING: ("Bản ghi", "Recording"),
    HoldTarget.CASE: ("Hồ sơ", "Case"),
    HoldTarget.PERSON: ("Cán bộ", "Officer"),
    HoldTarget.PLACE: ("Nơi và thời gian", "Place and time"),
}


@bp.get("/holds")
@allowed(ACTION)
def index() -> str:
    """List the holds that stand, or those released, newest first; those of complaints apart, for whom they are."""
    is_standing = request.args.get("ended") != "1"
    is_complaint = request.args.get("cause") == "complaint" and not scope("hold.complaint").is_empty
    cause = HoldCause.COMPLAINT if is_complaint else HoldCause.ORDER
    with runtime().db.read() as session:
        found = queries.list_holds(session, cause, is_standing=is_standing, after=request.args.get("after"), limit=ROWS)
        rows = [(row, _target_words(session, row)) for row in found if _may_see(session, row)]
        names = account_names(session, [one for row, _ in rows for one in (row.placed_by, row.released_by)])
    after = found[-1].id if len(found) == ROWS else None
    return render_template(
        "staff/holds.html", rows=rows, names=names, is_standing=is_standing, is_complaint=is_complaint, after=after,
        reasons=holds.REASONS,
    )  # fmt: skip


@bp.route("/holds/new", methods=["GET", "POST"])
@allowed("hold.place")
def create() -> str | tuple[str, int] | BaseResponse:
    """Place a hold on a recording, a case, an officer, or a place and time."""
    problem = ""
    if request.method == "POST":
        try:
            with runtime().db.write() as session:
                row = holds.place(
                    session,
                    _typed_target(session, request.form),
                    actor=viewer().account_id,
                    reason_code=request.form.get("reason", ""),
                    reason=request.form.get("words", ""),
                    discreet=request.form.get("discreet") == "1" and not scope("hold.complaint").is_empty,
                )
        except OutOfReachError:
            raise
        except BodycamError as error:
            problem = error.text(language())
        else:
            return redirect(url_for("holds.show", hold_id=row.id), 303)
    form: MultiDict[str, str] = request.form if request.method == "POST" else request.args
    page = render_template("staff/hold_new.html", form=form, reasons=holds.REASONS, wrong=problem)
    return (page, 400) if problem else page


@bp.get("/holds/<hold_id>")
@allowed(ACTION)
def show(hold_id: str) -> str:
    """Show a hold: what it covers, why, by whom, and who released it."""
    with runtime().db.read() as session:
        row = _find(session, hold_id)
        return render_template(
            "staff/hold.html",
            row=row,
            target=read_target(row.target),
            words=_target_words(session, row),
            names=account_names(session, [row.placed_by, row.released_by]),
            story=story_of(session, row.id),
            reasons=holds.REASONS,
            kinds=_KINDS,
            is_mine=row.placed_by == viewer().account_id,
            can_release=_may_release(session, row),
        )


@bp.post("/holds/<hold_id>/release")
@allowed("hold.release")
def release(hold_id: str) -> BaseResponse:
    """Release a hold as another person than the one who placed it."""
    with runtime().db.write() as session:
        _releasable(session, hold_id)
        holds.release(session, hold_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("holds.show", hold_id=hold_id), 303)


@bp.post("/holds/<hold_id>/narrow")
@allowed("hold.complaint")
def narrow(hold_id: str) -> BaseResponse:
    """Put a narrower time and place in the stead of a hold that a report caused by itself."""
    with runtime().db.write() as session:
        _find(session, hold_id)
        target = _place(request.form)
        row = holds.narrow(session, hold_id, target, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("holds.show", hold_id=row.id), 303)


def _find(session: Session, hold_id: str) -> LegalHold:
    row = session.get(LegalHold, hold_id)
    if row is None or not _may_see(session, row):
        raise OutOfReachError(what=t("lệnh tạm dừng xóa", "hold"))
    return row


def _releasable(session: Session, hold_id: str) -> LegalHold:
    row = _find(session, hold_id)
    if not _may_release(session, row):
        raise OutOfReachError(what=t("lệnh tạm dừng xóa", "hold"))
    return row


def _may_release(session: Session, row: LegalHold) -> bool:
    reach = scope("hold.release")
    return row.released_at is None and (
        not scope("hold.complaint").is_empty if row.cause == HoldCause.COMPLAINT else _covers(session, reach, row)
    )


def _may_see(session: Session, row: LegalHold) -> bool:
    if row.cause == HoldCause.COMPLAINT:
        return not scope("hold.complaint").is_empty
    return row.placed_by == viewer().account_id or _covers(session, scope(ACTION), row)


def _covers(session: Session, reach: Scope, row: LegalHold) -> bool:
    """Whether a scope holds the unit that a hold is about; one on any unit's footage is for those who see everything."""
    target = read_target(row.target)
    unit_id, officer_id = target.unit_id, target.officer_id
    if target.recording_id and (recording := session.get(Recording, target.recording_id)):
        unit_id, officer_id = recording.unit_id, recording.officer_id
    elif target.case_id and (case := session.get(Case, target.case_id)):
        unit_id = case.unit_id
    elif officer_id and (officer := session.get(Officer, officer_id)):
        unit_id = officer.unit_id
    unit = session.get(Unit, unit_id) if unit_id else None
    return reach.allows(unit_id=unit_id, unit_path=unit.path if unit else None, officer_ids=(officer_id,))


def _typed_target(session: Session, form: MultiDict[str, str]) -> Target:
    """Return what the form names, inside what the person may hold; raises OutOfReachError, InvalidInputError."""
    reach, kind = scope("hold.place"), form.get("kind", "")
    starts_at, ends_at = _span(form)
    if kind == HoldTarget.RECORDING:
        recording = session.get(Recording, form.get("recording", "").strip())
        unit = session.get(Unit, recording.unit_id) if recording and recording.unit_id else None
        path = unit.path if unit else None
        if recording is None or not reach.allows(unit_id=recording.unit_id, unit_path=path):
            raise OutOfReachError(what=t("bản ghi", "recording"))
        return Target(recording_id=recording.parent_id or recording.id)
    if kind == HoldTarget.CASE:
        case = session.get(Case, form.get("case", "").strip())
        unit = session.get(Unit, case.unit_id) if case else None
        if case is None or unit is None or not reach.allows(unit_id=unit.id, unit_path=unit.path):
            raise OutOfReachError(what=t("hồ sơ", "case"))
        return Target(case_id=case.id)
    if kind == HoldTarget.PERSON:
        officer = _officer(session, form.get("officer", ""), reach)
        return Target(officer_id=officer.id, starts_at=starts_at, ends_at=ends_at)
    if kind == HoldTarget.PLACE:
        return replace(_place(form), unit_id=None if reach.everything else top_unit(reach))
    raise InvalidInputError(field=t("Phạm vi", "What"), reason="choose what to hold", reason_vi="chọn phạm vi tạm dừng")


def top_unit(reach: Scope) -> str:
    """Return the unit at the top of a person's reach: a hold on a place covers it and what is below."""
    for path in reach.subtrees:
        return path.rstrip("/").rpartition("/")[2]
    for unit_id in reach.units:
        return unit_id
    raise OutOfReachError(what=t("đơn vị", "unit"))


def _officer(session: Session, number: str, reach: Scope) -> Officer:
    for force in Force:
        officer = officer_by_number(session, force.value, number) if number.strip() else None
        unit = session.get(Unit, officer.unit_id) if officer else None
        if officer and unit and reach.allows(unit_id=unit.id, unit_path=unit.path):
            return officer
    raise OutOfReachError(what=t("cán bộ có số hiệu này", "officer of this number"))


def _place(form: MultiDict[str, str]) -> Target:
    starts_at, ends_at = _span(form)
    radius = form.get("radius_m", "").strip()
    return Target(
        starts_at=starts_at,
        ends_at=ends_at,
        place=form.get("place", "").strip()[:200],
        lat=read_degrees(form.get("lat", ""), field=t("Vĩ độ", "Latitude")),
        lon=read_degrees(form.get("lon", ""), field=t("Kinh độ", "Longitude")),
        radius_m=read_degrees(radius, field=t("Bán kính", "Radius")) if radius else None,
    )


def _span(form: MultiDict[str, str]) -> tuple[datetime | None, datetime | None]:
    starts_at = read_moment(form.get("starts_at", ""), field=t("Bắt đầu", "Start"))
    return starts_at, read_moment(form.get("ends_at", ""), field=t("Kết thúc", "End"), end_of_day=True)


def _target_words(session: Session, row: LegalHold) -> str:
    """Say what a hold covers."""
    target = read_target(row.target)
    parts = [t(*_KINDS[target.kind])]
    if target.recording_id and (recording := session.get(Recording, target.recording_id)):
        parts.append(minute(recording.shown_at))
    if target.case_id and (case := session.get(Case, target.case_id)):
        parts.append(case.number or case.title)
    if target.officer_id and (officer := session.get(Officer, target.officer_id)):
        parts.append(f"{officer.name}, {officer.number}")
    if target.place:
        parts.append(target.place)
    if target.lat is not None:
        parts.append(f"{position(target.lat, target.lon)} ± {target.radius_m:.0f} m")
    elif target.kind is HoldTarget.PLACE and not target.place:
        parts.append(t("mọi nơi", "any place"))
    if target.starts_at is not None or target.ends_at is not None:
        parts.append(f"{minute(target.starts_at)} – {minute(target.ends_at)}")
    return " · ".join(parts)

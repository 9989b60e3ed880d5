"""Cases: listed by kind, opened by form, and the recordings that belong to them, proposed with the reason why.

A case is found only inside the person's scope. Attaching a recording needs the right on both: on the case and on the recording.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bodycam import custody
from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.cases import links, service
from bodycam.cases.errors import CaseFieldError
from bodycam.cases.kinds import CaseKind, Deadline, deadlines_of, kind_of, kinds
from bodycam.cases.models import Case, CaseState
from bodycam.cases.queries import CaseFilter, identifiers_of, is_visible, list_cases, officers_of
from bodycam.clock import now
from bodycam.errors import InvalidInputError
from bodycam.people.models import Officer, Unit
from bodycam.people.units import list_units
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.case_form import facts_of, form_of
from webui.staff.case_view import belonging, case_bar, counts_of, fields_of
from webui.staff.cursors import read_cursor, write_cursor
from webui.staff.history import story_of
from webui.staff.reach import find

bp = Blueprint("cases", __name__)
ROWS = 30
OVER_FOR = timedelta(days=30)


@bp.get("/cases")
@allowed("case.list")
def index() -> str:
    """Show one page of cases, the newest beginning first."""
    asked = {name: request.args.get(name, "").strip() for name in ("q", "kind", "state")}
    wanted = CaseFilter(text=asked["q"], kind=asked["kind"], state=asked["state"])
    with runtime().db.read() as session:
        page = list_cases(session, scope("case.list"), wanted, after=read_cursor(), limit=ROWS)
        units = {unit.id: unit.name for unit in list_units(session, scope("case.list"))}
        counts = counts_of(session, [case.id for case in page.cases], scope("recording.list"))
    rows = [(case, kind_of(case.kind), _next_deadline(case)) for case in page.cases]
    after = write_cursor(*page.after) if page.after else None
    return render_template(
        "staff/cases.html", rows=rows, units=units, counts=counts, asked=asked, after=after, kinds=kinds(), now=now()
    )


@bp.get("/cases/new")
@allowed("case.edit")
def choose() -> str:
    """Let the person choose the kind of a new case: those of the forces in reach."""
    with runtime().db.read() as session:
        units = list_units(session, scope("case.edit"))
    forces = {unit.force for unit in units}
    open_to = [kind for kind in kinds().values() if forces & set(kind.forces)]
    return render_template("staff/case_kinds.html", kinds=open_to)


@bp.route("/cases/new/<kind>", methods=["GET", "POST"])
@allowed("case.edit")
def create(kind: str) -> str | Response | tuple[str, int]:
    """Open a case; a wrong field is named and what was typed stays."""
    rules = kind_of(kind)
    with runtime().db.read() as session:
        units = [unit for unit in list_units(session, scope("case.edit")) if unit.force in rules.forces]
    if request.method == "GET":
        return _form(rules, units, {})
    try:
        unit = _chosen(units)
        with runtime().db.write() as session:
            facts = facts_of(session, rules, unit, request.form)
            case = service.open_case(session, kind=kind, unit_id=unit.id, facts=facts, actor=viewer().account_id)
    except (CaseFieldError, InvalidInputError) as error:
        return _form(rules, units, request.form, error), 400
    return redirect(url_for("cases.show", case_id=case.id))


@bp.route("/cases/<case_id>/edit", methods=["GET", "POST"])
@allowed("case.edit")
def edit(case_id: str) -> str | Response | tuple[str, int]:
    """Correct a case; recordings are matched anew."""
    with runtime().db.read() as session:
        case = _case(session, case_id, "case.edit")
        rules, unit = kind_of(case.kind), session.get_one(Unit, case.unit_id)
        form = form_of(session, case, rules)
    if request.method == "GET":
        return _form(rules, [unit], form | {"unit": unit.id}, case=case)
    try:
        with runtime().db.write() as session:
            facts = facts_of(session, rules, unit, request.form)
            service.edit_case(session, case_id, facts=facts, actor=viewer().account_id)
    except (CaseFieldError, InvalidInputError) as error:
        return _form(rules, [unit], request.form, error, case), 400
    return redirect(url_for("cases.show", case_id=case_id))


@bp.get("/cases/<case_id>")
@allowed("case.view")
def show(case_id: str) -> str:
    """Show a case with its recordings, deadlines and story; looking at it is an event, without a reason: the case is one."""
    with runtime().db.read() as session:
        case = _case(session, case_id, "case.view")
        rules = kind_of(case.kind)
        found = belonging(session, case, scope("recording.list"), scope("recording.view"))
        facts = fields_of(case, rules)
        identifiers = identifiers_of(session, case_id)
        officers = [session.get_one(Officer, officer_id) for officer_id in officers_of(session, case_id)]
        unit = session.get_one(Unit, case.unit_id)
        story = story_of(session, case_id)
        editable = is_visible(session, scope("case.edit"), case_id)
    custody.record_now(runtime().db, "case.viewed", object_id=case_id, actor=viewer().account_id)
    labels = {entry.key: entry.label(language()) for entry in rules.identifiers}
    return render_template(
        "staff/case.html",
        case=case, kind=rules, unit=unit, found=found, facts=facts, officers=officers, story=story, labels=labels,
        identifiers=identifiers, editable=editable and case.state == CaseState.OPEN, deadlines=_deadlines(case), now=now(),
        can_attach=not scope("recording.attach").is_empty, bar=case_bar(case),
    )  # fmt: skip


@bp.post("/cases/<case_id>/close")
@allowed("case.edit")
def close(case_id: str) -> Response:
    """Close a case: nothing more is proposed for it."""
    with runtime().db.write() as session:
        _case(session, case_id, "case.edit")
        service.close_case(session, case_id, actor=viewer().account_id)
    return redirect(url_for("cases.show", case_id=case_id))


@bp.post("/cases/<case_id>/recordings/<recording_id>/attach")
@allowed("recording.attach")
def attach(case_id: str, recording_id: str) -> Response:
    """Attach a proposed recording."""
    with runtime().db.write() as session:
        _both(session, case_id, recording_id)
        links.attach(session, case_id=case_id, recording_id=recording_id, account_id=viewer().account_id)
    return _back(case_id, recording_id)


@bp.post("/recordings/<recording_id>/attach")
@allowed("recording.attach")
def attach_by_number(recording_id: str) -> Response:
    """Attach a recording to the one open case that has the typed number or identifier."""
    typed = request.form.get("number", "").strip()
    field = t("Số hồ sơ", "Case number")
    if not typed:
        raise InvalidInputError(field=field, reason_vi="cần điền", reason="is needed")
    with runtime().db.write() as session:
        find(session, recording_id, "recording.attach")
        wanted = CaseFilter(text=typed, state=CaseState.OPEN)
        found = list_cases(session, scope("case.edit"), wanted, limit=2).cases
        if len(found) != 1:
            raise InvalidInputError(
                field=field,
                reason_vi="có nhiều hồ sơ khớp, ghi đủ số"
                if found
                else f"không có hồ sơ đang mở nào khớp “{typed[:60]}”",
                reason="several cases match, write the whole number"
                if found
                else f"no open case matches “{typed[:60]}”",
            )
        links.attach(session, case_id=found[0].id, recording_id=recording_id, account_id=viewer().account_id)
    return redirect(url_for("player.show", recording_id=recording_id))


@bp.post("/cases/<case_id>/recordings/<recording_id>/<step>")
@allowed("recording.attach")
def decide(case_id: str, recording_id: str, step: str) -> Response:
    """Reject a proposal or detach a recording, with a reason."""
    steps = {"reject": links.reject, "detach": links.detach}
    if step not in steps:
        abort(404)
    with runtime().db.write() as session:
        _both(session, case_id, recording_id)
        reason = request.form.get("reason", "")
        steps[step](session, case_id=case_id, recording_id=recording_id, account_id=viewer().account_id, reason=reason)
    return redirect(url_for("cases.show", case_id=case_id))


def _case(session: Session, case_id: str, action: str) -> Case:
    if not is_visible(session, scope("case.list"), case_id):
        raise OutOfReachError(what=t("hồ sơ", "case"))
    if not is_visible(session, scope(action), case_id):
        raise ForbiddenError(action=action)
    return service.get_case(session, case_id)


def _chosen(units: Sequence[Unit]) -> Unit:
    for unit in units:
        if unit.id == request.form.get("unit"):
            return unit
    raise InvalidInputError(field=t("Đơn vị", "Unit"), reason_vi="chọn một đơn vị", reason="choose a unit")


def _both(session: Session, case_id: str, recording_id: str) -> None:
    _case(session, case_id, "case.edit")
    find(session, recording_id, "recording.attach")


def _back(case_id: str, recording_id: str) -> Response:
    if request.form.get("back") == "player":
        return redirect(url_for("player.show", recording_id=recording_id))
    return redirect(url_for("cases.show", case_id=case_id))


def _deadlines(case: Case) -> list[Deadline]:
    values = json.loads(case.fields)
    return deadlines_of(kind_of(case.kind), starts_at=case.starts_at, ends_at=case.ends_at, fields=values)


def _next_deadline(case: Case) -> Deadline | None:
    """Return the soonest deadline of an open case that isn't over for long: what a list should warn of."""
    running = [deadline for deadline in _deadlines(case) if deadline.due_at > now() - OVER_FOR]
    return running[0] if running and case.state == CaseState.OPEN else None


def _form(
    kind: CaseKind,
    units: Sequence[Unit],
    form: Mapping[str, str],
    error: CaseFieldError | InvalidInputError | None = None,
    case: Case | None = None,
) -> str:
    wrong = error.text(language()) if error else ""
    return render_template("staff/case_form.html", kind=kind, units=units, form=form, wrong=wrong, case=case)

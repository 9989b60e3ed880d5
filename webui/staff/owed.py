"""What is still missing, with its owner, its deadline and the next step; and the hand-over slips of ended shifts.

Nobody is accused here: a line says what should be there and is not yet. Supervisors see their units, an officer his own.
"""

from datetime import timedelta

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.clock import now
from bodycam.coverage import handover, queries, service
from bodycam.coverage.models import DebtKind
from bodycam.coverage.slip import Slip, read_slip
from bodycam.errors import NotFoundError
from bodycam.people.models import Officer, Unit
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.common.slips import slip_pdf
from webui.staff.cursors import read_cursor, write_cursor

bp = Blueprint("owed", __name__)
ACTION = "coverage.view"
ROWS = 50
LOOKED_BACK = timedelta(days=30)


@bp.get("/owed")
@allowed(ACTION)
def index() -> str:
    """Show what is missing, the earliest deadline first."""
    reach, kind, moment = scope(ACTION), request.args.get("kind", ""), now()
    kind = kind if kind in set(DebtKind) else ""
    with runtime().db.read() as session:
        page = queries.open_debts(session, reach, kind=kind, after=read_cursor(), limit=ROWS)
        ended = queries.count_closed(session, reach, moment - LOOKED_BACK)
    return render_template(
        "staff/owed.html",
        rows=page.debts,
        after=write_cursor(*page.after) if page.after else None,
        kind=kind,
        kinds=_kinds(),
        ended=ended,
        now=moment,
    )


@bp.post("/owed/<debt_id>/explain")
@allowed("coverage.explain")
def explain(debt_id: str) -> BaseResponse:
    """End what won't be settled, with its reason; nobody does so for himself."""
    with runtime().db.write() as session:
        try:
            debt = service.get_debt(session, debt_id)
        except NotFoundError:
            raise OutOfReachError(what=t("khoản còn thiếu", "debt")) from None
        unit = session.get(Unit, debt.unit_id) if debt.unit_id else None
        if not scope("coverage.explain").allows(unit_id=debt.unit_id, unit_path=unit.path if unit else None):
            raise OutOfReachError(what=t("khoản còn thiếu", "debt"))
        if debt.officer_id is not None and debt.officer_id == viewer().officer_id:
            raise ForbiddenError(action="coverage.explain")
        service.explain(session, debt, reason=request.form.get("reason", ""), actor=viewer().account_id)
    return redirect(url_for("owed.index"), 303)


@bp.get("/slips")
@allowed(ACTION)
def slips() -> str:
    """List the hand-over slips, newest first."""
    with runtime().db.read() as session:
        page = handover.slips(session, scope(ACTION), after=read_cursor())
    after = write_cursor(*page.after) if page.after else None
    rows = [(read_slip(slip), officer) for slip, officer in page.slips]
    return render_template("staff/slips.html", rows=rows, after=after)


@bp.get("/slips/<slip_id>")
@allowed(ACTION)
def slip(slip_id: str) -> str:
    """Show one slip as it was handed over."""
    return render_template("staff/slip.html", slip=_find(slip_id))


@bp.get("/slips/<slip_id>.pdf")
@allowed(ACTION)
def paper(slip_id: str) -> Response:
    """Give one slip as PDF."""
    return slip_pdf(_find(slip_id))


def _find(slip_id: str) -> Slip:
    with runtime().db.read() as session:
        try:
            row = handover.slip_of(session, slip_id)
        except NotFoundError:
            raise OutOfReachError(what=t("phiếu bàn giao", "hand-over slip")) from None
        officer = session.get_one(Officer, row.officer_id)
        unit = session.get_one(Unit, officer.unit_id)
        if not scope(ACTION).allows(unit_id=unit.id, unit_path=unit.path, officer_ids=(officer.id,)):
            raise OutOfReachError(what=t("phiếu bàn giao", "hand-over slip"))
    return read_slip(row)


def _kinds() -> dict[str, str]:
    return {
        DebtKind.FOOTAGE.value: t("Bản ghi còn trên máy", "Footage still on a camera"),
        DebtKind.DOCKING.value: t("Máy chưa về trạm", "Camera not docked"),
        DebtKind.MINUTE.value: t("Số biên bản", "Minute number"),
    }

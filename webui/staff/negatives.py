"""Signed negatives: asked for in a form, searched, stated, printed; and those that footage reopened, until somebody knows.

What somebody who handles citizens' reports asked for is not shown to those who may not read them: it would tell of a complaint.
"""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy import Select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bodycam import custody
from bodycam.access.errors import OutOfReachError
from bodycam.access.permissions import Action
from bodycam.access.service import holders_of
from bodycam.cases.queries import CaseFilter, list_cases
from bodycam.errors import BodycamError, InvalidInputError, NotFoundError
from bodycam.people.accounts import grants_of
from bodycam.people.models import Force, Officer, Unit
from bodycam.people.units import officer_by_number
from bodycam.recordings.models import Recording
from bodycam.retention import negatives, queries
from bodycam.retention.models import SignedNegative
from bodycam.retention.negative_paper import negative_paper, rows_of
from webui.common.base import runtime
from webui.common.formatting import read_degrees, read_moment
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of
from webui.staff.holds import top_unit
from webui.staff.names import account_names
from webui.staff.reach import may_reach

bp = Blueprint("negatives", __name__)
ACTION = "negative.view"
ROWS = 50


def waiting_for_me() -> int:
    """Return how many reopened negatives nobody has said to know of."""
    reach = scope("negative.sign")
    if reach.is_empty:
        return 0
    with runtime().db.read() as session:
        return queries.count_reopened(session, reach, hidden=_hidden())


@bp.get("/negatives")
@allowed(ACTION)
def index() -> str:
    """List the negatives, newest first."""
    with runtime().db.read() as session:
        rows = queries.list_negatives(
            session, scope(ACTION), hidden=_hidden(), after=request.args.get("after"), limit=ROWS
        )
        names = account_names(session, [row.made_by for row in rows])
    asked = {row.id: rows_of(row, language())[0] for row in rows}
    after = rows[-1].id if len(rows) == ROWS else None
    return render_template("staff/negatives.html", rows=rows, asked=asked, names=names, after=after)


@bp.route("/negatives/new", methods=["GET", "POST"])
@allowed("negative.sign")
def create() -> str | tuple[str, int] | BaseResponse:
    """Search, and sign that nothing was found."""
    problem = ""
    if request.method == "POST":
        try:
            with runtime().db.write() as session:
                reach = scope("negative.sign")
                unit_id = _own_unit(session) if reach.everything else top_unit(reach)
                row = negatives.sign(session, _typed(session), actor=viewer().account_id, unit_id=unit_id)
        except BodycamError as error:
            problem = error.text(language())
        else:
            return redirect(url_for("negatives.show", negative_id=row.id), 303)
    page = render_template("staff/negative_new.html", form=request.form, wrong=problem)
    return (page, 400) if problem else page


@bp.get("/negatives/<negative_id>")
@allowed(ACTION)
def show(negative_id: str) -> str:
    """Show a negative: what was asked, what was searched, and whether it stands."""
    with runtime().db.read() as session:
        row = _find(session, negative_id)
        asked, searched = rows_of(row, language())
        appeared = session.get(Recording, row.reopened_by) if row.reopened_by else None
        unit = session.get(Unit, appeared.unit_id) if appeared and appeared.unit_id else None
        return render_template(
            "staff/negative.html",
            row=row,
            asked=asked,
            searched=searched,
            names=account_names(session, [row.made_by, row.seen_by]),
            receipt=custody.receipt_for(session, row.event_id),
            appeared=appeared if appeared and may_reach(scope("recording.list"), appeared, unit) else None,
            story=story_of(session, row.id),
        )


@bp.get("/negatives/<negative_id>.pdf")
@allowed(ACTION)
def paper(negative_id: str) -> Response:
    """Send the statement as a PDF to print."""
    with runtime().db.read() as session:
        row = _find(session, negative_id)
        data = negative_paper(session, row, language())
    response = Response(data, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{row.number}.pdf")
    return response


@bp.get("/negatives/<negative_id>/receipt")
@allowed(ACTION)
def receipt(negative_id: str) -> Response:
    """Send the receipt that proves what was stated and when."""
    with runtime().db.read() as session:
        row = _find(session, negative_id)
        found = custody.receipt_for(session, row.event_id)
    if found is None:
        raise NotFoundError(what=t("biên nhận (còn chờ vài giây)", "receipt (wait a few seconds)"))
    response = Response(found.body, mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=f"bien-nhan-{row.number}.txt")
    return response


@bp.post("/negatives/<negative_id>/seen")
@allowed("negative.sign")
def seen(negative_id: str) -> BaseResponse:
    """Say that one knows of a reopened negative."""
    with runtime().db.write() as session:
        _find(session, negative_id)
        negatives.acknowledge(session, negative_id, actor=viewer().account_id)
    return redirect(url_for("negatives.show", negative_id=negative_id), 303)


def _find(session: Session, negative_id: str) -> SignedNegative:
    row = session.get(SignedNegative, negative_id)
    unit = session.get(Unit, row.unit_id) if row else None
    is_shown = row is not None and unit is not None and scope(ACTION).allows(unit_id=unit.id, unit_path=unit.path)
    hidden = _hidden()
    if row is None or not is_shown or (hidden is not None and row.made_by in set(session.scalars(hidden))):
        raise OutOfReachError(what=t("xác nhận", "statement"))
    return row


def _hidden() -> Select[str] | None:
    return None if not scope(Action.SUBMISSION_VIEW).is_empty else holders_of(Action.SUBMISSION_VIEW)


def _own_unit(session: Session) -> str:
    return grants_of(session, viewer().account_id)[0][1].id


def _typed(session: Session) -> negatives.Asked:
    form, reach = request.form, scope("negative.sign")
    starts_at = read_moment(form.get("starts_at", ""), field=t("Từ", "From"))
    ends_at = read_moment(form.get("ends_at", ""), field=t("Đến", "To"), end_of_day=True)
    if starts_at is None or ends_at is None:
        raise InvalidInputError(
            field=t("Thời gian", "Time"), reason="from and to are needed", reason_vi="cần cả lúc bắt đầu và kết thúc"
        )
    radius = form.get("radius_m", "").strip()
    return negatives.Asked(
        starts_at=starts_at,
        ends_at=ends_at,
        place=form.get("place", "").strip()[: negatives.MAX_TEXT],
        lat=read_degrees(form.get("lat", ""), field=t("Vĩ độ", "Latitude")),
        lon=read_degrees(form.get("lon", ""), field=t("Kinh độ", "Longitude")),
        radius_m=read_degrees(radius, field=t("Bán kính", "Radius")) if radius else None,
        officer_id=_officer(session, form.get("officer", "").strip()),
        plate=form.get("plate", "").strip()[:40],
        case_id=_case(session, form.get("case", "").strip()),
        everything=reach.everything,
        subtrees=reach.subtrees,
    )


def _officer(session: Session, number: str) -> str | None:
    if not number:
        return None
    found: list[Officer] = [one for force in Force if (one := officer_by_number(session, force.value, number))]
    for officer in found:
        unit = session.get_one(Unit, officer.unit_id)
        if scope("negative.sign").allows(unit_id=unit.id, unit_path=unit.path):
            return officer.id
    raise InvalidInputError(
        field=t("Số hiệu", "Officer's number"), reason="no such officer here", reason_vi="không có cán bộ này"
    )


def _case(session: Session, number: str) -> str | None:
    if not number:
        return None
    page = list_cases(session, scope("case.list"), CaseFilter(text=number), limit=2)
    if len(page.cases) != 1:
        raise InvalidInputError(
            field=t("Hồ sơ", "Case"),
            reason="no one case of this number",
            reason_vi="không có đúng một hồ sơ mang số này",
        )
    return page.cases[0].id

"""Extraction orders on the pages: requested from a recording or a case, decided by somebody else, the package made and handed over.

An order is found only inside the person's scope; one that intake or audit requested isn't there for the line of the recorded
officer. What the service refuses it refuses here too; the page only leaves the button away.
"""

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bodycam import custody
from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.cases.models import Case
from bodycam.cases.queries import is_visible
from bodycam.clock import now
from bodycam.jobs import service as jobs
from bodycam.packages import orders, queries
from bodycam.packages.errors import (
    NoOrderError,
    NothingToExtractError,
    OrderExpiredError,
    OrderStateError,
    OwnOrderError,
)
from bodycam.packages.models import ExtractionItem, ExtractionOrder, MakingState, OrderState
from bodycam.packages.order_paper import order_pdf
from bodycam.packages.queries import OrderLine
from bodycam.packages.reasons import VERDICT_NAMES, Verdict
from bodycam.people.models import Account, Unit
from bodycam.recordings.models import Origin, Recording
from webui.common import errors
from webui.common.base import runtime
from webui.common.connections import take_time
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.bundles import zipped
from webui.staff.history import story_of
from webui.staff.menu import count_with
from webui.staff.reach import find

bp = Blueprint("extractions", __name__)
ROWS = 30
FILES = 200  # of an order's list on its page
_JOB = "package.create"


def init_app(app: Flask) -> None:
    """Say what the orders' errors are in HTTP, and count for the menu."""
    errors.status_for(NothingToExtractError, HTTPStatus.BAD_REQUEST)
    for late in (OrderStateError, OrderExpiredError, NoOrderError):
        errors.status_for(late, HTTPStatus.CONFLICT)
    errors.status_for(OwnOrderError, HTTPStatus.FORBIDDEN)
    count_with(app, "extractions.index", _waiting_for_me)
    app.jinja_env.globals.update(extraction_state=lambda state: t(*orders.STATE_NAMES[state]))


def discreet() -> bool:
    """Say whether the signed-in person must not learn of what intake and audit requested."""
    return scope("submission.view").is_empty


def _waiting_for_me() -> int:
    reach = scope("extraction.approve")
    if reach.is_empty:
        return 0
    with runtime().db.read() as session:
        return queries.count_to_approve(session, reach, viewer().account_id, discreet=discreet())


@bp.get("/extractions")
@allowed("extraction.view")
def index() -> str:
    """Show the open orders with what each waits for, or the ended ones."""
    is_open = request.args.get("ended") != "1"
    with runtime().db.read() as session:
        lines = queries.list_orders(
            session, scope("extraction.view"), is_open=is_open, discreet=discreet(),
            after=request.args.get("after") or None, limit=ROWS + 1,
        )  # fmt: skip
    after = lines[ROWS - 1].order.id if len(lines) > ROWS else None
    return render_template("staff/extractions.html", lines=lines[:ROWS], is_open=is_open, after=after, waits=_waits)


@bp.route("/extractions/new", methods=["GET", "POST"])
@allowed("extraction.request")
def create() -> str | BaseResponse:
    """Ask for a recording, or for all that a case has attached; the list shown is the list requested."""
    recording_id, case_id = request.values.get("recording"), request.values.get("case")
    with runtime().db.read() as session:
        case = _case(session, case_id) if case_id else None
        ids = () if case else (_recording(session, recording_id or ""),)
        recordings = orders.recordings_for(session, recording_ids=ids, case_id=case.id if case else None)
        for recording in recordings if case else ():
            find(session, recording.id, "recording.list")
    if not recordings:
        raise NothingToExtractError
    if request.method == "GET":
        return render_template("staff/extraction_new.html", case=case, recording_id=recording_id, recordings=recordings)
    wanted = orders.Request(
        purpose=request.form.get("purpose", ""),
        recipient=request.form.get("recipient", ""),
        renditions=request.form.get("renditions") == "1",
        days=request.form.get("days", 0, type=int),
        recording_ids=tuple(ids),
        case_id=case.id if case else None,
    )
    with runtime().db.write() as session:
        order = orders.request(session, wanted, actor=viewer().account_id)
    return redirect(url_for("extractions.show", order_id=order.id))


@bp.get("/extractions/<order_id>")
@allowed("extraction.view")
def show(order_id: str) -> str:
    """Show an order: its steps, its recordings, the package's state, and the buttons of one's role."""
    with runtime().db.read() as session:
        line = _order(session, order_id, "extraction.view")
        order = line.order
        accounts = {order.requested_by, order.approved_by, order.handed_by} - {None}
        names = {account_id: session.get_one(Account, account_id).display_name for account_id in accounts}
        shown = _recordings(session, order, FILES)
        case = session.get(Case, order.case_id) if order.case_id else None
        is_working = order.making in {MakingState.WAITING, MakingState.RUNNING} and jobs.is_waiting(session, _JOB)
        rights = {step: _reaches(session, order, f"extraction.{step}") for step in ("request", "approve")}
        story = story_of(session, order_id)
    return render_template(
        "staff/extraction.html",
        line=line,
        order=order,
        names=names,
        recordings=shown,
        case=case if case and _sees(case) else None,
        is_working=is_working,
        is_here=Path(order.package_path).is_dir() if order.package_path else False,
        percent=min(100, 100 * order.making_done // order.making_total) if order.making_total else 0,
        problem=_problem(order),
        verdict=t(*VERDICT_NAMES[Verdict(order.package_verdict)]) if order.package_verdict else "",
        rights=rights,
        is_own=viewer().account_id == order.requested_by,
        is_expired=now() > order.expires_at,
        story=story,
        waits=_waits,
    )


@bp.post("/extractions/<order_id>/approve")
@allowed("extraction.approve")
def approve(order_id: str) -> BaseResponse:
    """Approve the list that was shown."""
    with runtime().db.write() as session:
        _order(session, order_id, "extraction.approve")
        orders.approve(session, order_id, actor=viewer().account_id, seen=request.form.get("seen", ""))
    return redirect(url_for("extractions.show", order_id=order_id))


@bp.post("/extractions/<order_id>/refuse")
@allowed("extraction.approve")
def refuse(order_id: str) -> BaseResponse:
    """Refuse an order, with the reason."""
    with runtime().db.write() as session:
        _order(session, order_id, "extraction.approve")
        orders.refuse(session, order_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("extractions.show", order_id=order_id))


@bp.post("/extractions/<order_id>/withdraw")
@allowed("extraction.request")
def withdraw(order_id: str) -> BaseResponse:
    """Take an order back, with the reason."""
    with runtime().db.write() as session:
        _order(session, order_id, "extraction.request")
        orders.withdraw(session, order_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("extractions.show", order_id=order_id))


@bp.post("/extractions/<order_id>/make")
@allowed("extraction.request")
def make(order_id: str) -> BaseResponse:
    """Have the package made, or its proof renewed with the newest cosignatures."""
    with runtime().db.write() as session:
        _order(session, order_id, "extraction.request")
        order = orders.get_order(session, order_id, OrderState.APPROVED, OrderState.MADE)
        orders.check_unexpired(order)
        if not jobs.is_waiting(session, _JOB) or order.making not in {MakingState.WAITING, MakingState.RUNNING}:
            order.making, order.making_done, order.making_problem = MakingState.WAITING, 0, ""
            jobs.enqueue(session, _JOB, {"order_id": order_id, "account_id": viewer().account_id})
    return redirect(url_for("extractions.show", order_id=order_id))


@bp.post("/extractions/<order_id>/hand-over")
@allowed("extraction.request")
def hand_over(order_id: str) -> BaseResponse:
    """Note who took the package."""
    with runtime().db.write() as session:
        _order(session, order_id, "extraction.request")
        orders.hand_over(session, order_id, actor=viewer().account_id, taken_by=request.form.get("taken_by", ""))
    return redirect(url_for("extractions.show", order_id=order_id))


@bp.get("/extractions/<order_id>/order.pdf")
@allowed("extraction.view")
def paper(order_id: str) -> Response:
    """Send the order as a PDF."""
    with runtime().db.read() as session:
        order = _order(session, order_id, "extraction.view").order
        unit = session.get(Unit, order.unit_id) if order.unit_id else None
        data = order_pdf(
            order,
            _recordings(session, order, None),
            unit=unit,
            above=session.get(Unit, unit.parent_id) if unit and unit.parent_id else None,
            case=session.get(Case, order.case_id) if order.case_id else None,
            requester=session.get_one(Account, order.requested_by),
            approver=session.get(Account, order.approved_by) if order.approved_by else None,
            language=language(),
        )
    response = Response(data, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{order.number}.pdf")
    return response


@bp.post("/extractions/<order_id>/package.zip")
@allowed("extraction.request")
def download(order_id: str) -> Response:
    """Send the package as one archive while it is read; who fetched it is committed before the first byte."""
    with runtime().db.write() as session:
        line = _order(session, order_id, "extraction.request")
        order = orders.get_order(session, order_id, OrderState.MADE, OrderState.HANDED_OVER)
        orders.check_unexpired(order)
        folder = Path(order.package_path or "")
        if not folder.is_dir():
            raise OutOfReachError(what=t("gói trên máy chủ này", "package on this server"))
        details = {"package": order.package_id, "manifest": order.manifest_sha256}
        custody.record(session, "package.downloaded", object_id=order_id, actor=viewer().account_id, details=details)
    take_time()  # a package takes its time; only who is signed in gets here
    response = Response(zipped(folder), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename=f"{line.order.number}.zip")
    return response


def _order(session: Session, order_id: str, action: str) -> OrderLine:
    line = queries.find_order(session, scope("extraction.view"), order_id, discreet=discreet())
    if line is None:
        raise OutOfReachError(what=t("phiếu trích xuất", "extraction order"))
    if not _reaches(session, line.order, action):
        raise ForbiddenError(action=action)
    return line


def _reaches(session: Session, order: ExtractionOrder, action: str) -> bool:
    unit = session.get(Unit, order.unit_id) if order.unit_id else None
    return scope(action).allows(unit_id=order.unit_id, unit_path=unit.path if unit else None)


def _recording(session: Session, recording_id: str) -> str:
    """Return the id of a recording the signed-in person may request; a citizen's only who may read citizens' reports."""
    recording = session.get(Recording, recording_id)
    if recording is not None and recording.origin == Origin.CITIZEN and not discreet():
        return recording.id
    return find(session, recording_id, "recording.list").recording.id


def _case(session: Session, case_id: str) -> Case:
    case = session.get(Case, case_id)
    if case is None or not is_visible(session, scope("case.view"), case_id):
        raise OutOfReachError(what=t("hồ sơ", "case"))
    return case


def _sees(case: Case) -> bool:
    with runtime().db.read() as session:
        return is_visible(session, scope("case.view"), case.id)


def _recordings(session: Session, order: ExtractionOrder, limit: int | None) -> list[Recording]:
    query = select(Recording).join(ExtractionItem, ExtractionItem.recording_id == Recording.id)
    query = query.where(ExtractionItem.order_id == order.id).order_by(Recording.id).limit(limit)
    return list(session.scalars(query))


def _problem(order: ExtractionOrder) -> str:
    if order.making != MakingState.FAILED:
        return ""
    vi, _, en = order.making_problem.partition("\n")
    return t(vi, en or vi)


def _waits(line: OrderLine) -> str:
    """Say what an order waits for, and whom."""
    order = line.order
    is_late = now() > order.expires_at and order.state in orders.OPEN_STATES
    if is_late:
        return t("Đã hết hạn: rút phiếu và lập phiếu mới", "Expired: withdraw it and request a new one")
    match order.state:
        case OrderState.REQUESTED:
            return t("Thủ trưởng đơn vị xem danh sách và duyệt", "The head of unit reads the list and decides")
        case OrderState.APPROVED:
            return t("Tạo gói chứng cứ", "Have the package made")
        case OrderState.MADE:
            return t("Bàn giao gói và ghi người nhận", "Hand the package over and note who took it")
        case OrderState.HANDED_OVER:
            return t(f"Người nhận: {order.handed_to}", f"Taken by {order.handed_to}")
        case _:
            return order.reason

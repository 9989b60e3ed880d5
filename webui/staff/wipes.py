"""Wiping cameras: the orders and what each waits for, raised, approved, given their signed copy; and the minute to print.

An order is found only inside the person's scope. What the service refuses (one's own order, a step in the wrong state) it
refuses here too; the page only leaves the button away.
"""

from http import HTTPStatus
from typing import BinaryIO, cast

from flask import Blueprint, Flask, Response, redirect, render_template, request, request_started, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bodycam import custody
from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.fixity.queries import damaged_objects
from bodycam.people.models import Account, Unit
from bodycam.wipes import queries, service, signed
from bodycam.wipes.errors import ListChangedError, NothingToWipeError, OwnOrderError, SignedCopyError, WipeStateError
from bodycam.wipes.execution import reason_words
from bodycam.wipes.listing import items_of, list_sha256, listable_by_camera
from bodycam.wipes.minute import grouped, minute_of
from bodycam.wipes.models import OrderState, WipeOrder
from bodycam.wipes.queries import OrderLine
from webui.common import errors
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.ranges import ranged
from webui.common.signin import COOKIE, scope, viewer
from webui.staff.history import story_of
from webui.staff.menu import count_with

bp = Blueprint("wipes", __name__)
ROWS = 30
FILES = 200  # of an order's list on one page
_FORM_BYTES = 1 << 20  # what a form has besides its file


def init_app(app: Flask) -> None:
    """Say what the orders' errors are in HTTP, and let the scan's form be larger than the others."""
    for unready in (NothingToWipeError, SignedCopyError):
        errors.status_for(unready, HTTPStatus.BAD_REQUEST)
    for late in (ListChangedError, WipeStateError):
        errors.status_for(late, HTTPStatus.CONFLICT)
    errors.status_for(OwnOrderError, HTTPStatus.FORBIDDEN)
    app.jinja_env.globals.update(
        wipe_state=lambda state: t(*service.STATE_NAMES[state]),
    )
    count_with(app, "wipes.index", _waiting_for_me)
    request_started.connect(_let_the_scan_in, app, weak=False)


def _let_the_scan_in(sender: Flask, **_: object) -> None:  # noqa: ARG001  the signal's signature
    """Raise this request's limit for the scan of a signed minute, from somebody with a sign-in."""
    if request.endpoint == "wipes.attach" and COOKIE in request.cookies:
        request.max_content_length = signed.MAX_BYTES + _FORM_BYTES


def _waiting_for_me() -> int:
    """Return how many orders wait for the signed-in person's approval."""
    reach = scope("wipe.approve")
    if reach.is_empty:
        return 0
    with runtime().db.read() as session:
        return queries.count_to_approve(session, reach)


@bp.get("/wipes")
@allowed("wipe.view")
def index() -> str:
    """Show the open orders with what each waits for, or the ended ones."""
    is_open = request.args.get("ended") != "1"
    with runtime().db.read() as session:
        lines = queries.list_orders(
            session, scope("wipe.view"), is_open=is_open, after=request.args.get("after") or None, limit=ROWS + 1
        )
    after = lines[ROWS - 1].order.id if len(lines) > ROWS else None
    return render_template("staff/wipes.html", lines=lines[:ROWS], is_open=is_open, after=after, waits=_waits)


@bp.route("/wipes/new", methods=["GET", "POST"])
@allowed("wipe.raise")
def create() -> str | BaseResponse:
    """Choose a station's cameras whose files may be listed, and raise the batch of today."""
    with runtime().db.read() as session:
        stations = queries.stations_of(session, scope("wipe.raise"))
        offers = [(station, listable_by_camera(session, station.id, unit)) for station, unit in stations]
    if request.method == "GET":
        return render_template("staff/wipe_new.html", offers=[offer for offer in offers if offer[1]])
    station_id = request.form.get("station", "")
    if station_id not in {station.id for station, _ in stations}:
        raise OutOfReachError(what=t("trạm", "station"))
    with runtime().db.write() as session:
        order = service.raise_order(
            session, station_id, actor=viewer().account_id, camera_ids=request.form.getlist("camera")
        )
    return redirect(url_for("wipes.show", order_id=order.id))


@bp.get("/wipes/<order_id>")
@allowed("wipe.view")
def show(order_id: str) -> str:
    """Show an order: who did which step, its files with what the checks say of them, and the buttons of one's role."""
    rt = runtime()
    start = max(0, request.args.get("from", 0, type=int))
    with rt.db.read() as session:
        line = _order(session, order_id, "wipe.view")
        items = items_of(session, order_id)
        shown = items[start : start + FILES]
        damaged = damaged_objects(session, [listed.recording.object_id for _, listed in shown])
        order = line.order
        accounts = [order.raised_by, order.approved_by, order.signed_by]
        names = {account_id: session.get_one(Account, account_id).display_name for account_id in accounts if account_id}
        scan = signed.signed_copy(session, order)
        authors = service.authors_of(session, order)
        story = story_of(session, order_id)
        may = {step: _reaches(session, order, f"wipe.{step}") for step in ("raise", "approve", "attach")}
    return render_template(
        "staff/wipe.html",
        line=line,
        order=order,
        shown=shown,
        damaged=damaged,
        names=names,
        scan=scan,
        story=story,
        rights=may,
        is_own=viewer().account_id in authors,
        digest=order.list_sha256 or list_sha256(order, items),
        start=start,
        following=start + FILES if len(items) > start + FILES else None,
        waits=_waits,
        why=reason_words,
    )


@bp.post("/wipes/<order_id>/approve")
@allowed("wipe.approve")
def approve(order_id: str) -> BaseResponse:
    """Approve the list that was shown."""
    with runtime().db.write() as session:
        _order(session, order_id, "wipe.approve")
        service.approve(session, order_id, actor=viewer().account_id, seen=request.form.get("seen", ""))
    return redirect(url_for("wipes.show", order_id=order_id))


@bp.post("/wipes/<order_id>/refuse")
@allowed("wipe.approve")
def refuse(order_id: str) -> BaseResponse:
    """Refuse an order, with the reason."""
    with runtime().db.write() as session:
        _order(session, order_id, "wipe.approve")
        service.refuse(session, order_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("wipes.show", order_id=order_id))


@bp.post("/wipes/<order_id>/withdraw")
@allowed("wipe.raise")
def withdraw(order_id: str) -> BaseResponse:
    """Take an order back, with the reason."""
    with runtime().db.write() as session:
        _order(session, order_id, "wipe.raise")
        service.withdraw(session, order_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("wipes.show", order_id=order_id))


@bp.post("/wipes/<order_id>/signed")
@allowed("wipe.attach")
def attach(order_id: str) -> BaseResponse:
    """Take the scan of the signed minute in; from now on the station wipes."""
    scan = request.files.get("scan")
    with runtime().db.read() as session:
        _order(session, order_id, "wipe.attach")
    if scan is None or not scan.filename:
        raise SignedCopyError(reason="no file was chosen", reason_vi="chưa chọn tệp")
    if request.form.get("is_signed") != "1":
        raise SignedCopyError(
            reason="confirm that the plan approver signed it", reason_vi="cần xác nhận người duyệt kế hoạch đã ký"
        )
    signed.attach(runtime(), order_id, cast("BinaryIO", scan.stream), actor=viewer().account_id)
    return redirect(url_for("wipes.show", order_id=order_id))


@bp.get("/wipes/<order_id>/signed")
@allowed("wipe.view")
def signed_copy(order_id: str) -> Response:
    """Send the sealed scan to be saved; who opened it is written down first."""
    rt = runtime()
    with rt.db.read() as session:
        line = _order(session, order_id, "wipe.view")
        scan = signed.signed_copy(session, line.order)
    if scan is None:
        raise OutOfReachError(what=t("bản ký", "signed copy"))
    details = {"order": order_id}
    custody.record_now(rt.db, "recording.viewed", object_id=scan.id, actor=viewer().account_id, details=details)
    ending = scan.name.rpartition(".")[2]
    return ranged(rt.vault.open(scan.object_id), signed.mime_of(scan), download=f"{line.order.number}-ban-ky.{ending}")


@bp.get("/wipes/<order_id>/minute")
@allowed("wipe.view")
def minute(order_id: str) -> str:
    """Show the minute as a page to print."""
    with runtime().db.read() as session:
        _order(session, order_id, "wipe.view")
        return render_template(
            "staff/wipe_minute.html",
            minute=minute_of(session, order_id, language()),
            order_id=order_id,
            grouped=grouped,
        )


@bp.get("/wipes/<order_id>/minute.pdf")
@allowed("wipe.view")
def minute_pdf(order_id: str) -> Response:
    """Send the minute as a PDF."""
    with runtime().db.read() as session:
        line = _order(session, order_id, "wipe.view")
        paper = minute_of(session, order_id, language())
    response = Response(paper.pdf(), mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"{line.order.number}.pdf")
    return response


def _order(session: Session, order_id: str, action: str) -> OrderLine:
    line = queries.find_order(session, scope("wipe.view"), order_id)
    if line is None:
        raise OutOfReachError(what=t("lệnh xóa", "wipe order"))
    if not _reaches(session, line.order, action):
        raise ForbiddenError(action=action)
    return line


def _reaches(session: Session, order: WipeOrder, action: str) -> bool:
    unit = session.get(Unit, order.unit_id) if order.unit_id else None
    return scope(action).allows(unit_id=order.unit_id, unit_path=unit.path if unit else None)


def _waits(line: OrderLine) -> str:
    """Say what an order waits for, and whom."""
    match line.order.state:
        case OrderState.RAISED:
            return t("Người duyệt kế hoạch xem danh sách và duyệt", "The plan approver reads the list and approves")
        case OrderState.APPROVED:
            return t(
                "In biên bản, ký đủ, rồi gắn bản ký vào đây",
                "Print the minute, have it signed, attach the signed copy here",
            )
        case OrderState.ORDERED:
            cameras = ", ".join(line.waiting_on[:6]) + ("…" if len(line.waiting_on) > 6 else "")  # noqa: PLR2004  fits a line
            return t(f"Cắm vào {line.station}: {cameras}", f"To be docked at {line.station}: {cameras}")
        case OrderState.DONE:
            return t(f"Đã xóa {line.wiped} tệp, giữ lại {line.kept}", f"{line.wiped} files wiped, {line.kept} kept")
        case _:
            return line.order.reason

"""Rút theo lệnh trực ban: the duty officer lets a camera go before it is done, by name and with a reason; the rest stays owed."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bodycam.coverage.pulls import BUSY, order_pull
from bodycam.errors import BodycamError
from bodycam.fleet.choices import choices
from bodycam.fleet.docking import give_command
from bodycam.fleet.errors import NothingToPullError
from webui.common import boards, errors
from webui.common.base import runtime
from webui.common.formatting import due
from webui.common.locale import language, t
from webui.common.permissions import kiosk_officer
from webui.common.tiles import Tile
from webui.kiosk.duty import is_on_duty, refuse
from webui.kiosk.guard import current_officer, this_station

bp = Blueprint("kiosk_release", __name__, url_prefix="/kiosk/release")


@bp.get("")
@kiosk_officer
def index() -> str | tuple[str, int]:
    """Ask the duty officer which slot and why; whoever else is refused with a sentence."""
    return _page() if is_on_duty() else refuse("release")


@bp.post("")
@kiosk_officer
def order() -> Response | str | tuple[str, int]:
    """Give the order."""
    if not is_on_duty():
        return refuse("release")
    form, rt, station = request.form, runtime(), this_station()
    tiles = {str(tile.slot): tile for tile in _busy()}
    try:
        tile = tiles.get(form.get("slot", ""))
        if tile is None:
            raise NothingToPullError(slot=form.get("slot", "?")[:4])
        with rt.db.write() as session:
            debt = order_pull(
                session,
                station,
                tile.slot,
                camera=tile.camera,
                state=tile.state,
                by=current_officer().officer_id,
                reason=form.get("reason", ""),
                words=form.get("words", ""),
                hours=rt.settings.coverage.footage_hours,
            )
    except BodycamError as error:
        return _page(error.text(language())), int(errors.status_of(error))
    until = due(debt.due_at) if debt else ""
    flash(
        t(
            f"Đã ra lệnh. Chờ ô khe {tile.slot} ghi “Rút theo lệnh” rồi mới rút.",
            f"Ordered. Wait until slot {tile.slot} says “Pulled by order”, then take it.",
        )
        + (
            t(f" Phần chưa tải phải cắm lại trước {until}.", f" What is left must be docked by {until}.")
            if until
            else ""
        )
    )
    return redirect(url_for("kiosk_release.index"), 303)


@bp.post("/slot")
@kiosk_officer
def slot() -> Response | tuple[str, int]:
    """Have a slot in error tried again, or an alarm acknowledged: the duty officer has seen it."""
    if not is_on_duty():
        return refuse("release")
    command, number, station = request.form.get("command", ""), request.form.get("slot", ""), this_station()
    if command not in {"retry", "acknowledge"} or not (number.isdecimal() and 1 <= int(number) <= station.slots):
        abort(404)
    with runtime().db.write() as session:
        give_command(session, station.id, command, slot=int(number), officer_id=current_officer().officer_id)
    flash(t("Đã gửi tới trạm.", "Sent to the station."))
    return redirect(url_for("kiosk_release.index"), 303)


def _busy() -> list[Tile]:
    with runtime().db.read() as session:
        return [tile for tile in boards.look_at(session, this_station()).tiles if tile.state in BUSY]


def _page(problem: str = "") -> str:
    with runtime().db.read() as session:
        shown = boards.look_at(session, this_station())
    return render_template(
        "kiosk/release.html",
        tiles=[tile for tile in shown.tiles if tile.state in BUSY],
        alarms=[alarm for alarm in shown.alarms if not alarm.stays],
        reasons=choices("pull_reason"),
        chosen=request.form,
        problem=problem,
    )

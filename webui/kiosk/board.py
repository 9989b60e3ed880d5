"""The kiosk's first page: one station's board, asked anew every second, and the buttons below it.

It is opened by the station's token alone and shows nothing but this station. When the heartbeat is missed for six seconds every
tile gives way, here and on every page behind the buttons.
"""

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.fleet.docking import give_command
from webui.common import boards
from webui.common.base import runtime
from webui.common.permissions import kiosk_only
from webui.kiosk.guard import STATION_COOKIE, keep_station, this_station

bp = Blueprint("kiosk", __name__, url_prefix="/kiosk")
PHYSICAL = {"unplug", "plug"}


@bp.get("", strict_slashes=False)
@kiosk_only
def index() -> Response:
    """Show the station's slots; the station's cookie is kept for another long time."""
    with runtime().db.read() as session:
        shown, hands = boards.look_at(session, this_station()), boards.hands(session, this_station())
    page = render_template("kiosk/board.html", shown=shown, hands=hands, hand=_hand, touch=True)
    response = make_response(page)
    keep_station(response, request.cookies[STATION_COOKIE])
    return response


@bp.get("/board.json")
@kiosk_only
def board() -> Response:
    """Answer what changed; the pages behind the buttons ask with `?brief=1` for the heartbeat alone."""
    with runtime().db.read() as session:
        shown, hands = boards.look_at(session, this_station()), boards.hands(session, this_station())
    if request.args.get("brief"):
        return boards.answer(boards.brief(shown), lambda _: "")
    return boards.answer(
        shown, lambda tile: render_template("dock/_tile.html", tile=tile, hands=hands, hand=_hand, touch=True)
    )


@bp.post("/slots/<int:slot>/<command>")
@kiosk_only
def hand(slot: int, command: str) -> BaseResponse | tuple[str, int]:
    """Pull or plug a virtual camera; there is no such thing on a real bus."""
    station = this_station()
    if not boards.is_virtual() or command not in PHYSICAL or not 1 <= slot <= station.slots:
        abort(404)
    with runtime().db.write() as session:
        give_command(session, station.id, command, slot=slot)
    if request.headers.get("X-Requested-With"):
        return "", 204
    return redirect(url_for("kiosk.index"))


def _hand(slot: int, command: str) -> str:
    return url_for("kiosk.hand", slot=slot, command=command)

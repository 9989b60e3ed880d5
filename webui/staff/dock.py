"""A station's board for whoever is signed in: the same tiles as on its kiosk, asked anew every second.

The heartbeat is the station's own: when its board is older than six seconds, or this server doesn't answer for so long, every
tile gives way to "MẤT KẾT NỐI TRẠM – KHÔNG RÚT MÁY". In a demo the virtual cameras can be pulled and plugged from here.
"""

from collections.abc import Callable

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.clock import now
from bodycam.fleet import pairing
from bodycam.fleet.docking import boards, give_command
from bodycam.fleet.models import Station
from bodycam.people.models import Unit
from webui.common import boards as shown_boards
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.common.tiles import Tile, is_alive

bp = Blueprint("dock", __name__)
Hand = Callable[[int, str], str]
PHYSICAL = {"unplug", "plug"}  # what a hand does to a virtual camera


@bp.get("/dock")
@allowed("dock.view")
def index() -> str | BaseResponse:
    """Lead to the only station, or let the person choose one."""
    with runtime().db.read() as session:
        found = boards(session, scope("dock.view"))
    if len(found) == 1:
        return redirect(url_for("dock.kiosk", station_id=found[0][0].id))
    moment = now()
    rows = [(station, board, is_alive(board, moment)) for station, board in found]
    return render_template("staff/docks.html", rows=rows)


@bp.get("/dock/<station_id>")
@allowed("dock.view")
def kiosk(station_id: str) -> str:
    """Show one station's slots on a full screen."""
    station = _station(station_id)
    with runtime().db.read() as session:
        shown, hands = shown_boards.look_at(session, station), shown_boards.hands(session, station)
    hands["retry"] = _commands(station)
    return render_template("staff/dock.html", shown=shown, station=station, hands=hands, hand=_hand(station))


@bp.get("/dock/<station_id>/board.json")
@allowed("dock.view")
def board(station_id: str) -> Response:
    """Answer what changed: one HTML fragment a slot, or `alive: false` and nothing else."""
    station = _station(station_id)
    with runtime().db.read() as session:
        shown, hands = shown_boards.look_at(session, station), shown_boards.hands(session, station)
    hands["retry"] = _commands(station)

    def draw(tile: Tile) -> str:
        return render_template("dock/_tile.html", tile=tile, hands=hands, hand=_hand(station))

    return shown_boards.answer(shown, draw)


@bp.get("/dock/<station_id>/screen")
@allowed("fleet.edit")
def screen(station_id: str) -> str:
    """Show whether a screen is paired with the station."""
    return render_template("staff/dock_screen.html", station=_station(station_id), code="")


@bp.post("/dock/<station_id>/screen")
@allowed("fleet.edit")
def pairing_code(station_id: str) -> str | BaseResponse:
    """Make a one-time code that pairs a screen, shown once; or revoke the paired one."""
    _station(station_id)
    with runtime().db.write() as session:
        if request.form.get("step") == "revoke":
            pairing.unpair(session, station_id, actor=viewer().account_id)
            return redirect(url_for("dock.screen", station_id=station_id))
        code = pairing.make_code(session, station_id, actor=viewer().account_id)
    return render_template("staff/dock_screen.html", station=_station(station_id), code=code)


@bp.post("/dock/<station_id>/slots/<int:slot>/<command>")
@allowed("dock.view")
def hand(station_id: str, slot: int, command: str) -> BaseResponse | tuple[str, int]:
    """Have a slot in error tried again, for who commands the station; pull or plug a virtual camera: no real bus has that."""
    station = _station(station_id)
    if not 1 <= slot <= station.slots or command not in PHYSICAL | {"retry"}:
        abort(404)
    if command == "retry" and not _commands(station):
        raise ForbiddenError(action="dock.command")
    if command in PHYSICAL and not shown_boards.is_virtual():
        abort(404)
    with runtime().db.write() as session:
        give_command(session, station.id, command, slot=slot, account_id=viewer().account_id)
    if request.headers.get("X-Requested-With"):
        return "", 204
    return redirect(url_for("dock.kiosk", station_id=station_id))


def _commands(station: Station) -> bool:
    with runtime().db.read() as session:
        unit = session.get(Unit, station.unit_id) if station.unit_id else None
    return scope("dock.command").allows(unit_id=station.unit_id, unit_path=unit.path if unit else None)


def _hand(station: Station) -> Hand:
    return lambda slot, command: url_for("dock.hand", station_id=station.id, slot=slot, command=command)


def _station(station_id: str) -> Station:
    with runtime().db.read() as session:
        for station, _ in boards(session, scope("dock.view")):
            if station.id == station_id:
                return station
    raise OutOfReachError(what=t("trạm cắm", "docking station"))

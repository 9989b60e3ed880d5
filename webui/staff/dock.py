"""The dock kiosk: one tile a slot, asked anew every second.

The heartbeat is the station's own: when its board is older than six seconds, or this server doesn't answer for so long, every
tile gives way to "MẤT KẾT NỐI TRẠM – KHÔNG RÚT MÁY". In a demo the virtual cameras can be pulled and plugged from here.
"""

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import OutOfReachError
from bodycam.clock import local, now
from bodycam.fleet.docking import boards, give_command
from bodycam.fleet.models import Station, StationBoard
from bodycam.fleet.queries import last_commands
from bodycam.people.models import Unit
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.tiles import Tile, is_alive, tiles_of

bp = Blueprint("dock", __name__)
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
    station, board = _station(station_id)
    with runtime().db.read() as session:
        unit = session.get(Unit, station.unit_id) if station.unit_id else None
    return render_template(
        "staff/dock.html",
        station=station,
        unit=unit,
        alive=is_alive(board, now()),
        tiles=_tiles(station, board),
        at=_clock(),
        hands=_hands(station),
        phone=runtime().settings.dock.duty_phone,
    )


@bp.get("/dock/<station_id>/board.json")
@allowed("dock.view")
def board(station_id: str) -> Response:
    """Answer what changed: one HTML fragment a slot, or `alive: false` and nothing else."""
    station, written = _station(station_id)
    alive, tiles, hands = is_alive(written, now()), _tiles(station, written), _hands(station)
    drawn = {
        str(tile.slot): render_template("staff/_tile.html", tile=tile, station=station, hands=hands) for tile in tiles
    }
    return jsonify(alive=alive, at=_clock(), tiles=drawn if alive else {}, says=_says(tiles) if alive else {})


@bp.post("/dock/<station_id>/slots/<int:slot>/<command>")
@allowed("dock.view")
def hand(station_id: str, slot: int, command: str) -> BaseResponse | tuple[str, int]:
    """Pull or plug a virtual camera; there is no such thing on a real bus."""
    station, _ = _station(station_id)
    if not _is_virtual() or command not in PHYSICAL or not 1 <= slot <= station.slots:
        abort(404)
    with runtime().db.write() as session:
        give_command(session, station.id, command, slot=slot, account_id=viewer().account_id)
    if request.headers.get("X-Requested-With"):
        return "", 204
    return redirect(url_for("dock.kiosk", station_id=station_id))


def _station(station_id: str) -> tuple[Station, StationBoard | None]:
    with runtime().db.read() as session:
        for station, board in boards(session, scope("dock.view")):
            if station.id == station_id:
                return station, board
    raise OutOfReachError(what=t("trạm cắm", "docking station"))


def _is_virtual() -> bool:
    return runtime().settings.dock.bus.startswith("sim:")


def _hands(station: Station) -> dict[str, object]:
    """Say what a hand may do here: pull any virtual camera, plug one in only where it was pulled from this page."""
    with runtime().db.read() as session:
        given = last_commands(session, station.id) if _is_virtual() else {}
    return {"virtual": _is_virtual(), "pulled": {slot for slot, command in given.items() if command == "unplug"}}


def _tiles(station: Station, board: StationBoard | None) -> list[Tile]:
    return tiles_of(station, board, duty_phone=runtime().settings.dock.duty_phone)


def _clock() -> str:
    return local(now()).strftime("%H:%M")


def _says(tiles: list[Tile]) -> dict[str, str]:
    return {
        str(tile.slot): t(f"Khe {tile.slot}: {tile.title} {tile.order}", f"Slot {tile.slot}: {tile.title} {tile.order}")
        for tile in tiles
    }

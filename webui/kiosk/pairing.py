"""Pairing this screen with a station: a one-time code from `bodycam station token NAME`; in a demo one press.

A screen that had a token and shows a page of pairing was replaced by another one, or revoked.
"""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from bodycam.fleet import pairing
from bodycam.fleet.errors import PairingCodeError
from bodycam.fleet.models import Station
from bodycam.people.errors import SignInLockedError
from webui.common.base import runtime
from webui.common.locale import language
from webui.common.permissions import open_to_all
from webui.kiosk.guard import keep_station

bp = Blueprint("kiosk_pairing", __name__, url_prefix="/kiosk")


@bp.get("/pair")
@open_to_all
def form() -> str:
    """Ask for the code."""
    return render_template("kiosk/pair.html")


@bp.post("/pair")
@open_to_all
def pair() -> Response | tuple[str, int]:
    """Take the code and become the station's kiosk."""
    rt = runtime()
    try:
        _, token = pairing.pair(
            rt.db,
            request.form.get("code", ""),
            source=request.remote_addr or "?",
            settings=rt.settings.sign_in,
        )
    except SignInLockedError as error:
        return render_template("kiosk/pair.html", problem=error.text(language())), 429
    except PairingCodeError as error:
        return render_template("kiosk/pair.html", problem=error.text(language())), 400
    return _paired(token)


@bp.post("/demo")
@open_to_all
def demo() -> Response:
    """Become the demo station's kiosk; only where `demo` is set, and then only on localhost."""
    rt = runtime()
    if not rt.settings.demo:
        abort(404)
    with rt.db.write() as session:
        query = select(Station.id).order_by(Station.name != rt.settings.station.name, Station.id).limit(1)
        station_id = session.scalar(query)
        if station_id is None:
            abort(404)
        token = pairing.give_token(session, station_id, actor="system")
    return _paired(token)


def _paired(token: str) -> Response:
    response = redirect(url_for("kiosk.index"))
    keep_station(response, token)
    return response

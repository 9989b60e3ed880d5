"""Quên mã PIN: the duty officer vouches for somebody at the kiosk, who gets a PIN for one use and changes it at once."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from bodycam.access.errors import OutOfReachError
from bodycam.access.permissions import Action
from bodycam.fleet import kiosk
from bodycam.fleet.standing import knows_officer
from bodycam.people import passes
from bodycam.people.models import Officer
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import kiosk_officer
from webui.kiosk.duty import is_on_duty, refuse
from webui.kiosk.guard import current_officer, drop_officer, this_station

bp = Blueprint("kiosk_vouch", __name__, url_prefix="/kiosk/vouch")


@bp.get("")
@kiosk_officer
def index() -> str | tuple[str, int]:
    """Ask the duty officer whether this is really the person."""
    officer = _officer(request.args.get("about", ""))
    if not _may(officer):
        return refuse("vouch", officer.id)
    return render_template("kiosk/vouch.html", officer=officer, pin="")


@bp.post("")
@kiosk_officer
def vouch() -> Response | tuple[str, int]:
    """Give the new PIN, show it once, and end the duty officer's session."""
    officer, rt = _officer(request.form.get("about", "")), runtime()
    if not _may(officer):
        return refuse("vouch", officer.id)
    with rt.db.write() as session:
        pin = passes.give_pin(
            session,
            officer.id,
            settings=rt.settings.sign_in,
            kind="officer.pin_vouched",
            actor=current_officer().officer_id,
        )
        kiosk.end_sessions(session, this_station().id)
    response = make_response(render_template("kiosk/vouch.html", officer=officer, pin=pin, at=None))
    drop_officer(response)
    return response


def _may(officer: Officer) -> bool:
    """Nobody vouches for himself: a card found in the street would be enough."""
    return officer.id != current_officer().officer_id and is_on_duty(Action.PEOPLE_PASSES, officer.unit_id)


def _officer(officer_id: str) -> Officer:
    with runtime().db.read() as session:
        officer = knows_officer(session, this_station(), officer_id)
    if officer is None:
        raise OutOfReachError(what=t("cán bộ này ở trạm này", "this officer at this station"))
    return officer

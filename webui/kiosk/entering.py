"""Who is it: a card, or one's tile or number and then the PIN; and out again.

A card is read wherever it is shown: its reader types fast and ends with Enter. A number is typed by its last digits; when several
officers fit, one chooses. Every answer to a wrong PIN is the same, whoever it is.
"""

from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import OutOfReachError
from bodycam.errors import BodycamError, InvalidInputError
from bodycam.fleet import kiosk
from bodycam.fleet.standing import LEAST_DIGITS, knows_officer, officers_at, standing_at
from bodycam.people import passes
from bodycam.people.models import Officer
from webui.common import errors
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import kiosk_officer, kiosk_only
from webui.kiosk.guard import current_officer, drop_officer, keep_officer, this_station
from webui.kiosk.ways import address_of

bp = Blueprint("kiosk_entering", __name__, url_prefix="/kiosk")


@bp.get("/sign-in")
@kiosk_only
def form() -> str | BaseResponse:
    """Ask for card or number; typed digits lead to the PIN when one officer's number ends with them."""
    digits = request.args.get("digits", "")
    with runtime().db.read() as session:
        here = standing_at(session, this_station().id)
        found = officers_at(session, this_station(), digits)
    if len(found) == 1:
        return redirect(url_for("kiosk_entering.ask_pin", officer=found[0].id, **_way()))
    problem = _no_match(digits) if digits and not found else ""
    docked = list({row.holder.id: row.holder for _, row in sorted(here.items()) if row.holder}.values())
    return render_template("kiosk/sign_in.html", way=_way(), docked=docked, found=found, problem=problem)


@bp.get("/pin-entry")
@kiosk_only
def ask_pin() -> str:
    """Ask for the PIN of the officer whose tile or number was chosen."""
    return _pin_page(_known(request.args.get("officer", "")))


@bp.post("/enter")
@kiosk_only
def enter() -> BaseResponse | tuple[str, int]:
    """Check the PIN and let the officer in for a minute."""
    rt, officer = runtime(), _known(request.form.get("officer", ""))
    try:
        passes.check_pin(
            rt.db,
            officer.id,
            request.form.get("pin", ""),
            station_id=this_station().id,
            settings=rt.settings.sign_in,
        )
    except BodycamError as error:
        return _pin_page(officer, error.text(language())), int(errors.status_of(error))
    return _enter(officer, "pin")


@bp.post("/card")
@kiosk_only
def card() -> BaseResponse | tuple[str, int]:
    """Let the officer in whose card was shown."""
    rt = runtime()
    try:
        officer = passes.officer_of_card(
            rt.db,
            passes.card_number(
                request.form.get("card", ""), rt.settings.kiosk.card_prefix, rt.settings.kiosk.card_suffix
            ),
            station_id=this_station().id,
            key=passes.open_card_key(rt.settings.keys.dir),
            settings=rt.settings.sign_in,
        )
    except BodycamError as error:
        page = render_template("kiosk/sign_in.html", way=_way(), docked=[], found=[], problem=error.text(language()))
        return page, int(errors.status_of(error))
    return _enter(officer, "card")


@bp.get("/menu")
@kiosk_officer
def menu() -> str:
    """Show what the officer may do here."""
    return render_template("kiosk/menu.html")


@bp.post("/here")
@kiosk_officer
def here() -> Response:
    """Note that somebody touched the screen; answers how many seconds are left."""
    return jsonify(left=current_officer().left_s)


@bp.post("/leave")
@kiosk_only
def leave() -> BaseResponse:
    """End whoever's session and show the board."""
    with runtime().db.write() as session:
        kiosk.end_sessions(session, this_station().id)
    response = redirect(url_for("kiosk.index"), 303)
    drop_officer(response)
    return response


@bp.get("/pin")
@kiosk_officer
def pin() -> str:
    """Ask for another PIN, twice; the former one first unless somebody else gave it."""
    return _change_page()


@bp.post("/pin")
@kiosk_officer
def change_pin() -> BaseResponse | tuple[str, int]:
    """Set the officer's own PIN."""
    rt, officer_id, chosen = runtime(), current_officer().officer_id, request.form.get("pin", "")
    try:
        if _needs_former():
            passes.check_pin(
                rt.db,
                officer_id,
                request.form.get("former", ""),
                station_id=this_station().id,
                settings=rt.settings.sign_in,
            )
        if chosen != request.form.get("again", ""):
            raise InvalidInputError(
                field=t("Nhập lại", "Again"), reason="the two PINs differ", reason_vi="hai lần nhập không giống nhau"
            )
        with rt.db.write() as session:
            passes.change_pin(session, officer_id, chosen, settings=rt.settings.sign_in)
    except BodycamError as error:
        return _change_page(error.text(language())), int(errors.status_of(error))
    flash(t("Đã đổi mã PIN.", "The PIN was changed."))
    return redirect(url_for("kiosk_entering.menu"), 303)


def _enter(officer: Officer, way: str) -> BaseResponse:
    with runtime().db.write() as session:
        token = kiosk.open_session(session, this_station().id, officer.id, way=way)
    response = redirect(address_of(**_words()), 303)
    keep_officer(response, token)
    return response


def _way() -> dict[str, Any]:
    """Return where the officer is on the way to, as it was asked, for the next form."""
    return {name: value for name in ("then", "about") if (value := request.values.get(name, ""))}


def _words() -> dict[str, str]:
    way = _way()
    return {"word": way.get("then", "menu"), "about": way.get("about", "")}


def _known(officer_id: str) -> Officer:
    with runtime().db.read() as session:
        officer = knows_officer(session, this_station(), officer_id)
    if officer is None:
        raise OutOfReachError(what=t("cán bộ này ở trạm này", "this officer at this station"))
    return officer


def _needs_former() -> bool:
    with runtime().db.read() as session:
        held = passes.pass_of(session, current_officer().officer_id)
    return held is not None and held.pin_hash is not None and not held.pin_is_new


def _pin_page(officer: Officer, problem: str = "") -> str:
    return render_template("kiosk/pin_entry.html", officer=officer, way=_way(), problem=problem)


def _change_page(problem: str = "") -> str:
    return render_template("kiosk/pin.html", needs_former=_needs_former(), problem=problem)


def _no_match(digits: str) -> str:
    if len(digits) < LEAST_DIGITS:
        return t(f"Nhập ít nhất {LEAST_DIGITS} số cuối.", f"Type the last {LEAST_DIGITS} digits at least.")
    return t(
        "Không có cán bộ nào của trạm này có số hiệu như vậy. Kiểm tra lại, hoặc gọi trực ban.",
        "No officer of this station has such a number. Check it, or call the duty officer.",
    )

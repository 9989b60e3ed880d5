"""Who stands where: the station behind a kiosk's cookie, and the officer who showed a card or a PIN there.

Two cookies, both for `/kiosk` alone: the station's token, kept as long as the browser keeps one, and the officer's, for ten minutes.
Without the first every kiosk page leads to pairing, without the second to the sign-on; a person's sign-in opens neither. Whoever got
a PIN from somebody else changes it before anything else.
"""

from dataclasses import dataclass

from flask import Flask, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from bodycam.clock import now
from bodycam.fleet import kiosk, pairing
from bodycam.fleet.models import KioskSession, Station
from bodycam.people.models import Officer
from bodycam.people.passes import pass_of
from webui.common import errors
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import KIOSK, KIOSK_OFFICER
from webui.common.signin import guard_with
from webui.kiosk.ways import way_to

STATION_COOKIE, OFFICER_COOKIE = "bodycam_kiosk", "bodycam_kiosk_officer"
PATH = "/kiosk"
_KEEP_S = 400 * 24 * 3600  # as long as browsers keep any cookie; each look at the board begins it anew
_TOUCH_AFTER_S = 5
_WITH_NEW_PIN = {"kiosk_entering.pin", "kiosk_entering.change_pin", "kiosk_entering.leave", "kiosk_entering.here"}


@dataclass(frozen=True)
class AtKiosk:
    """The officer at a kiosk; `left_s` is how many seconds the session lasts if nobody touches the screen."""

    session_id: str
    station_id: str
    officer_id: str
    name: str
    number: str
    force: str
    unit_id: str
    way: str
    left_s: int


def this_station() -> Station:
    """Return the station whose kiosk asks; only for views that declared `kiosk_only` or `kiosk_officer`."""
    found: Station | None = g.get("kiosk_station")
    if found is None:
        raise RuntimeError("this view asks for the station without declaring that it is a kiosk's")
    return found


def current_officer() -> AtKiosk:
    """Return who stands at the kiosk; only for views that declared `kiosk_officer`."""
    found: AtKiosk | None = g.get("kiosk_officer")
    if found is None:
        raise RuntimeError("this view asks for the officer without declaring `kiosk_officer`")
    return found


def init_app(app: Flask) -> None:
    """Put the two guards before the kiosk's views."""
    guard_with(app, KIOSK, _station_guard)
    guard_with(app, KIOSK_OFFICER, _officer_guard)
    app.context_processor(lambda: {"kiosk": g.get("kiosk_station"), "at": g.get("kiosk_officer")})


def keep_station(response: Response, token: str) -> None:
    """Hand the station's token to the kiosk's browser."""
    _set(response, STATION_COOKIE, token, _KEEP_S)


def keep_officer(response: Response, token: str) -> None:
    """Hand the officer's token to the kiosk's browser."""
    _set(response, OFFICER_COOKIE, token, int(kiosk.LONGEST.total_seconds()))


def drop_officer(response: Response) -> None:
    """Take the officer's token away."""
    response.delete_cookie(OFFICER_COOKIE, path=PATH, httponly=True, samesite="Strict")


def _set(response: Response, name: str, token: str, seconds: int) -> None:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(name, token, max_age=seconds, path=PATH, httponly=True, samesite="Strict", secure=secure)


def _station_guard() -> Response | None:
    with runtime().db.read() as session:
        g.kiosk_station = pairing.station_of_token(session, request.cookies.get(STATION_COOKIE, ""))
    if g.kiosk_station is not None:
        return None
    if request.method != "GET" or errors.wants_json():
        return errors.answer(401, "kiosk_not_paired", t("Màn hình chưa ghép trạm.", "This screen has no station."))
    return redirect(url_for("kiosk_pairing.form"))


def _officer_guard() -> Response | None:
    stopped = _station_guard()
    if stopped is not None:
        return stopped
    station = this_station()
    with runtime().db.read() as session:
        row = kiosk.find_session(session, request.cookies.get(OFFICER_COOKIE, ""), station.id)
        officer = session.get(Officer, row.officer_id) if row else None
        held = pass_of(session, row.officer_id) if row else None
    if row is None or officer is None or not officer.active:
        if errors.wants_json():
            return errors.answer(401, "kiosk_ended", t("Phiên đã hết.", "The session has ended."))
        return redirect(url_for("kiosk_entering.form", **way_to(request.endpoint, request.args.get("about"))), 303)
    if (now() - row.seen_at).total_seconds() > _TOUCH_AFTER_S:
        with runtime().db.write() as session:
            kiosk.touch_session(session, row.id)
        row.seen_at = now()
    g.kiosk_officer = _at(row, officer)
    if row.way == "pin" and held is not None and held.pin_is_new and request.endpoint not in _WITH_NEW_PIN:
        return redirect(url_for("kiosk_entering.pin"), 303)
    return None


def _at(row: KioskSession, officer: Officer) -> AtKiosk:
    left = (kiosk.ends_at(row) - now()).total_seconds()
    return AtKiosk(
        session_id=row.id,
        station_id=row.station_id,
        officer_id=officer.id,
        name=officer.name,
        number=officer.number,
        force=officer.force,
        unit_id=officer.unit_id,
        way=row.way,
        left_s=max(int(left), 0),
    )

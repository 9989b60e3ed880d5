"""Officers and what they show at a kiosk: a PIN for one use and a card, given by a commander or an administrator.

A PIN is made here, shown once on the page that answers, and changed by its owner at the kiosk. A card is shown to a reader at this
machine, which types it; only its keyed hash is kept.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.fleet.queries import cameras_of
from bodycam.people import passes
from bodycam.people.models import Officer, Unit
from bodycam.people.queries import list_officers
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of

bp = Blueprint("officers", __name__)
ROWS = 50


@bp.get("/officers")
@allowed("people.view")
def index() -> str:
    """Show the officers, each with what he has for the kiosk; typed words narrow the list."""
    words = request.args.get("q", "")
    with runtime().db.read() as session:
        rows = list_officers(
            session, scope("people.view"), words=words, after=request.args.get("after") or None, limit=ROWS + 1
        )
    after = rows[ROWS - 1][0].id if len(rows) > ROWS else None
    return render_template("staff/officers.html", rows=rows[:ROWS], words=words, after=after)


@bp.get("/officers/<officer_id>")
@allowed("people.view")
def show(officer_id: str) -> str:
    """Show one officer: cameras held, PIN and card, and the story."""
    return _page(officer_id)


@bp.post("/officers/<officer_id>/pin")
@allowed("people.passes")
def give_pin(officer_id: str) -> str:
    """Make a PIN for one use, shown once; the former one is void."""
    rt = runtime()
    with rt.db.write() as session:
        _reach(session, officer_id, "people.passes")
        pin = passes.give_pin(
            session, officer_id, settings=rt.settings.sign_in, kind="officer.pin_given", actor=viewer().account_id
        )
    return _page(officer_id, pin)


@bp.post("/officers/<officer_id>/card")
@allowed("people.passes")
def give_card(officer_id: str) -> Response:
    """Tie the card that was shown to the officer."""
    rt = runtime()
    number = passes.card_number(
        request.form.get("card", ""), rt.settings.kiosk.card_prefix, rt.settings.kiosk.card_suffix
    )
    key = passes.open_card_key(rt.settings.keys.dir)
    with rt.db.write() as session:
        _reach(session, officer_id, "people.passes")
        passes.give_card(session, officer_id, number, key=key, actor=viewer().account_id)
    flash(t("Đã cấp thẻ.", "The card was given."))
    return redirect(url_for("officers.show", officer_id=officer_id))


@bp.post("/officers/<officer_id>/card/withdraw")
@allowed("people.passes")
def withdraw_card(officer_id: str) -> Response:
    """Make the officer's card void."""
    with runtime().db.write() as session:
        _reach(session, officer_id, "people.passes")
        passes.withdraw_card(session, officer_id, actor=viewer().account_id)
    flash(t("Đã thu hồi thẻ.", "The card is void."))
    return redirect(url_for("officers.show", officer_id=officer_id))


def _reach(session: Session, officer_id: str, action: str) -> tuple[Officer, Unit]:
    officer = session.get(Officer, officer_id)
    unit = session.get(Unit, officer.unit_id) if officer else None
    if officer is None or unit is None or not _holds("people.view", officer, unit):
        raise OutOfReachError(what=t("cán bộ", "officer"))
    if not _holds(action, officer, unit):
        raise ForbiddenError(action=action)
    return officer, unit


def _holds(action: str, officer: Officer, unit: Unit) -> bool:
    return scope(action).allows(unit_id=unit.id, unit_path=unit.path, officer_ids=(officer.id,))


def _page(officer_id: str, pin: str = "") -> str:
    with runtime().db.read() as session:
        officer, unit = _reach(session, officer_id, "people.view")
        held = passes.pass_of(session, officer_id)
        cameras = cameras_of(session, officer_id)
        story = story_of(session, officer_id)
    return render_template(
        "staff/officer.html",
        officer=officer,
        unit=unit,
        held=held,
        cameras=cameras,
        story=story,
        pin=pin,
        may_give=_holds("people.passes", officer, unit),
    )

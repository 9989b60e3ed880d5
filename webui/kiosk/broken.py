"""Báo máy hỏng: which camera, what is wrong, since when; a slip with a number and the time."""

from datetime import datetime, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bodycam.access.errors import OutOfReachError
from bodycam.clock import local, now
from bodycam.errors import BodycamError
from bodycam.fleet import checkout, outages
from bodycam.fleet.choices import choices, words_of
from bodycam.fleet.docking import camera_name
from bodycam.fleet.models import Camera
from bodycam.fleet.standing import standing_at
from webui.common import errors
from webui.common.base import runtime
from webui.common.formatting import read_moment
from webui.common.locale import language, t
from webui.common.permissions import kiosk_officer
from webui.kiosk.guard import current_officer, this_station

bp = Blueprint("kiosk_broken", __name__, url_prefix="/kiosk/broken")
_HOUR = timedelta(hours=1)


@bp.get("")
@kiosk_officer
def index() -> str:
    """Ask which camera, what is wrong and since when."""
    return _page()


@bp.post("")
@kiosk_officer
def report() -> Response | tuple[str, int]:
    """Write the slip."""
    officer, station, form = current_officer(), this_station(), request.form
    try:
        with runtime().db.write() as session:
            if form.get("camera", "") not in {camera.id for camera, _ in _cameras()}:
                raise OutOfReachError(what=t("máy này ở trạm này", "this camera at this station"))
            row = outages.report_broken(
                session,
                form["camera"],
                officer_id=officer.officer_id,
                station_id=station.id,
                symptom=form.get("symptom", ""),
                since=_since(form.get("since", ""), form.get("moment", "")),
                note=form.get("note", ""),
            )
    except BodycamError as error:
        return _page(error.text(language())), int(errors.status_of(error))
    return redirect(url_for("kiosk_broken.slip", number=row.slip), 303)


@bp.get("/<number>")
@kiosk_officer
def slip(number: str) -> str:
    """Show the slip to whoever reported it, to be read off or printed."""
    with runtime().db.read() as session:
        row = outages.outage_by_slip(session, number)
        if row is None or row.officer_id != current_officer().officer_id:
            raise OutOfReachError(what=t("phiếu này", "this slip"))
        camera = session.get_one(Camera, row.camera_id)
    return render_template(
        "kiosk/slip.html", row=row, camera=camera, symptom=words_of("symptom", row.symptom, language())
    )


def _cameras() -> list[tuple[Camera, int | None]]:
    """Return what an officer may report: what he holds, and what stands in this station's slots."""
    station = this_station()
    with runtime().db.read() as session:
        held = checkout.held_by(session, station, current_officer().officer_id)
        docked = standing_at(session, station.id)
    found: dict[str, tuple[Camera, int | None]] = {row.camera.id: (row.camera, row.slot) for row in held}
    for slot, row in sorted(docked.items()):
        found.setdefault(row.camera.id, (row.camera, slot))
    return list(found.values())


def _since(choice: str, moment: str) -> datetime:
    """Return the moment an officer means, UTC: just now, an hour ago, this morning at six, yesterday, or a typed one."""
    typed = read_moment(moment, field=t("Từ lúc", "Since"))
    if typed is not None:
        return typed
    today = local(now()).replace(hour=0, minute=0, second=0, microsecond=0)
    known = {
        "hour": now() - _HOUR,
        "morning": min(today + 6 * _HOUR, now()),
        "yesterday": today - 24 * _HOUR,
    }
    return known.get(choice, now())


def _page(problem: str = "") -> str:
    cameras = [(camera, camera_name(camera), slot) for camera, slot in _cameras()]
    return render_template(
        "kiosk/broken.html", cameras=cameras, symptoms=choices("symptom"), chosen=request.form, problem=problem
    )

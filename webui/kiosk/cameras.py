"""Nhận máy, Trả máy: a pooled camera into one's hands and back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bodycam.errors import BodycamError
from bodycam.fleet import checkout
from bodycam.fleet.docking import camera_name
from webui.common import errors
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import kiosk_officer
from webui.kiosk.guard import current_officer, this_station

bp = Blueprint("kiosk_cameras", __name__, url_prefix="/kiosk/cameras")


@bp.get("")
@kiosk_officer
def index() -> str:
    """Show what the officer holds, and what stands here to be taken; a typed or scanned label finds another camera."""
    return _page(request.args.get("label", ""))


@bp.post("/take")
@kiosk_officer
def take() -> Response | tuple[str, int]:
    """Put a camera into the officer's hands from now on."""
    try:
        with runtime().db.write() as session:
            camera = checkout.take(
                session, this_station(), request.form.get("camera", ""), current_officer().officer_id
            )
    except BodycamError as error:
        return _page(problem=error.text(language())), int(errors.status_of(error))
    name = camera_name(camera)
    flash(t(f"Đồng chí đã nhận máy {name}.", f"You have taken camera {name}."))
    return redirect(url_for("kiosk_cameras.index"), 303)


@bp.post("/return")
@kiosk_officer
def bring_back() -> Response | tuple[str, int]:
    """Take a camera back from the officer."""
    try:
        with runtime().db.write() as session:
            held = checkout.bring_back(
                session, this_station(), request.form.get("camera", ""), current_officer().officer_id
            )
    except BodycamError as error:
        return _page(problem=error.text(language())), int(errors.status_of(error))
    name = camera_name(held.camera)
    if held.is_docked:
        flash(t(f"Đồng chí đã trả máy {name}.", f"You have returned camera {name}."))
    else:
        flash(
            t(
                f"Đồng chí đã trả máy {name}. Máy chưa cắm trạm: cắm vào một khe trống ngay để tải dữ liệu.",
                f"You have returned camera {name}. It isn't docked yet: put it into an empty slot now.",
            ),
            "warn",
        )
    return redirect(url_for("kiosk_cameras.index"), 303)


def _page(label: str = "", problem: str = "") -> str:
    station = this_station()
    with runtime().db.read() as session:
        held = checkout.held_by(session, station, current_officer().officer_id)
        offers = checkout.offers(session, station)
        found = checkout.find(session, station, label)
    if label and not found:
        problem = t("Không có máy nào của đơn vị mang mã này.", "No camera of this unit has this label.")
    own = {row.camera.id for row in held}
    return render_template(
        "kiosk/cameras.html",
        held=held,
        offers=[offer for offer in offers if offer.camera.id not in own],
        found=[camera for camera in found if camera.id not in own],
        label=label,
        problem=problem,
    )

"""An officer's own hand-over slips at the kiosk: to print now, and to find again."""

from flask import Blueprint, render_template, request

from bodycam.access.errors import OutOfReachError
from bodycam.clock import now
from bodycam.coverage import handover
from bodycam.coverage.models import ShiftEnd
from bodycam.coverage.slip import read_slip
from bodycam.coverage.standing import standing_of
from bodycam.fleet.service import camera_for
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import kiosk_officer
from webui.kiosk.guard import current_officer

bp = Blueprint("kiosk_slips", __name__, url_prefix="/kiosk/slips")


@bp.get("")
@kiosk_officer
def index() -> str:
    """List the officer's latest slips."""
    with runtime().db.read() as session:
        rows = handover.slips_of_officer(session, current_officer().officer_id)
    return render_template("kiosk/shift_slips.html", slips=[read_slip(row) for row in rows])


@bp.get("/<slip_id>")
@kiosk_officer
def show(slip_id: str) -> str:
    """Show one of the officer's own slips; just after the end of shift also what to do with the camera now."""
    with runtime().db.read() as session:
        row = session.get(ShiftEnd, slip_id)
        if row is None or row.officer_id != current_officer().officer_id:
            raise OutOfReachError(what=t("phiếu bàn giao", "hand-over slip"))
        slip = read_slip(row)
        known = [camera for c in slip.cameras if (camera := camera_for(session, c.serial)) is not None]
        standing = standing_of(session, known)
    places = [(camera, standing.get(camera.id)) for camera in known]
    return render_template("kiosk/shift_slip.html", slip=slip, places=places, ended="ended" in request.args, now=now())

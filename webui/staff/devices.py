"""Devices: whose each camera is, its battery, its clock, when it last came to a dock; what is overdue comes first."""

from flask import Blueprint, render_template, request

from bodycam.access.errors import OutOfReachError
from bodycam.clock import now
from bodycam.fleet.models import Camera
from bodycam.fleet.queries import holders_of, visits_of
from bodycam.fleet.service import cameras_overdue, list_cameras
from bodycam.people.models import Unit
from bodycam.people.units import list_units
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope
from webui.staff.history import story_of

bp = Blueprint("devices", __name__)
ROWS = 50


@bp.get("/devices")
@allowed("fleet.view")
def index() -> str:
    """Show the overdue cameras, then all by the order they were registered."""
    reach, after = scope("fleet.view"), request.args.get("after") or None
    rt = runtime()
    with rt.db.read() as session:
        overdue = [] if after else cameras_overdue(session, reach, hours=rt.settings.dock.overdue_hours)
        cameras = list_cameras(session, reach, after=after, limit=ROWS + 1)
        holders = holders_of(session, [camera.id for camera in cameras], now())
        units = {unit.id: unit.name for unit in list_units(session, reach)}
    return render_template(
        "staff/devices.html",
        overdue=overdue,
        missing={camera.id for camera, _, _ in overdue},
        cameras=cameras[:ROWS],
        after=cameras[ROWS - 1].id if len(cameras) > ROWS else None,
        holders=holders,
        units=units,
        hours=rt.settings.dock.overdue_hours,
        limits=rt.settings.verification,
        now=now(),
    )


@bp.get("/devices/<camera_id>")
@allowed("fleet.view")
def show(camera_id: str) -> str:
    """Show one camera: its visits to the dock with the clock measured each time, and its story."""
    with runtime().db.read() as session:
        camera = session.get(Camera, camera_id)
        unit = session.get(Unit, camera.unit_id) if camera and camera.unit_id else None
        path = unit.path if unit else None
        if camera is None or not scope("fleet.view").allows(unit_id=camera.unit_id, unit_path=path):
            raise OutOfReachError(what=t("máy", "camera"))
        visits = visits_of(session, camera_id, limit=30)
        holder = holders_of(session, [camera_id], now()).get(camera_id)
        story = story_of(session, camera_id)
    return render_template(
        "staff/device.html",
        camera=camera,
        unit=unit,
        visits=visits,
        holder=holder,
        story=story,
        limits=runtime().settings.verification,
    )

"""Devices: whose each camera is, its battery, its clock, when it last came to a dock; what is overdue comes first."""

import io
import json

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.clock import now
from bodycam.errors import InvalidInputError
from bodycam.fleet import outages
from bodycam.fleet.choices import words_of
from bodycam.fleet.models import Camera, CameraOutage, DockingVisit
from bodycam.fleet.outage_slip import outage_slip
from bodycam.fleet.queries import clock_references, holders_of, visits_of
from bodycam.fleet.service import cameras_overdue, list_cameras, unknown_cameras
from bodycam.people.models import Officer, Unit
from bodycam.people.units import list_units
from bodycam.recordings.on_camera import waiting_on_cameras
from bodycam.verification.examine import TRUSTED_REFERENCES
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of

bp = Blueprint("devices", __name__)
ROWS = 50


@bp.get("/devices")
@allowed("fleet.view")
def index() -> str:
    """Show the cameras nobody registered, the overdue ones, those with footage still on them, then all by the order they were registered."""
    reach, after = scope("fleet.view"), request.args.get("after") or None
    rt = runtime()
    with rt.db.read() as session:
        overdue = [] if after else cameras_overdue(session, reach, hours=rt.settings.dock.overdue_hours)
        unknown = [] if after else unknown_cameras(session, reach)
        waiting = [] if after else waiting_on_cameras(session, reach)
        cameras = list_cameras(session, reach, after=after, limit=ROWS + 1)
        holders = holders_of(session, [camera.id for camera in cameras], now())
        broken = outages.open_outages(session, [camera.id for camera in cameras])
        units = {unit.id: unit.name for unit in list_units(session, reach)}
        references = clock_references(session, [camera.id for camera in cameras])
    return render_template(
        "staff/devices.html",
        unjudged={camera for camera, reference in references.items() if reference not in TRUSTED_REFERENCES},
        overdue=overdue,
        unknown=unknown,
        waiting=waiting,
        missing={camera.id for camera, _, _ in overdue},
        cameras=cameras[:ROWS],
        after=cameras[ROWS - 1].id if len(cameras) > ROWS else None,
        holders=holders,
        broken=broken,
        units=units,
        hours=rt.settings.dock.overdue_hours,
        limits=rt.settings.verification,
        now=now(),
    )


@bp.get("/devices/<camera_id>")
@allowed("fleet.view")
def show(camera_id: str) -> str:
    """Show one camera: its outages, its visits to the dock with the clock measured each time, and its story."""
    with runtime().db.read() as session:
        camera, unit = _reach(session, camera_id, "fleet.view")
        visits = visits_of(session, camera_id, limit=30)
        holder = holders_of(session, [camera_id], now()).get(camera_id)
        story = story_of(session, camera_id)
        outs = outages.outages_of(session, camera_id)
        reporters = {row.officer_id: session.get(Officer, row.officer_id) for row in outs if row.officer_id}
    return render_template(
        "staff/device.html",
        camera=camera,
        unit=unit,
        visits=visits,
        notes_of=_notes_of,
        holder=holder,
        story=story,
        outages=outs,
        reporters=reporters,
        symptom_words=lambda key: words_of("symptom", key, language()),
        may_resolve=_holds("outage.resolve", camera, unit),
        now=now(),
        limits=runtime().settings.verification,
    )


def _notes_of(visit: DockingVisit) -> list[str]:
    """Return what was noted in a visit, in the page's language."""
    notes: list[dict[str, str]] = json.loads(visit.problems)
    return [note.get(language(), note["message"]) for note in notes]


@bp.post("/devices/<camera_id>/outages/<outage_id>/resolve")
@allowed("outage.resolve")
def resolve(camera_id: str, outage_id: str) -> Response:
    """Put a broken camera back in service, with what was done."""
    done = request.form.get("resolution", "").strip()
    if not done:
        raise InvalidInputError(field=t("Đã làm gì", "What was done"), reason="say it in words", reason_vi="cần ghi rõ")
    with runtime().db.write() as session:
        camera, unit = _reach(session, camera_id, "fleet.view")
        row = session.get(CameraOutage, outage_id)
        if row is None or row.camera_id != camera.id:
            raise OutOfReachError(what=t("lần hỏng này", "this outage"))
        if not _holds("outage.resolve", camera, unit):
            raise ForbiddenError(action="outage.resolve")
        outages.resolve(session, outage_id, resolution=done, actor=viewer().account_id)
    return redirect(url_for("devices.show", camera_id=camera_id))


@bp.get("/devices/<camera_id>/outages/<outage_id>.pdf")
@allowed("fleet.view")
def slip(camera_id: str, outage_id: str) -> Response:
    """Give the slip of an outage as a PDF."""
    with runtime().db.read() as session:
        camera, _ = _reach(session, camera_id, "fleet.view")
        row = session.get(CameraOutage, outage_id)
        if row is None or row.camera_id != camera.id:
            raise OutOfReachError(what=t("lần hỏng này", "this outage"))
        body = outage_slip(session, row, runtime().settings.labels)
    return send_file(io.BytesIO(body), mimetype="application/pdf", as_attachment=True, download_name=f"{row.slip}.pdf")


def _reach(session: Session, camera_id: str, action: str) -> tuple[Camera, Unit | None]:
    camera = session.get(Camera, camera_id)
    unit = session.get(Unit, camera.unit_id) if camera and camera.unit_id else None
    if camera is None or not _holds(action, camera, unit):
        raise OutOfReachError(what=t("máy", "camera"))
    return camera, unit


def _holds(action: str, camera: Camera, unit: Unit | None) -> bool:
    return scope(action).allows(unit_id=camera.unit_id, unit_path=unit.path if unit else None)

"""One recording: the reason first, then the picture beside the map, the verification timeline and the two clocks.

No frame, preview or position of a track is sent before `recording.viewed` is committed. The film comes from the vault by ranges;
what is played instead of an original the browser can't play is labelled a viewing copy.
"""

import json

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam import custody
from bodycam.access.errors import ForbiddenError
from bodycam.clock import now
from bodycam.custody.models import CustodyEvent
from bodycam.errors import NotFoundError
from bodycam.geo.geodesy import to_vn2000
from bodycam.geo.places import nearest_place
from bodycam.geo.zones import zone_of
from bodycam.recordings.models import Recording, State, Track
from bodycam.search.described import Described
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.ranges import ranged
from webui.common.receipt_codes import receipt_code
from webui.common.signin import scope, viewer
from webui.staff import reasons
from webui.staff.keeping import gravestone, kept
from webui.staff.reach import find, may_reach, rendition_of
from webui.staff.timeline import rows_of
from webui.staff.tracks import positions_of
from webui.staff.viewings import open_viewing, reason_for

bp = Blueprint("player", __name__)
PLAYABLE = {"h264", "vp8", "vp9", "av1"}
_CODECS = {"h264": "H.264", "hevc": "H.265"}  # as people write them


@bp.get("/recordings/<recording_id>")
@allowed("recording.list")
def show(recording_id: str) -> str:
    """Ask for the reason, or show the player when it was given; without the right to view, only the facts."""
    with runtime().db.read() as session:
        row = find(session, recording_id, "recording.list")
        if row.recording.state == State.DESTROYED:
            stone, rule = gravestone(session, row.recording)
            return render_template("staff/destroyed.html", stone=stone, rule=rule)
        can_view = may_reach(scope("recording.view"), row.recording, row.unit)
        reason = reason_for(recording_id) if can_view else None
        if reason is None:
            return render_template("staff/reason.html", row=row, can_view=can_view, choices=reasons.VIEWING)
        timeline = rows_of(session, row.recording)
        receipt = custody.receipt_for(session, row.recording.sealed_event_id)
        event = session.get(CustodyEvent, row.recording.sealed_event_id)
        has_track = session.get(Track, recording_id) is not None
        how_long = kept(session, row.recording)
    return render_template(
        "staff/player.html",
        row=row,
        title=_title(row),
        reason=reasons.words_of(reason),
        timeline=timeline,
        receipt=receipt,
        event=event,
        receipt_qr=receipt_code(recording_id, event) if receipt and event else None,
        has_track=has_track,
        kept=how_long,
        now=now(),
        picture=_picture(row),
        fps=_frame_rate(row.recording),
        spot=_spot(row.recording),
        can={
            action: may_reach(scope(f"recording.{action}"), row.recording, row.unit)
            for action in ("export", "attach", "history")
        },
        export_reasons=reasons.EXPORTING,
    )


@bp.post("/recordings/<recording_id>/view")
@allowed("recording.view")
def view(recording_id: str) -> BaseResponse:
    """Take the reason, commit the viewing, and open the player."""
    with runtime().db.read() as session:
        find(session, recording_id, "recording.view")
    open_viewing(recording_id, reasons.given(reasons.VIEWING))
    return redirect(url_for("player.show", recording_id=recording_id))


@bp.get("/recordings/<recording_id>/original")
@allowed("recording.view")
def original(recording_id: str) -> Response:
    """Send a range of the original as it was filmed."""
    recording = _viewed(recording_id)
    return ranged(runtime().vault.open(recording.object_id), recording.mime or "application/octet-stream")


@bp.get("/recordings/<recording_id>/copy")
@allowed("recording.view")
def copy(recording_id: str) -> Response:
    """Send a range of the viewing copy."""
    _viewed(recording_id)
    rendition = rendition_of(recording_id, "proxy")
    return ranged(runtime().vault.open(rendition.object_id), rendition.mime)


@bp.get("/recordings/<recording_id>/filmstrip")
@allowed("recording.view")
def filmstrip(recording_id: str) -> Response:
    """Send the strip of small frames."""
    _viewed(recording_id)
    rendition = rendition_of(recording_id, "filmstrip")
    return ranged(runtime().vault.open(rendition.object_id), rendition.mime)


@bp.get("/recordings/<recording_id>/track.json")
@allowed("recording.view")
def track(recording_id: str) -> Response:
    """Send the positions: `[seconds into the film, latitude, longitude, m/s or null, VN-2000 X, Y]`."""
    _viewed(recording_id)
    with runtime().db.read() as session:
        found = session.get(Track, recording_id)
    if found is None:
        raise NotFoundError(what=t("vết định vị", "track"))
    return jsonify(points=positions_of(found))


@bp.post("/recordings/<recording_id>/export")
@allowed("recording.export")
def export(recording_id: str) -> Response:
    """Send the original to be saved, byte for byte; the reason is committed before the first one."""
    reason = reasons.given(reasons.EXPORTING)
    rt = runtime()
    with rt.db.write() as session:
        row = find(session, recording_id, "recording.export")
        custody.record(
            session,
            "recording.exported",
            object_id=recording_id,
            actor=viewer().account_id,
            reason_code=reason.code,
            private=reason.private,
            sha256=row.recording.sha256,
            size=row.recording.size,
        )
    mime = row.recording.mime or "application/octet-stream"
    return ranged(rt.vault.open(row.recording.object_id), mime, download=row.name)


@bp.get("/recordings/<recording_id>/receipt")
@allowed("recording.list")
def receipt(recording_id: str) -> Response:
    """Send the receipt as a file: it proves without us that the recording was sealed, and when.

    Taking one is no event: it holds ids, a hash and a proof, no picture and no name, and is meant to be handed round.
    """
    with runtime().db.read() as session:
        row = find(session, recording_id, "recording.list")
        found = custody.receipt_for(session, row.recording.sealed_event_id)
    if found is None:
        raise NotFoundError(what=t("biên nhận (còn chờ vài giây)", "receipt (wait a few seconds)"))
    response = Response(found.body, mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=f"bien-nhan-{recording_id}.txt")
    return response


def _viewed(recording_id: str) -> Recording:
    """Return a recording whose reason was given; a frame without a reason is a refusal like any other."""
    with runtime().db.read() as session:
        recording = find(session, recording_id, "recording.view").recording
    if reason_for(recording_id) is None:
        raise ForbiddenError(action="recording.view")
    return recording


def _picture(row: Described) -> dict[str, str]:
    """Say what is shown and from where: the original, a viewing copy, or nothing yet."""
    recording = row.recording
    mime, codec = recording.mime or "", (recording.codec or "").lower()
    plays = recording.kind == "audio" or (recording.kind == "video" and codec in PLAYABLE)
    where = recording.id
    if recording.kind == "image" and mime in {"image/jpeg", "image/png", "image/webp"}:
        return {
            "kind": "image",
            "url": url_for("player.original", recording_id=where),
            "label": t("Bản gốc", "Original"),
        }
    if plays:
        size = f" · {_CODECS.get(codec, codec.upper())} {recording.height}p" if recording.height else ""
        return {
            "kind": recording.kind,
            "url": url_for("player.original", recording_id=where),
            "label": t("Bản gốc", "Original") + size,
        }
    if "proxy" in row.renditions:
        label = t("Bản xem – không phải bản gốc", "Viewing copy – not the original")
        return {
            "kind": "image" if recording.kind == "image" else "video",
            "url": url_for("player.copy", recording_id=where),
            "label": label,
        }
    return {"kind": "none", "url": "", "label": ""}


def _spot(recording: Recording) -> dict[str, object] | None:
    """Return the place of the recording's start in words and in VN-2000 metres."""
    if recording.lat is None or recording.lon is None:
        return None
    zone = zone_of(recording.lon)
    east, north = to_vn2000(recording.lat, recording.lon, zone.epsg)
    return {"x": round(north), "y": round(east), "zone": zone, "place": nearest_place(recording.lat, recording.lon)}


def _title(row: Described) -> str:
    """Name a recording as a person would: its best case (of those the viewer may list), else plate and place, else the file."""
    for _, case in row.links[:1]:
        return case.title or case.number or row.name
    known = [part for part in (*row.plates[:1], row.recording.place) if part]
    return ", ".join(known) or row.name


def _frame_rate(recording: Recording) -> float | None:
    """Return the film's own frames a second, None when nobody could read them."""
    streams = json.loads(recording.media).get("streams", [])
    return next((stream["fps"] for stream in streams if stream.get("kind") == "video" and stream.get("fps")), None)

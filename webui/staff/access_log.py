"""Nhật ký truy cập: everything that ever happened to one recording, from the dock to this very look."""

from flask import Blueprint, render_template, request

from webui.common.base import runtime
from webui.common.permissions import allowed
from webui.staff.history import EVENTS, story_of
from webui.staff.reach import find

bp = Blueprint("access_log", __name__)


@bp.get("/recordings/<recording_id>/access-log")
@allowed("recording.history")
def show(recording_id: str) -> str:
    """Show a recording's events, oldest first."""
    with runtime().db.read() as session:
        row = find(session, recording_id, "recording.history")
        lines = story_of(session, recording_id, after=request.args.get("after") or None)
    more = lines[-1].id if len(lines) == EVENTS else None
    return render_template("staff/access_log.html", row=row, lines=lines, more=more)

"""Nhật ký truy cập: a recording's life, from the dock to this very look, each event with its proof to take away."""

from itertools import groupby

from flask import Blueprint, Response, render_template, request

from bodycam.clock import local
from bodycam.custody.errors import NotInLogError
from bodycam.custody.proof import prove
from webui.common.base import runtime
from webui.common.permissions import allowed
from webui.staff.history import EVENTS, event_for_proof, story_of
from webui.staff.reach import find

bp = Blueprint("access_log", __name__)


@bp.get("/recordings/<recording_id>/access-log")
@allowed("recording.history")
def show(recording_id: str) -> str:
    """Show a recording's events, oldest first, by day."""
    with runtime().db.read() as session:
        row = find(session, recording_id, "recording.history")
        lines = story_of(session, recording_id, after=request.args.get("after") or None)
    more = lines[-1].id if len(lines) == EVENTS else None
    days = [(day, list(of_day)) for day, of_day in groupby(lines, key=lambda line: local(line.at).date())]
    return render_template("staff/access_log.html", row=row, days=days, more=more)


@bp.get("/recordings/<recording_id>/access-log/<event_id>/proof")
@allowed("recording.history")
def proof(recording_id: str, event_id: str) -> Response:
    """Send the proof (C2SP tlog-proof) that an event stands in the log, under the witnessed checkpoint when that covers it."""
    log = runtime().log
    with runtime().db.read() as session:
        find(session, recording_id, "recording.history")
        event, with_leaf = event_for_proof(session, recording_id, event_id)
    heads = [head for head in (log.witnessed_checkpoint(), log.checkpoint()) if head is not None]
    index = event.log_index
    covering = next((head for head in heads if index is not None and index < head.size), None)
    if index is None or covering is None:
        raise NotInLogError(event_id=event_id)
    text = prove(log, index, covering, entry=event.body.encode() if with_leaf else None)
    response = Response(text, mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=f"{index:012d}-{event_id}.tlog-proof")
    return response

"""Disposition batches: what is proposed, the two approvals, the cooling-off with its undo, and the result per copy.

Only for those outside an accused's line: what is missing from a batch tells of holds.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.service import units_of
from bodycam.clock import now
from bodycam.recordings.models import Recording
from bodycam.retention import batches, changes, queries
from bodycam.retention.persons import same_person
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.history import story_of
from webui.staff.names import account_names, unit_names

bp = Blueprint("disposition", __name__)
ACTION = "disposition.view"
ROWS = 100
_WHY = {
    "held": ("đang tạm dừng xóa", "held"),
    "not_due": ("chưa hết hạn theo lịch đang có hiệu lực", "no longer past its term"),
    "not_in_log": ("không khớp nhật ký", "doesn't fit the log"),
}
_COPY = {
    "original": ("bản gốc", "original"),
    "thumbnail": ("ảnh nhỏ", "thumbnail"),
    "filmstrip": ("dải hình", "film strip"),
    "proxy": ("bản xem", "viewing copy"),
}
_ITEM = {
    "waiting": ("chờ", "waiting", ""),
    "kept": ("giữ lại", "kept", "warn"),
    "destroying": ("đang hủy", "being destroyed", "busy"),
    "destroyed": ("đã hủy", "destroyed", ""),
    "debt": ("còn nợ", "owed", "bad"),
}


def waiting_for_me() -> int:
    """Return how many batches wait for the signed-in person's approval."""
    if scope("disposition.approve").is_empty:
        return 0
    with runtime().db.read() as session:
        return queries.count_to_approve(session, viewer().account_id)


@bp.get("/disposition")
@allowed(ACTION)
def index() -> str:
    """List the batches, newest first."""
    with runtime().db.read() as session:
        rows = queries.list_batches(session)
    return render_template("staff/disposition.html", rows=rows)


@bp.get("/disposition/<batch_id>")
@allowed(ACTION)
def show(batch_id: str) -> str:
    """Show a batch: its steps, its list, what became of each copy, and the buttons of one's role."""
    start = max(0, request.args.get("from", 0, type=int))
    with runtime().db.read() as session:
        batch = batches.get_batch(session, batch_id)
        items = queries.items_of(session, batch_id, start=start, limit=ROWS + 1)
        shown = items[:ROWS]
        rules = {rule.key: t(rule.vi, rule.en) for rule in changes.in_force(session).rule}
        people = account_names(session, [batch.first_by, batch.second_by, batch.ended_by])
        is_second = batch.first_by is not None
        return render_template(
            "staff/disposition_batch.html",
            batch=batch,
            items=[(item, session.get_one(Recording, item.recording_id)) for item in shown],
            copies=queries.copies_of(session, [item.id for item in shown]),
            counts=queries.counts_of(session, batch_id),
            rules=rules,
            names=people,
            units=unit_names(session, [batch.first_unit_id, batch.second_unit_id]),
            story=story_of(session, batch_id),
            is_mine=is_second and same_person(session, batch.first_by or "", viewer().account_id),
            start=start,
            rows=ROWS,
            following=start + ROWS if len(items) > ROWS else None,
            now=now(),
            why=lambda code: t(*_WHY.get(code, (code, code))),
            copy_words=lambda what: t(*_COPY.get(what, (what, what))),
            item_words=lambda state: (t(*_ITEM[state][:2]), _ITEM[state][2]),
            settings=runtime().settings.retention,
        )


@bp.post("/disposition/<batch_id>/approve")
@allowed("disposition.approve")
def approve(batch_id: str) -> BaseResponse:
    """Approve the list that was shown."""
    with runtime().db.write() as session:
        batches.approve(
            session,
            batch_id,
            actor=viewer().account_id,
            units=units_of(session, viewer().account_id, "disposition.approve"),
            seen=request.form.get("seen", ""),
            settings=runtime().settings.retention,
        )
    return redirect(url_for("disposition.show", batch_id=batch_id), 303)


@bp.post("/disposition/<batch_id>/undo")
@allowed("disposition.approve")
def undo(batch_id: str) -> BaseResponse:
    """Take a batch back, with the reason."""
    with runtime().db.write() as session:
        batches.undo(session, batch_id, actor=viewer().account_id, reason=request.form.get("reason", ""))
    return redirect(url_for("disposition.show", batch_id=batch_id), 303)

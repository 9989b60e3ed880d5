"""The system log at a glance: how long it is, what waits, when it was last signed, its signed head to take away.

Beside it who was given which rights, and by whom: an administrator can open an account for himself, but not unseen.
"""

from datetime import timedelta

from flask import Blueprint, Response, render_template

from bodycam import clock
from bodycam.custody.inventory import newest, objects_gone
from bodycam.custody.queries import log_state
from bodycam.errors import NotFoundError
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.staff.history import changes_of_rights
from webui.staff.witnesses import witness_block

bp = Blueprint("log", __name__)

_INVENTORY_LATE = timedelta(hours=3)  # taken every hour
_TOLD_FOR = timedelta(days=30)


@bp.get("/log")
@allowed("log.view")
def index() -> str:
    """Show the state of the log."""
    rt = runtime()
    with rt.db.read() as session:
        state, changes = log_state(session, rt.log), changes_of_rights(session)
        witnesses = witness_block(session, rt)
        last, gone = newest(session), objects_gone(session, clock.now() - _TOLD_FOR)
    return render_template(
        "staff/log.html",
        state=state,
        checkpoint=rt.log.checkpoint(),
        origin=rt.settings.log.origin,
        changes=changes,
        stands_still=rt.settings.log.tick_when_idle and state.stands_still(rt.settings.log.checkpoint_seconds),
        checkpoint_age_s=(clock.now() - state.checkpoint_at).total_seconds() if state.checkpoint_at else None,
        inventory=last,
        inventory_is_old=last is not None and clock.now() - last.taken_at > _INVENTORY_LATE,
        gone=gone,
        **witnesses,
    )


@bp.get("/log/checkpoint")
@allowed("log.view")
def checkpoint() -> Response:
    """Send the signed head as a file, to be kept outside this system."""
    path = runtime().settings.log.dir / "checkpoint"
    if not path.is_file():
        raise NotFoundError(what=t("mốc đã ký", "signed checkpoint"))
    response = Response(path.read_bytes(), mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename="checkpoint.txt")
    return response

"""The vault: how far each place was read back and what is wrong there, and the button that asks for a round through all of it."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from bodycam import clock
from bodycam.backup.queries import last_finished
from bodycam.fixity.models import FixityRound
from bodycam.fixity.problems import PROBLEMS
from bodycam.fixity.queries import count_checked, list_damaged, place_states, unlisted
from bodycam.jobs import service as jobs
from bodycam.recordings.models import Recording
from bodycam.tasks.vault import stray_attempts
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.signin import scope, viewer
from webui.staff.reach import may_reach

bp = Blueprint("vault", __name__)
ROUNDS = 10
SHOWN = 100
BACKUP_DAYS = 7


@bp.get("/vault")
@allowed("vault.scrub")
def index() -> str:
    """Show places, damage and the last rounds; a recording's name only to whom its list shows it."""
    reach, now = scope("recording.list"), clock.now()
    days = runtime().settings.vault.scrub_days
    with runtime().db.read() as session:
        rounds = session.scalars(select(FixityRound).order_by(FixityRound.id.desc()).limit(ROUNDS)).all()
        latest = rounds[0] if rounds else None
        counted = count_checked(session, latest.started_at)[0] if latest else 0
        places = place_states(session, now - timedelta(days=days))
        damaged = list_damaged(session, limit=SHOWN)
        ids = [row.object_id for row in damaged]
        query = select(Recording).where(Recording.object_id.in_(ids)).order_by(Recording.id).limit(len(ids))
        is_asked = request.args.get("asked") == "1"
        is_running = is_asked and jobs.is_waiting(session, "vault.scrub", "recording.recheck")
        named = {row.object_id: row for row in session.scalars(query) if may_reach(reach, row, None)}
        strangers = unlisted(session, SHOWN)
        backup = last_finished(session)
    told = {
        (row.object_id, row.place): ", ".join(t(*PROBLEMS[code]) for code in row.problems.split(",")) for row in damaged
    }
    return render_template(
        "staff/vault.html",
        rounds=rounds,
        counted=counted,
        places=places,
        late={state.place for state in places if state.is_late(now, timedelta(days=days))},
        days=days,
        now=now,
        damaged=damaged,
        named=named,
        told=told,
        strangers=strangers,
        backup=backup,
        is_backup_old=backup is None or (now - backup.began_at).days > BACKUP_DAYS,
        strays=stray_attempts(runtime()),
        is_asked=is_asked,
        is_running=is_running,
    )


@bp.post("/vault/scrub")
@allowed("vault.scrub")
def scrub() -> Response:
    """Ask for a round through the whole vault; two presses within a minute are one, unless a round ended between them."""
    with runtime().db.write() as session:
        query = select(FixityRound.id).where(FixityRound.finished_at.is_not(None)).order_by(FixityRound.id.desc())
        key = f"vault.scrub:{session.scalar(query.limit(1))}:{clock.now():%Y%m%d%H%M}"
        jobs.enqueue(session, "vault.scrub", {"account_id": viewer().account_id}, key=key)
    return redirect(url_for("vault.index", asked=1))

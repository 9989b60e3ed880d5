"""Citizens' reports, for intake and auditors alone: read, sorted, answered.

The reason comes first: nothing of a report is shown before its viewing is committed, each file's first byte is an event of its
own, and who reports takes another reason and shows once. What is written as an answer is what the citizen reads by the code.
"""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.petitions import service, uploads
from bodycam.petitions.models import FileState, Submission, SubmissionFile, SubmissionState, Track
from bodycam.petitions.queries import count_files, list_submissions
from bodycam.petitions.words import STATE_WORDS, TRACK_WORDS
from bodycam.recordings.models import Recording
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.permissions import allowed
from webui.common.ranges import ranged
from webui.common.signin import scope, viewer
from webui.staff import reasons
from webui.staff.cursors import read_cursor, write_cursor
from webui.staff.history import story_of
from webui.staff.viewings import open_submission, open_submission_file, reason_for, record_identity

bp = Blueprint("submissions", __name__)
ROWS = 30


@bp.get("/submissions")
@allowed("submission.list")
def index() -> str:
    """Show what was received, newest first."""
    state = request.args.get("state", "")
    states = [SubmissionState(state)] if state in {known.value for known in STATE_WORDS} else []
    with runtime().db.read() as session:
        rows = list_submissions(session, states=states, after=read_cursor(), limit=ROWS + 1)
        files = count_files(session, [row.id for row in rows])
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    after = write_cursor(last.received_at, last.id) if last and last.received_at else None
    return render_template(
        "staff/submissions.html",
        rows=rows[:ROWS],
        files=files,
        state=state,
        states=STATE_WORDS,
        tracks=TRACK_WORDS,
        after=after,
    )


@bp.get("/submissions/<submission_id>")
@allowed("submission.view")
def show(submission_id: str) -> str:
    """Ask for the reason, or show the report's text and files when it was given."""
    if reason_for(submission_id) is not None:
        return _page(submission_id, identity=False)
    with runtime().db.read() as session:
        row = _received(session, submission_id)
        files = count_files(session, [submission_id]).get(submission_id, 0)
    return render_template(
        "staff/submission_reason.html", row=row, files=files, states=STATE_WORDS, choices=reasons.READING
    )


@bp.post("/submissions/<submission_id>/view")
@allowed("submission.view")
def view(submission_id: str) -> BaseResponse:
    """Take the reason, commit the viewing, and open the report."""
    with runtime().db.read() as session:
        _received(session, submission_id)
    open_submission(submission_id, reasons.given(reasons.READING))
    return redirect(url_for("submissions.show", submission_id=submission_id))


@bp.post("/submissions/<submission_id>/identity")
@allowed("submission.triage")
def identity(submission_id: str) -> str:
    """Show who reports, once, after a reason and an event of their own."""
    _reason_of(submission_id)
    with runtime().db.read() as session:
        _received(session, submission_id)
    record_identity(submission_id, reasons.given(reasons.IDENTIFYING))
    return _page(submission_id, identity=True)


@bp.post("/submissions/<submission_id>/triage")
@allowed("submission.triage")
def triage(submission_id: str) -> BaseResponse:
    """Move a report on and keep what the citizen will read."""
    state, track = request.form.get("state", ""), request.form.get("track", "")
    if state not in {known.value for known in STATE_WORDS}:
        raise InvalidInputError(
            field=t("Trạng thái", "State"), reason_vi="chọn bước tiếp theo", reason="choose the next step"
        )
    chosen = Track(track) if track in {known.value for known in TRACK_WORDS} else None
    with runtime().db.write() as session:
        service.triage(
            session,
            submission_id,
            account_id=viewer().account_id,
            state=SubmissionState(state),
            track=chosen,
            answer=request.form.get("answer", ""),
        )
    return redirect(url_for("submissions.show", submission_id=submission_id))


@bp.get("/submissions/<submission_id>/files/<file_id>")
@allowed("submission.view")
def file(submission_id: str, file_id: str) -> Response:
    """Send a sealed file by ranges, to those who opened the report in the log before; its first byte is an event of its own."""
    reason = _reason_of(submission_id)
    with runtime().db.read() as session:
        _received(session, submission_id)
        found = session.get(SubmissionFile, file_id)
        if found is None or found.submission_id != submission_id or found.object_id is None:
            raise NotFoundError(what=t("tệp", "file"))
        recording = session.get(Recording, found.recording_id) if found.recording_id else None
    if reason_for(file_id) is None:
        open_submission_file(submission_id, file_id, reason)
    mime = recording.mime if recording and recording.mime else "application/octet-stream"
    shown = mime.startswith(("video/", "audio/")) or mime in {"image/jpeg", "image/png", "image/webp"}
    return ranged(runtime().vault.open(found.object_id), mime, download=None if shown else f"{file_id}.bin")


def _page(submission_id: str, *, identity: bool) -> str:
    rt = runtime()
    with rt.db.read() as session:
        row = _received(session, submission_id)
        files = [
            (item, uploads.name_of(session, rt.keyring, item), session.get(Recording, item.recording_id or ""))
            for item in service.files_of(session, submission_id)
        ]
        story = story_of(session, submission_id)
    return render_template(
        "staff/submission.html",
        row=row,
        reason=reasons.words_of(reason_for(submission_id)),
        identity_reasons=reasons.IDENTIFYING,
        content=service.content_of(rt.keyring, row),
        person=service.identity_of(rt.keyring, row) if identity else None,
        is_named=row.identity is not None,
        files=files,
        story=story,
        next_states=service.next_states(row.state),
        states=STATE_WORDS,
        tracks=TRACK_WORDS,
        sealed=FileState.SEALED,
        can_triage=not scope("submission.triage").is_empty,
    )


def _reason_of(submission_id: str) -> str:
    """Return the reason given for a report; asking for a part of it without one is a refusal like any other."""
    reason = reason_for(submission_id)
    if reason is None:
        raise ForbiddenError(action="submission.view")
    return reason


def _received(session: Session, submission_id: str) -> Submission:
    row = session.get(Submission, submission_id)
    if row is None or row.received_at is None:
        raise OutOfReachError(what=t("tin người dân gửi", "report"))
    return row

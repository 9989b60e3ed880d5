"""Who may see a recording's frames in this sign-in: those who gave a reason, committed to the custody log beforehand.

The grant lies in the signed form cookie, tied to the account and emptied at every sign-in and sign-out; at most twenty are
kept, the oldest is asked for its reason again.
"""

from flask import session

from bodycam import custody
from webui.common.base import runtime
from webui.common.signin import viewer
from webui.staff.reasons import Given

_KEY = "viewings"
MOST = 20


def open_viewing(recording_id: str, reason: Given) -> None:
    """Commit `recording.viewed`, then allow this person to see the recording."""
    custody.record_now(
        runtime().db,
        "recording.viewed",
        object_id=recording_id,
        actor=viewer().account_id,
        reason_code=reason.code,
        private=reason.private,
    )
    _keep(recording_id, reason.code)


def open_submission(submission_id: str, *, file_id: str | None = None, code: str | None = None) -> None:
    """Commit `submission.viewed`, of a report or of one of its files, then allow this person to see that."""
    custody.record_now(
        runtime().db,
        "submission.viewed",
        object_id=submission_id,
        actor=viewer().account_id,
        reason_code=code,
        details={"file": file_id} if file_id else {},
    )
    _keep(file_id or submission_id, code or "opened")


def _keep(object_id: str, code: str) -> None:
    kept = [grant for grant in session.get(_KEY, []) if grant[0] != object_id]
    session[_KEY] = [*kept, [object_id, code, viewer().account_id]][-MOST:]


def reason_for(recording_id: str) -> str | None:
    """Return the reason code this person gave for this recording in this sign-in, None when none was given."""
    for known_id, code, who in session.get(_KEY, []):
        if known_id == recording_id and who == viewer().account_id:
            return str(code)
    return None

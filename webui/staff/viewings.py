"""Who may see a recording or a citizen's report in this sign-in: those whose reason was committed to the custody log beforehand.

The grant lies in the signed form cookie, tied to the sign-in it was given in, so that a kept copy of the cookie is worth
nothing afterwards; at most twenty are kept, the oldest is asked for its reason again.
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


def open_submission(submission_id: str, reason: Given) -> None:
    """Commit `submission.viewed`, then allow this person to read the report."""
    _record_submission(submission_id, reason.code, reason.private)
    _keep(submission_id, reason.code)


def open_submission_file(submission_id: str, file_id: str, code: str) -> None:
    """Commit `submission.viewed` of one file, with the reason given for its report, then allow this person to see it."""
    _record_submission(submission_id, code, {}, file=file_id)
    _keep(file_id, code)


def record_identity(submission_id: str, reason: Given) -> None:
    """Commit that somebody looks at who reports; it allows one look, so nothing is kept."""
    _record_submission(submission_id, reason.code, reason.private, part="identity")


def _record_submission(submission_id: str, code: str, private: dict[str, str], **details: str) -> None:
    custody.record_now(
        runtime().db,
        "submission.viewed",
        object_id=submission_id,
        actor=viewer().account_id,
        reason_code=code,
        private=private,
        details=details,
    )


def _keep(object_id: str, code: str) -> None:
    kept = [grant for grant in session.get(_KEY, []) if grant[0] != object_id]
    session[_KEY] = [*kept, [object_id, code, viewer().session_id]][-MOST:]


def reason_for(object_id: str) -> str | None:
    """Return the reason code this person gave for a recording or a report in this sign-in, None when none was given."""
    for known_id, code, who in session.get(_KEY, []):
        if known_id == object_id and who == viewer().session_id:
            return str(code)
    return None

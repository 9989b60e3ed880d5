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
    who = viewer().account_id
    custody.record_now(
        runtime().db,
        "recording.viewed",
        object_id=recording_id,
        actor=who,
        reason_code=reason.code,
        private=reason.private,
    )
    kept = [grant for grant in session.get(_KEY, []) if grant[0] != recording_id]
    session[_KEY] = [*kept, [recording_id, reason.code, who]][-MOST:]


def reason_for(recording_id: str) -> str | None:
    """Return the reason code this person gave for this recording in this sign-in, None when none was given."""
    for known_id, code, who in session.get(_KEY, []):
        if known_id == recording_id and who == viewer().account_id:
            return str(code)
    return None

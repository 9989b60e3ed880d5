"""Who is asking, on the citizens' side: no account, only the report that this browser session is working on.

The session cookie holds the report's id, signed, and ends with the browser. It opens the upload and the receipt of that one
report until the citizen leaves; later only the secret code does.
"""

from flask import session

from bodycam.petitions.errors import NoSuchSubmissionError

_KEY = "submission"


def submission_id() -> str | None:
    """Return the report this session works on, if any."""
    found: str | None = session.get(_KEY)
    return found


def required() -> str:
    """Return the report this session works on; raises NoSuchSubmissionError."""
    found = submission_id()
    if found is None:
        raise NoSuchSubmissionError(what="submission")
    return found


def remember(submission: str) -> None:
    """Let this session work on a report."""
    session[_KEY] = submission


def forget() -> None:
    """Forget everything about this session."""
    session.clear()

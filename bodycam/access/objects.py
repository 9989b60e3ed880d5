"""The same question for whole things: may this account do this to this recording, this case?

A citizen's recording is reached only by who may view submissions, whatever unit or officer it seems to belong to.
"""

from sqlalchemy.orm import Session

from bodycam.access.errors import ForbiddenError
from bodycam.access.permissions import Action
from bodycam.access.service import may, scope_of
from bodycam.cases.models import Case
from bodycam.cases.queries import is_visible
from bodycam.cases.service import get_case
from bodycam.errors import NotFoundError
from bodycam.recordings.models import Origin, Recording


def may_recording(session: Session, account_id: str, action: str, recording: Recording) -> bool:
    """Whether an account may do a recording action to this recording."""
    if recording.origin == Origin.CITIZEN and not may(session, account_id, Action.SUBMISSION_VIEW):
        return False
    if recording.origin == Origin.CITIZEN and action in {Action.RECORDING_LIST, Action.RECORDING_VIEW}:
        return True  # who reads submissions reads their files
    return may(session, account_id, action, unit_id=recording.unit_id, officer_id=recording.officer_id)


def require_recording(session: Session, account_id: str, action: str, recording_id: str) -> Recording:
    """Return a recording the account may do this to; raises `NotFoundError` or `ForbiddenError`."""
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFoundError(what="recording")
    if not may_recording(session, account_id, action, recording):
        raise ForbiddenError(action=action)
    return recording


def require_case(session: Session, account_id: str, action: str, case_id: str) -> Case:
    """Return a case the account may do this to; raises `NotFoundError` or `ForbiddenError`."""
    case = get_case(session, case_id)
    if not is_visible(session, scope_of(session, account_id, action), case_id):
        raise ForbiddenError(action=action)
    return case

"""What retention knows of one recording, for those who ask from outside."""

from sqlalchemy.orm import Session

from bodycam.recordings.models import Recording
from bodycam.retention.holds import holding
from bodycam.retention.terms import root_of


def is_held(session: Session, recording_id: str) -> bool:
    """Tell whether any hold covers a recording, whatever caused it: for what would destroy, never for a page.

    Raises:
        HoldTamperedError: a hold's row isn't what the log says: nothing may be destroyed.
    """
    recording = session.get(Recording, recording_id)
    if recording is None:
        return False
    root = root_of(session, recording)
    return bool(holding(session, [root]))

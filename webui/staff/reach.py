"""Which recording a person may reach: found inside a scope, or not found at all.

Somebody who may not open a recording is told the same as when there is none, unless its list entry is theirs to see: then the
refusal says so and is logged.
"""

from sqlalchemy.orm import Session

from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.errors import NotFoundError
from bodycam.people.models import Unit
from bodycam.people.scope import Scope
from bodycam.recordings.models import Origin, Recording, Rendition
from bodycam.search.described import Described, describe
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.signin import scope


def may_reach(reach: Scope, recording: Recording, unit: Unit | None) -> bool:
    """Tell whether a scope holds a recording; what a citizen sent is in nobody's scope here."""
    if recording.origin == Origin.CITIZEN:
        return False
    path = unit.path if unit else None
    return reach.allows(unit_id=recording.unit_id, unit_path=path, officer_ids=(recording.officer_id,))


def find(session: Session, recording_id: str, action: str) -> Described:
    """Return a recording the signed-in person may do `action` to; raises OutOfReachError or ForbiddenError."""
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise OutOfReachError(what=t("bản ghi", "recording"))
    found = describe(session, [recording], scope("case.list"))[0]
    if not may_reach(scope("recording.list"), recording, found.unit):
        raise OutOfReachError(what=t("bản ghi", "recording"))
    if not may_reach(scope(action), recording, found.unit):
        raise ForbiddenError(action=action)
    return found


def rendition_of(recording_id: str, kind: str) -> Rendition:
    """Return a preview of a recording the signed-in person may view."""
    with runtime().db.read() as session:
        rendition = find(session, recording_id, "recording.view").renditions.get(kind)
    if rendition is None:
        raise NotFoundError(what=t("ảnh xem trước", "preview"))
    return rendition

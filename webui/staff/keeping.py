"""What a recording's page says of how long it is kept: the schedule's term, and the holds that were placed by order.

It is reckoned without a look at any hold that a complaint caused. When the term is over, every recording waits for a batch in the
same words, whether something holds it or not.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bodycam.errors import BodycamError
from bodycam.recordings.models import Recording
from bodycam.retention import changes, queries
from bodycam.retention.models import LegalHold, Tombstone
from bodycam.retention.terms import keeping_of, root_of
from webui.common.base import runtime
from webui.common.locale import t


@dataclass(frozen=True)
class Kept:
    """Until when, under which rule, and the holds by order; `due_at` None: until a case is closed, or not known now."""

    due_at: datetime | None
    rule: str
    holds: tuple[LegalHold, ...]


def kept(session: Session, recording: Recording) -> Kept:
    """Return how long a recording is kept, as everybody who may see it may know."""
    root = root_of(session, recording)
    held = tuple(queries.ordered_holds(session, root))
    try:
        schedules = changes.effective(session, runtime().settings.retention.notice_days)
    except BodycamError:  # rows that don't fit the log: an alarm elsewhere, no reason to hide a recording
        return Kept(None, "", held)
    longest = keeping_of(session, [root], schedules)[root.id].longest
    return Kept(longest.due_at, t(longest.rule.vi, longest.rule.en), held)


def gravestone(session: Session, recording: Recording) -> tuple[Tombstone | None, str]:
    """Return what stays of a destroyed recording, and its rule in words."""
    stone = queries.tombstone_of(session, recording.id)
    rules = {rule.key: t(rule.vi, rule.en) for rule in changes.in_force(session).rule}
    return stone, rules.get(stone.rule, stone.rule) if stone else ""

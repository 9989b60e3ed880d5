"""An order to pull a camera before it is done: by name, with a reason, and what is still on it stays owed.

The station stops reading with every byte kept; its tile is never green. The debt runs from now and ends when the camera has come
and is done. Whoever calls has made sure that the officer may give the order.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.coverage.models import Debt
from bodycam.coverage.service import footage_owed
from bodycam.db import nfc
from bodycam.errors import InvalidInputError
from bodycam.fleet.choices import OTHER, choices, words_of
from bodycam.fleet.docking import give_command
from bodycam.fleet.errors import NothingToPullError
from bodycam.fleet.models import Camera, Station
from bodycam.fleet.service import camera_by_label, camera_for
from bodycam.fleet.standing import standing_at

BUSY = {"uploading", "verifying", "waiting_receipt", "error"}
COMMAND = "release"
MAX_WORDS = 300


def order_pull(
    session: Session,
    station: Station,
    slot: int,
    *,
    camera: str,
    state: str,
    by: str,
    reason: str,
    words: str,
    hours: int,
) -> Debt | None:
    """Order a station to let a slot's camera go; returns the debt of what is still on it, due in so many hours.

    `camera` and `state` are what the slot's tile says, `by` the officer on duty; `reason` is one of `pull_reason`, "other" needs
    words. A camera nobody knows yet has no debt: it is in quarantine, and the order's event names its slot.
    """
    text = _reason(reason, words) if state in BUSY else ""
    if not text:
        raise NothingToPullError(slot=slot)
    give_command(session, station.id, COMMAND, slot=slot, officer_id=by, body={"by": by, "reason": text})
    here = standing_at(session, station.id).get(slot)
    known: Camera | None = here.camera if here else camera_by_label(session, camera) or camera_for(session, camera)
    visit_id = here.visit_id if here else None
    custody.record(
        session,
        "camera.pull_ordered",
        object_id=known.id if known else station.id,
        actor=by,
        device=known.id if known else None,
        reason_code=reason,
        details={"station": station.id, "slot": slot, "visit": visit_id},
        private={"reason": text},
    )
    if known is None:
        return None
    return footage_owed(
        session,
        camera_id=known.id,
        visit_id=visit_id,
        officer_id=here.holder.id if here and here.holder else None,
        unit_id=known.unit_id or station.unit_id,
        allowed_by=by,
        reason=text,
        due_at=now() + timedelta(hours=hours),
        actor=by,
    )


def _reason(reason: str, words: str) -> str:
    """Return the reason in words, as the debt and the station's journal keep it."""
    words = nfc(words).strip()[:MAX_WORDS]
    if reason not in choices("pull_reason") or (reason == OTHER and not words):
        raise InvalidInputError(
            field="reason",
            reason="choose one, and write it out if it is another",
            reason_vi="chọn lý do; nếu là lý do khác thì ghi rõ",
        )
    return ": ".join(part for part in (words_of("pull_reason", reason, "vi"), words) if part)

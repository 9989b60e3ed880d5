"""Jobs of retention: look at the log's clock, propose the month's batch, carry out what was approved and cooled off."""

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from bodycam.access.permissions import Action
from bodycam.access.service import units_of
from bodycam.errors import BodycamError
from bodycam.retention import batches, clockwatch, execution, negatives
from bodycam.runtime import Runtime

_log = structlog.get_logger(__name__)


def watch(rt: Runtime) -> None:
    """Look through the log's newest times; a jump is an alarm and stops disposal."""
    with rt.db.write() as session:
        doubt = clockwatch.look(session, timedelta(hours=rt.settings.retention.clock_jump_hours))
    if doubt is not None:
        _log.error("clock.in_doubt", since=str(doubt.seen_at), before=str(doubt.before))


def propose(rt: Runtime) -> None:
    """Propose this month's batch, if something is due; what stops it stands in the log of this process and on the page."""
    try:
        batch = batches.propose(rt.db, rt.settings.retention)
    except BodycamError as error:
        _log.error("disposition.not_proposed", code=error.code)
        return
    if batch is not None:
        _log.info("disposition.proposed", batch=batch.id, items=batch.items)


def dispose(rt: Runtime) -> None:
    """Carry out each batch whose cooling-off is over, and go on with those that a crash or a lost place left."""
    with rt.db.read() as session:
        ids = execution.due_batches(session)
    for batch_id in ids:
        state = execution.run(rt, batch_id, may_approve)
        _log.info("disposition.ran", batch=batch_id, state=state.value)


def look_again(rt: Runtime) -> None:
    """Search anew for every negative that stands: what was noted or attached since may speak against it."""
    with rt.db.write() as session:
        reopened = negatives.look_again(session)
    if reopened:
        _log.warning("negative.reopened", negatives=reopened)


def may_approve(session: Session, account_id: str) -> frozenset[str]:
    """Return the units on which an account may approve a disposition today."""
    return units_of(session, account_id, Action.DISPOSITION_APPROVE)

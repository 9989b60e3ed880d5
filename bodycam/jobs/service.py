"""Ask for work, claim it, run it, and find what got lost.

A job is asked for in the transaction that needs it and sent to the broker only after the commit. The broker may lose or repeat
messages: `sweep` sends again, `claim` lets one runner in, and handlers are idempotent. A handler that fails is tried again with
growing pauses, then kept as failed with its reason, and once an hour tried again: a disk that was full is not so for ever, and
nothing that was received may stay unsealed or unread because of it.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.db import Database, after_commit, new_id
from bodycam.jobs import owner
from bodycam.jobs.models import Job, JobState

Handler = Callable[..., None]  # called with the job's args as keywords
Send = Callable[[str, str], None]  # (job name, job id) to the broker

LEASE = timedelta(seconds=90)
RESEND_AFTER = timedelta(seconds=30)
MOST_ATTEMPTS = 5
REVIVE_AFTER = timedelta(hours=1)
BATCH = 200

logger = structlog.get_logger(__name__)
_send: Send | None = None


def send_with(send: Send | None) -> None:
    """Set how this process hands jobs to the broker; without it they wait for a sweep or a drain."""
    global _send
    _send = send


def enqueue(
    session: Session,
    name: str,
    args: Mapping[str, str | int | None],
    *,
    key: str | None = None,
    due_at: datetime | None = None,
) -> Job:
    """Ask for a job in the caller's transaction; with a `key` that was asked for before, return that job unchanged."""
    if key is not None:
        known = session.scalar(select(Job).where(Job.key == key))
        if known is not None:
            return known
    now = clock.now()
    sent_at = now if due_at is None and _send is not None else None  # a message that gets lost is sent again later
    job = Job(
        id=new_id(),
        name=name,
        args=json.dumps(dict(args)),
        key=key,
        created_at=now,
        due_at=due_at or now,
        sent_at=sent_at,
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:  # another process asked for the same key in between
        return session.execute(select(Job).where(Job.key == key)).scalar_one()
    if due_at is None:
        after_commit(session, lambda: _try_send(job.name, job.id))
    return job


def is_waiting(session: Session, *names: str) -> bool:
    """Tell whether a job of one of these names waits or runs."""
    open_states = (JobState.WAITING, JobState.RUNNING)
    query = select(Job.id).where(Job.state.in_(open_states), Job.name.in_(names)).order_by(Job.id).limit(1)
    return session.scalar(query) is not None


def run(db: Database, job_id: str, handlers: Mapping[str, Handler]) -> bool:
    """Run one job if it's free; return True if it was run here and succeeded. Never raises for a failing handler."""
    with db.write() as session:
        job = _claim(session, job_id)
    if job is None:
        return False
    log = logger.bind(job=job.id, name=job.name)
    try:
        with _renewing(db, job):
            handlers[job.name](**json.loads(job.args))
    except Exception as error:
        log.warning("job.failed", error=repr(error), attempts=job.attempts, exc_info=True)
        with db.write() as session:
            _end(session, job, **_failure(job, error))
        return False
    with db.write() as session:
        _end(session, job, state=JobState.DONE, finished_at=clock.now(), error=None)
    return True


def drain(db: Database, handlers: Mapping[str, Handler]) -> int:
    """Run all that is due in this process until nothing is left; return how many succeeded (for commands without `up`)."""
    done = 0
    tried: set[str] = set()
    while True:
        with db.read() as session:
            ids = [job_id for job_id in due(session) if job_id not in tried]
        if not ids:
            return done
        for job_id in ids:
            tried.add(job_id)
            done += run(db, job_id, handlers)


def due(session: Session) -> list[str]:
    """Return the ids of jobs that may run now, oldest first, at most `BATCH`."""
    query = select(Job.id).where(_runnable(clock.now())).order_by(Job.due_at, Job.id).limit(BATCH)
    return list(session.scalars(query))


def sweep(session: Session) -> int:
    """Send again what the broker seems to have lost, and what a dead runner left; return how many."""
    now = clock.now()
    _free_orphans(session)
    _revive(session, now)
    lost = or_(Job.sent_at.is_(None), Job.sent_at < now - RESEND_AFTER)
    jobs = session.scalars(select(Job).where(_runnable(now), lost).order_by(Job.due_at, Job.id).limit(BATCH)).all()
    for job in jobs:
        job.sent_at = now
        name, job_id = job.name, job.id
        after_commit(session, lambda name=name, job_id=job_id: _try_send(name, job_id))  # type: ignore[misc]
    return len(jobs)


def failed(session: Session) -> dict[str, int]:
    """Return how many jobs of each name have failed and wait for their hourly try."""
    query = select(Job.name, func.count()).where(Job.state == JobState.FAILED).group_by(Job.name).order_by(Job.name)
    return {str(name): int(count) for name, count in session.execute(query)}


def _runnable(now: datetime) -> Any:  # noqa: ANN401  a SQL condition
    waiting = (Job.state == JobState.WAITING) & (Job.due_at <= now)
    abandoned = (Job.state == JobState.RUNNING) & (Job.lease_until < now)
    return or_(waiting, abandoned)


def _free_orphans(session: Session) -> None:
    running = session.scalars(select(Job).where(Job.state == JobState.RUNNING).order_by(Job.id).limit(BATCH))
    for job in running:
        if job.owner and owner.is_gone(job.owner):
            job.state, job.sent_at = JobState.WAITING, None


def _claim(session: Session, job_id: str) -> Job | None:
    job = session.get(Job, job_id)
    if job is None:
        return None
    now = clock.now()
    orphaned = job.state == JobState.RUNNING and job.owner is not None and owner.is_gone(job.owner)
    free = Job.owner == job.owner if orphaned else _runnable(now)
    claimed = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state.in_([JobState.WAITING, JobState.RUNNING]), free)
        .values(state=JobState.RUNNING, owner=owner.me(), lease_until=now + LEASE, attempts=Job.attempts + 1)
    )
    assert isinstance(claimed, CursorResult)
    if claimed.rowcount != 1:
        return None
    session.refresh(job)
    return job


def _revive(session: Session, now: datetime) -> None:
    old = (Job.state == JobState.FAILED) & (Job.finished_at < now - REVIVE_AFTER)
    values = {"state": JobState.WAITING, "due_at": now, "sent_at": None, "finished_at": None}
    session.execute(update(Job).where(old).values(**values))


def _failure(job: Job, error: Exception) -> dict[str, Any]:
    told = f"{type(error).__name__}: {error}"[:2000]
    if job.attempts >= MOST_ATTEMPTS:
        return {"state": JobState.FAILED, "finished_at": clock.now(), "error": told}
    due_at = clock.now() + timedelta(seconds=2 * 4 ** (job.attempts - 1))
    return {"state": JobState.WAITING, "sent_at": None, "due_at": due_at, "error": told}


def _end(session: Session, job: Job, **values: Any) -> None:  # noqa: ANN401  columns of a Job
    """Write how this run ended, unless another one has claimed the job since: `attempts` numbers the claims."""
    mine = (Job.id == job.id) & (Job.attempts == job.attempts)
    session.execute(update(Job).where(mine).values(owner=None, lease_until=None, **values))


@contextmanager
def _renewing(db: Database, job: Job) -> Iterator[None]:
    """Keep the lease of a running job alive from a thread of its own."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(LEASE.total_seconds() / 3):
            try:
                with db.write() as session:
                    mine = (Job.id == job.id) & (Job.attempts == job.attempts)
                    session.execute(update(Job).where(mine).values(lease_until=clock.now() + LEASE))
            except SQLAlchemyError as error:  # busy or away: the next round renews it, the lease outlasts two
                logger.warning("job.lease_not_renewed", job=job.id, error=repr(error))

    thread = threading.Thread(target=renew, name=f"lease-{job.id[-6:]}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _try_send(name: str, job_id: str) -> None:
    if _send is None:
        return
    try:
        _send(name, job_id)
    except Exception as error:  # noqa: BLE001  any broker trouble: the row stands and a sweep sends it again
        logger.warning("job.not_sent", name=name, job=job_id, error=repr(error))

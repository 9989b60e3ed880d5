"""Jobs: asked for once, run once, never lost."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bodycam import clock
from bodycam.db import Base, Database
from bodycam.jobs import service
from bodycam.jobs.models import Job, JobState


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'jobs.db'}")
    Base.metadata.create_all(database.engine, tables=[Job.__table__])
    yield database
    database.close()
    service.send_with(None)
    clock.set_now(None)


def _ask(db: Database, key: str | None = None) -> str:
    with db.write() as session:
        return service.enqueue(session, "count", {"id": "x"}, key=key).id


def _state(db: Database, job_id: str) -> Job:
    with db.read() as session:
        return session.get_one(Job, job_id)


def test_a_job_is_sent_only_after_its_transaction_is_committed(db: Database) -> None:
    sent: list[str] = []
    service.send_with(lambda _name, job_id: sent.append(job_id))
    with db.write() as session:
        job = service.enqueue(session, "count", {})
        assert sent == []
    assert sent == [job.id]


def test_a_rolled_back_transaction_leaves_neither_row_nor_message(db: Database) -> None:
    sent: list[str] = []
    service.send_with(lambda _name, job_id: sent.append(job_id))
    with pytest.raises(ZeroDivisionError), db.write() as session:
        service.enqueue(session, "count", {})
        _ = 1 / 0
    with db.read() as session:
        assert session.scalars(select(Job)).all() == []
    assert sent == []


def test_asking_twice_with_one_key_is_asking_once(db: Database) -> None:
    assert _ask(db, "k") == _ask(db, "k")


def test_a_job_runs_once_however_often_its_message_comes(db: Database) -> None:
    calls: list[str] = []
    handlers = {"count": lambda id: calls.append(id)}  # noqa: A006  the argument's name in the job
    job_id = _ask(db)
    assert service.run(db, job_id, handlers)
    assert not service.run(db, job_id, handlers)
    assert calls == ["x"]
    assert _state(db, job_id).state == JobState.DONE


def test_a_broker_that_fails_loses_nothing_since_the_sweep_sends_again(db: Database) -> None:
    def broken(_name: str, _job_id: str) -> None:
        raise ConnectionError("no broker")

    service.send_with(broken)
    job_id = _ask(db)
    sent: list[str] = []
    service.send_with(lambda _name, job: sent.append(job))
    later = clock.now() + 2 * service.RESEND_AFTER
    clock.set_now(lambda: later)
    with db.write() as session:
        assert service.sweep(session) == 1
    assert sent == [job_id]
    with db.write() as session:
        assert service.sweep(session) == 0, "what was just sent is not sent again"


def test_a_process_without_a_broker_leaves_its_jobs_to_the_next_sweep(db: Database) -> None:
    job_id = _ask(db)
    sent: list[str] = []
    service.send_with(lambda _name, job: sent.append(job))
    with db.write() as session:
        service.sweep(session)
    assert sent == [job_id]


def test_a_failing_job_is_tried_again_later_and_in_the_end_kept_as_failed(db: Database) -> None:
    def fail(**_args: str) -> None:
        raise OSError("disk")

    now = datetime(2026, 11, 21, tzinfo=UTC)
    clock.set_now(lambda: now)
    job_id = _ask(db)
    for _ in range(service.MOST_ATTEMPTS):
        assert not service.run(db, job_id, {"count": fail})
        now += timedelta(hours=1)
    job = _state(db, job_id)
    assert (job.state, job.attempts) == (JobState.FAILED, service.MOST_ATTEMPTS)
    assert job.error == "OSError: disk"

    with db.read() as session:
        assert service.failed(session) == {"count": 1}


def test_what_failed_is_tried_again_after_an_hour_since_a_full_disk_is_not_so_for_ever(db: Database) -> None:
    def full(**_args: str) -> None:
        raise OSError("no space left")

    now = datetime(2026, 11, 21, tzinfo=UTC)
    clock.set_now(lambda: now)
    job_id = _ask(db)
    for _ in range(service.MOST_ATTEMPTS):
        service.run(db, job_id, {"count": full})
        now += timedelta(minutes=5)
    with db.write() as session:
        assert service.sweep(session) == 0
    now += service.REVIVE_AFTER
    with db.write() as session:
        assert service.sweep(session) == 1
    assert service.run(db, job_id, {"count": lambda **_: None})
    assert _state(db, job_id).state == JobState.DONE


@pytest.mark.parametrize("fails", [True, False])
def test_a_runner_that_lost_its_claim_says_nothing_about_the_job_any_more(db: Database, fails: bool) -> None:
    job_id = _ask(db)

    def slow(**_args: str) -> None:
        later = clock.now() + 2 * service.LEASE
        clock.set_now(lambda: later)  # a suspended machine: the lease ends, and another runner takes the job
        with db.write() as session:
            assert service._claim(session, job_id) is not None
        if fails:
            raise OSError("too late")

    service.run(db, job_id, {"count": slow})
    job = _state(db, job_id)
    assert (job.state, job.attempts, job.error) == (JobState.RUNNING, 2, None)
    assert job.lease_until is not None


def test_a_busy_database_never_ends_the_renewing_of_a_lease(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LEASE", timedelta(seconds=0.3))
    write, refused = Database.write, []

    def busy(self: Database):  # type: ignore[no-untyped-def]
        if threading.current_thread().name.startswith("lease-") and not refused:
            refused.append(1)
            raise OperationalError("UPDATE job", {}, Exception("database is locked"))
        return write(self)

    monkeypatch.setattr(Database, "write", busy)
    job_id = _ask(db)
    began: list[datetime | None] = []

    def slow(**_args: str) -> None:
        began.append(_state(db, job_id).lease_until)
        time.sleep(0.5)
        began.append(_state(db, job_id).lease_until)

    assert service.run(db, job_id, {"count": slow})
    assert refused
    assert began[0] is not None
    assert began[1] is not None
    assert began[1] > began[0]


def test_a_job_whose_runner_was_killed_is_free_at_once(db: Database) -> None:
    job_id = _ask(db)
    dead = service.owner.me().rpartition("|")[0] + "|999999999"
    with db.write() as session:
        session.execute(update(Job).values(state=JobState.RUNNING, owner=dead, lease_until=clock.now() + service.LEASE))
    calls: list[str] = []
    assert service.run(db, job_id, {"count": lambda id: calls.append(id)})  # noqa: A006
    assert calls == ["x"]


def test_a_job_that_another_machine_runs_is_left_alone_until_its_lease_ends(db: Database) -> None:
    job_id = _ask(db)
    with db.write() as session:
        session.execute(
            update(Job).values(
                state=JobState.RUNNING, owner="elsewhere|boot|1", lease_until=clock.now() + service.LEASE
            )
        )
    assert not service.run(db, job_id, {"count": lambda **_: None})
    with db.write() as session:
        session.execute(update(Job).values(lease_until=clock.now() - service.LEASE))
    assert service.run(db, job_id, {"count": lambda **_: None})


def test_drain_runs_what_jobs_ask_for_in_turn(db: Database) -> None:
    def first(**_args: str) -> None:
        with db.write() as session:
            service.enqueue(session, "second", {})

    calls: list[int] = []
    with db.write() as session:
        service.enqueue(session, "first", {})
    assert service.drain(db, {"first": first, "second": lambda: calls.append(1)}) == 2
    assert calls == [1]

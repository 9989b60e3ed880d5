"""The same jobs on three brokers, by setting alone; a killed worker and an emptied broker lose nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bodycam import clock
from bodycam.db import Database
from bodycam.jobs import service
from bodycam.jobs.app import make_app
from bodycam.jobs.models import Job, JobState
from bodycam.migrations.runner import ensure
from bodycam.sections import Settings
from bodycam.settings import load_settings
from bodycam.tasks.worker import ASK

ROOT = Path(__file__).parents[2]
# A worker with one more handler, slow enough to be killed while it runs.
WORKER = """
import sys, time
from pathlib import Path
from bodycam.tasks import table, worker
def slow(rt, mark, seconds):
    with Path(mark).open("a") as file: file.write("begun\\n")
    time.sleep(float(seconds))
    with Path(mark).open("a") as file: file.write("done\\n")
table.HANDLERS["test.slow"] = "__main__:slow"
worker.main()
"""


def _until(condition: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


class Bench:
    """A data folder, a broker, and workers that can be killed."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.environ = {"BODYCAM_DATA_DIR": str(folder / "data"), "BODYCAM_BROKER__URL": broker}
        self.settings: Settings = load_settings(self.environ)
        ensure(self.settings.database.url)
        self.db = Database(self.settings.database.url)
        self.app = make_app(self.settings)
        self.mark = folder / "mark"
        self.program = folder / "test_worker.py"
        self.program.write_text(WORKER)
        self.log = (folder / "worker.log").open("wb")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> "subprocess.Popen[bytes]":
        environ = {**os.environ, **self.environ, "PYTHONPATH": str(ROOT)}
        worker = subprocess.Popen([sys.executable, str(self.program)], env=environ, stdout=self.log, stderr=self.log)
        self.workers.append(worker)
        return worker

    def ask(self, seconds: float) -> str:
        with self.db.write() as session:
            return service.enqueue(session, "test.slow", {"mark": str(self.mark), "seconds": str(seconds)}).id

    def state(self, job_id: str) -> str:
        with self.db.read() as session:
            return session.get_one(Job, job_id).state

    def lines(self) -> list[str]:
        return self.mark.read_text().split() if self.mark.exists() else []

    def sweep(self) -> None:
        with self.db.write() as session:
            service.sweep(session)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.app.close()
        service.send_with(None)
        self.db.close()
        self.log.close()


@pytest.fixture(
    params=[
        "filesystem",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    url = "filesystem://" if request.param == "filesystem" else request.getfixturevalue(f"{request.param}_url")
    made = Bench(tmp_path, url)
    yield made
    made.close()


def test_a_job_committed_here_is_run_by_a_worker_there(bench: Bench) -> None:
    bench.start_worker()
    job_id = bench.ask(0)
    _until(lambda: bench.state(job_id) == JobState.DONE)
    assert bench.lines() == ["begun", "done"]


def test_a_job_whose_worker_was_killed_is_finished_by_the_next_one(bench: Bench) -> None:
    worker = bench.start_worker()
    job_id = bench.ask(1.5)
    _until(lambda: bench.lines() == ["begun"])
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert bench.state(job_id) == JobState.RUNNING
    bench.start_worker()
    _until(lambda: bench.state(job_id) == JobState.DONE)
    assert bench.lines() == ["begun", "begun", "done"]


def test_what_the_clock_asks_for_is_done_once_in_its_period(bench: Bench) -> None:
    bench.start_worker()
    for _ in range(3):
        bench.app.send_task(ASK, args=["submission.tidy"])

    def jobs() -> list[str]:
        with bench.db.read() as session:
            return list(session.scalars(select(Job.state).where(Job.name == "submission.tidy")))

    _until(lambda: jobs() == [JobState.DONE])


def test_messages_that_the_broker_lost_are_sent_again(bench: Bench) -> None:
    job_id = bench.ask(0)
    bench.app.control.purge()
    with bench.db.write() as session:  # as if a while had passed since it was sent
        session.execute(update(Job).values(sent_at=clock.now() - 2 * service.RESEND_AFTER))
    bench.start_worker()  # sweeps when it starts
    _until(lambda: bench.state(job_id) == JobState.DONE or (bench.sweep() or False))
    assert bench.lines() == ["begun", "done"]

"""The worker: takes job ids from the broker and runs them; `python -m bodycam.tasks.worker`.

One Celery task per job name, so that a queue can be watched by name; each only asks `jobs.service.run` to claim and run the
row. Threads, not processes: foreign bytes are parsed in children of their own, and the rest waits for disks.
"""

import platform
import sys
import warnings

import structlog
from celery import Celery
from celery.platforms import SecurityWarning

from bodycam import clock
from bodycam.jobs import service
from bodycam.jobs.app import make_app
from bodycam.process import hold_lifeline, log_to_stderr, run_named
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings
from bodycam.tasks.table import EVERY, bind

SWEEP = "jobs.sweep"
ASK = "jobs.ask"
logger = structlog.get_logger(__name__)


def register(app: Celery, rt: Runtime) -> None:
    """Give the app a task for each job name, and the sweep."""
    handlers = bind(rt)

    def task_for(name: str) -> None:
        def run(job_id: str) -> None:
            done = service.run(rt.db, job_id, handlers)
            logger.info("job.ran", name=name, job=job_id, done=done)

        app.task(name=name)(run)

    for name in handlers:
        task_for(name)

    def sweep() -> None:
        sweep_once(rt)

    app.task(name=SWEEP)(sweep)

    def ask(name: str) -> None:
        ask_once(rt, name)

    app.task(name=ASK)(ask)


def sweep_once(rt: Runtime) -> None:
    """Send again what the broker lost or a dead worker left."""
    with rt.db.write() as session:
        sent = service.sweep(session)
    if sent:
        logger.info("jobs.swept", sent=sent)


def ask_once(rt: Runtime, name: str) -> None:
    """Ask for a job that the clock asks for; however often its message comes, once in its period."""
    period = int(clock.now().timestamp()) // EVERY[name]
    with rt.db.write() as session:
        service.enqueue(session, name, {}, key=f"{name}:{period}")


def main() -> None:
    """Run until SIGTERM."""
    hold_lifeline()
    # Celery warns of pickle under root; our messages are JSON and hold one id
    warnings.simplefilter("ignore", SecurityWarning)
    log_to_stderr()
    settings = load_settings()
    with open_runtime(settings) as rt:
        app = make_app(settings)
        register(app, rt)
        sweep_once(rt)
        worker = app.Worker(
            pool="threads",
            concurrency=settings.worker.concurrency,
            loglevel="WARNING",
            hostname=f"bodycam@{platform.node()}",
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        worker.start()


if __name__ == "__main__":
    sys.exit(run_named(main))

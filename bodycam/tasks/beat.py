"""The clock of the jobs: `python -m bodycam.tasks.beat` asks for the sweep and the periodic work; only one runs."""

import sys

from bodycam.jobs.app import make_app
from bodycam.process import hold_lifeline, log_to_stderr, only_one, run_named
from bodycam.settings import load_settings
from bodycam.tasks.table import EVERY
from bodycam.tasks.worker import ASK, SWEEP

SWEEP_SECONDS = 5.0


def main() -> None:
    """Run until SIGTERM."""
    hold_lifeline()
    log_to_stderr()
    settings = load_settings()
    app = make_app(settings)
    app.conf.beat_schedule = {
        # expires: while no worker runs, old asks must not pile up
        "sweep": {"task": SWEEP, "schedule": SWEEP_SECONDS, "options": {"expires": 2 * SWEEP_SECONDS}},
        **{name: {"task": ASK, "args": [name], "schedule": float(seconds)} for name, seconds in EVERY.items()},
    }
    with only_one(settings.data_dir / "beat.lock", "beat"):
        app.Beat(schedule=str(settings.data_dir / "beat-schedule"), loglevel="WARNING", quiet=True).run()


if __name__ == "__main__":
    sys.exit(run_named(main))

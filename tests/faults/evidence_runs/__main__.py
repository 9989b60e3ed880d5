"""Prints the figures and the seed; exit code 1 when one promise was broken, the folder of the case is then kept."""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.faults.evidence_runs import phases
from tests.faults.evidence_runs.run import run_job

_POINTS_A_VARIANT = 80
_SHOWN = 2  # of what is wrong in one variant


def main():
    """Run variants of all phases in turn until there are enough points."""
    options = parse()
    base = Path(tempfile.mkdtemp(prefix="evidence-runs-", dir=options.dir))
    names = options.phases.split(",")
    jobs = [
        (names[number % len(names)], options.seed + number // len(names), base, _POINTS_A_VARIANT)
        for number in range(1 + options.points * 2 // _POINTS_A_VARIANT)
    ]
    started, outcomes, points = time.monotonic(), [], 0
    with multiprocessing.get_context("spawn").Pool(options.lanes) as lanes:
        for outcome in lanes.imap_unordered(run_job, jobs):
            outcomes.append(outcome)
            points += outcome.points.total()
            for where, wrong in outcome.wrong[:_SHOWN]:
                print(f"{outcome.phase} seed {outcome.seed}, {where}\n  " + "\n  ".join(wrong), flush=True)
            if sys.stderr.isatty():
                print(f"\r{points} / {options.points}", end="", file=sys.stderr)
            if points >= options.points:
                lanes.terminate()
                break
    tell(outcomes, options, time.monotonic() - started)
    if any(outcome.wrong or outcome.bypassed for outcome in outcomes):
        return 1
    shutil.rmtree(base)
    return 0


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Kills and power cuts at every step of intake, log and vault.")
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first variant of each phase; the others count up")
    parser.add_argument("--lanes", type=int, default=os.cpu_count())
    parser.add_argument("--phases", default=",".join(phases.WORK))
    shm = Path("/dev/shm")
    has_room = shm.is_dir() and shutil.disk_usage(shm).free > 1 << 30
    parser.add_argument("--dir", default=str(shm) if has_room else None, help="where the files lie meanwhile")
    return parser.parse_args()


def tell(outcomes, options, seconds):
    """Print the figures."""
    kinds = sum((outcome.points for outcome in outcomes), Counter())
    wrong = [line for outcome in outcomes for _, lines in outcome.wrong for line in lines]
    print(
        f"points {kinds.total()} ({kinds['kill']} kills, {kinds['power']} power cuts), seed {options.seed}, {seconds:.0f} s"
    )
    for phase in options.phases.split(","):
        mine = [outcome for outcome in outcomes if outcome.phase == phase]
        done = sum(outcome.points.total() for outcome in mine)
        print(f"  {phase}: {done} points in {len(mine)} variants of {sum(o.steps for o in mine)} steps")
    print(f"acknowledged bytes lost {sum(line.startswith('LOST') for line in wrong)}")
    print(f"receipts that don't verify {sum(line.startswith('RECEIPT') for line in wrong)}")
    print(f"wrong otherwise {sum(not line.startswith(('LOST', 'RECEIPT')) for line in wrong)}")
    print(f"writes past the watch {sum(len(outcome.bypassed) for outcome in outcomes)}")


if __name__ == "__main__":
    sys.exit(main())

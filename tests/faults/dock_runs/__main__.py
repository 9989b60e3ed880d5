"""`python -m tests.faults.dock_runs --runs 1000 --seed 1`: prints the figures and the seed; exit code 1 when one run went wrong."""

import argparse
import collections
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


def main():
    """Run them."""
    options = parse()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.dock_runs.child"])
    from tests.faults.dock_runs import child

    base = Path(tempfile.mkdtemp(prefix="dock-runs-", dir=options.dir))
    template = base / "template"
    making = processes.Process(target=child.make_template, args=(template,))
    making.start()
    making.join()
    from tests.faults.dock_runs.lane import Run  # the fork server has its own copy by now

    def one(seed):
        result = Run(seed, base, template, processes).go()
        if result.wrong:
            print(
                f"seed {seed}: {result.faults}\n  " + "\n  ".join(result.wrong) + f"\n  {base}/run-{seed}", flush=True
            )
        return result

    started = time.monotonic()
    with ThreadPoolExecutor(options.lanes) as lanes:
        results = list(lanes.map(one, range(options.seed, options.seed + options.runs)))
    tell(results, options, time.monotonic() - started)
    if not any(result.wrong for result in results):
        shutil.rmtree(base)
        return 0
    return 1


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Randomized runs of the docking station with faults.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others count up from it")
    parser.add_argument("--lanes", type=int, default=8, help="runs at once; most of a run is waiting")
    shm = Path("/dev/shm")
    has_room = shm.is_dir() and shutil.disk_usage(shm).free > 1 << 30
    parser.add_argument("--dir", default=str(shm) if has_room else None, help="where the runs' files lie meanwhile")
    return parser.parse_args()


def tell(results, options, seconds):
    """Print the figures."""
    drawn = collections.Counter(fault for result in results for fault in set(result.faults))
    wrong = [result.seed for result in results if result.wrong]
    false = [result.seed for result in results if any("FALSE GREEN" in line for line in result.wrong)]
    took = [result.seconds for result in results]
    print(
        f"runs {len(results)}, seeds {options.seed} to {options.seed + options.runs - 1}, {seconds:.0f} s, {options.lanes} at once"
    )
    print(f"a run: median {statistics.median(took):.1f} s, longest {max(took):.1f} s")
    print("runs with a fault: " + ", ".join(f"{name} {count}" for name, count in drawn.most_common()))
    print(f"kills {sum(result.kills for result in results)}, recordings {sum(result.recordings for result in results)}")
    print(
        f"looks at the board {sum(result.looks for result in results)}, green tiles checked {sum(result.greens for result in results)}"
    )
    print(f"falsely green {len(false)} {false or ''}")
    print(f"wrong {len(wrong)} {wrong or ''}")


if __name__ == "__main__":
    sys.exit(main())

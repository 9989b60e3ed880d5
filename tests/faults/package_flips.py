"""Random single-bit flips in an evidence package: `python -m tests.faults.package_flips --flips 10000 --seed 1`.

Half of them fall on a file drawn evenly (so the small ones get theirs), half on a byte drawn evenly over all. Each is undone again;
between them the untouched package is verified, which must stay VALID. Prints the figures; exit code 1 when one flip was missed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import evidence_packages as packages
from evidence_packages import WITNESSES

from bodycam.custody.policy import Policy
from bodycam.packages.reasons import Verdict
from bodycam.packages.verify import verify

_BETWEEN = 25  # flips between two looks at the untouched package


def make_package(folder):
    """Return a small finished package, three witnesses under a policy of two, and that policy."""
    (folder / "out").mkdir()
    with packages.world(folder / "world", witnesses=WITNESSES, sizes=(3_000, 500)) as world:
        made = world.make(world.order(*world.recordings), folder / "out", policy_text=world.policy())
        return made.path, Policy.parse(world.policy())


def flip_many(package, policy, flips, seed, tell=lambda _done: None):
    """Flip so many bits one by one; return counts: flips by verdict, files touched, looks, false alarms, and what was missed."""
    draw = random.Random(seed)
    files = sorted(path for path in package.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    counts, touched, missed = Counter(), set(), []
    for number in range(flips):
        if number % _BETWEEN == 0:
            counts["looks"] += 1
            counts["false alarms"] += verify(package, policy).verdict is not Verdict.VALID
            tell(number)
        by_file = number < len(files) or number % 2
        path = files[number % len(files)] if by_file else draw.choices(files, sizes)[0]
        whole = path.read_bytes()
        bit = draw.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        verdict = verify(package, policy).verdict
        path.write_bytes(whole)
        counts[verdict.value] += 1
        touched.add(path)
        if verdict is Verdict.VALID:
            missed.append(f"{path.relative_to(package)} bit {bit}")
    return counts, touched == set(files), missed


def main():
    """Make a package, flip, print."""
    parser = argparse.ArgumentParser(description="Random single-bit flips in an evidence package.")
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="package-flips-", dir=shm if shm.is_dir() else None) as folder:
        package, policy = make_package(Path(folder))
        for path in package.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)

        def tell(done):
            if sys.stderr.isatty():
                print(f"\r{done} / {options.flips}", end="", file=sys.stderr)

        started = time.monotonic()
        counts, everywhere, missed = flip_many(package, policy, options.flips, options.seed, tell)
        seconds = time.monotonic() - started
        count = sum(1 for path in package.rglob("*") if path.is_file())
    found = options.flips - len(missed)
    print(
        f"single-bit flips {options.flips} in {count} files ({'every' if everywhere else 'not every'} file), seed {options.seed}, {seconds:.0f} s"
    )
    print("verdicts: " + ", ".join(f"{verdict} {counts[verdict]}" for verdict in Verdict if counts[verdict]))
    print(f"found {found} of {options.flips} ({100 * found / options.flips:.2f} %)")
    print(f"looks at the untouched package {counts['looks']}, false alarms {counts['false alarms']}")
    for line in missed[:20]:
        print(f"MISSED {line}")
    return 1 if missed or counts["false alarms"] or not everywhere else 0


if __name__ == "__main__":
    sys.exit(main())

"""A fixed hundred of the randomized runs; the command runs as many as one likes (`make faults`)."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_a_hundred_runs_with_faults_end_with_every_recording_sealed_once_and_none_falsely_green():
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.dock_runs", "--runs", "100", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "falsely green 0" in done.stdout
    assert "wrong 0" in done.stdout

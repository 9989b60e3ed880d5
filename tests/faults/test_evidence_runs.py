"""A fixed part of the cuts at every step of the evidence core (`make evidence-faults` makes ten thousand), and that they find faults."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bodycam.custody import durable, keys
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.log import CHECKPOINT_FILE, Log
from bodycam.vault import disk
from tests.faults import package_flips
from tests.faults.evidence_runs import phases
from tests.faults.evidence_runs.run import run

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_six_hundred_kills_and_power_cuts_lose_nothing_acknowledged_and_no_receipt():
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.evidence_runs", "--points", "600", "--seed", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "acknowledged bytes lost 0" in done.stdout
    assert "receipts that don't verify 0" in done.stdout
    assert "wrong otherwise 0" in done.stdout
    assert "writes past the watch 0" in done.stdout


def nothing(*_args):
    """Stands for an fsync that somebody left out."""


class NoSyncOfFiles:
    """The module `os` as it is, but for an fsync that leaves files alone."""

    def __getattr__(self, name):
        return getattr(os, name)

    def fsync(self, descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)


def published_first(log, size, root):
    """Sign as `Log.sign` does, but let the key remember last."""
    signed = Checkpoint.sign(log.unlock(), size, root)
    durable.write_durably(log.dir / CHECKPOINT_FILE, signed.note.encode())
    keys.save_head(log._keys_dir, signed.note)
    return signed


LEFT_OUT = {
    "the vault's bytes": ("intake", disk, "sync", nothing),
    "the vault's names": ("intake", disk, "sync_folder", nothing),
    "a copy's bytes": ("copy", disk, "sync", nothing),
    "names that are removed": ("disposition", disk, "sync_folder", nothing),
    "a repaired copy's names": ("scrub", disk, "sync_folder", nothing),
    "the log's names": ("append", durable, "sync_folder", nothing),
    "the log's bytes": ("append", durable, "os", NoSyncOfFiles()),
    "the key's memory, until after publishing": ("append", Log, "sign", published_first),
}


@pytest.mark.parametrize("left_out", LEFT_OUT)
def test_one_fsync_less_is_found(tmp_path, monkeypatch, left_out):
    phase, module, name, instead = LEFT_OUT[left_out]
    monkeypatch.setattr(module, name, instead)
    outcomes = (run(phase, seed, tmp_path, most=100, stop_at_first=True) for seed in range(1, 12))
    assert any(outcome.wrong for outcome in outcomes)


def test_every_flipped_bit_of_a_package_is_found_and_an_untouched_one_never_accused(tmp_path):
    package, policy = package_flips.make_package(tmp_path)
    for path in package.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    counts, everywhere, missed = package_flips.flip_many(package, policy, 300, seed=2)
    assert missed == []
    assert everywhere
    assert counts["tampered"] == 300
    assert (counts["looks"], counts["false alarms"]) == (12, 0)


def test_every_phase_writes_only_through_calls_that_are_watched(tmp_path):
    for phase in phases.WORK:
        assert run(phase, 3, tmp_path, most=2).bypassed == []

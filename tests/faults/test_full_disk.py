"""A truly full disk, a small tmpfs, under the real commands: named everywhere, nothing lost, and on it goes with room."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = 6_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 60 MB; 32 MiB of it are kept free for database and log."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def _bodycam(disk: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "BODYCAM_DATA_DIR": str(disk / "data"), "BODYCAM_LANGUAGE": "en"}
    command = [sys.executable, "-m", "bodycam", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_full_disk_is_named_by_every_command_and_the_next_run_goes_on(disk: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    for number in range(6):
        (card / f"{number}.bin").write_bytes(os.urandom(FILE))

    first = _bodycam(disk, "offload", str(card), "--json")
    said = json.loads(first.stdout)
    assert first.returncode == 1
    sealed = len(said["recordings"])
    assert 0 < sealed < 6
    assert {problem["code"] for problem in said["problems"]} == {"vault_full"}
    assert _bodycam(disk, "log", "verify").returncode == 0  # the reserve kept database and log writing

    with pytest.raises(OSError, match="No space"), (disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass
    second = _bodycam(disk, "offload", str(card), "--json")
    assert second.returncode == 1
    assert {problem["code"] for problem in json.loads(second.stdout)["problems"]} <= {"disk_full", "vault_full"}
    plain = _bodycam(disk, "offload", str(card))
    assert plain.returncode == 1
    assert "đã đầy" in plain.stderr
    assert "is full" in plain.stderr

    (disk / "filler").unlink()
    subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
    third = _bodycam(disk, "offload", str(card), "--json")
    said = json.loads(third.stdout)
    assert (third.returncode, said["problems"], said["skipped"]) == (0, [], sealed)
    for command in (("log", "verify"), ("vault", "scrub")):
        checked = _bodycam(disk, *command)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    listed = [json.loads(line) for line in _bodycam(disk, "recordings", "list", "--json").stdout.splitlines()]
    assert [row["size"] for row in listed] == [FILE] * 6
    assert not [path for path in (disk / "data" / "vault" / "spool").iterdir() if path.is_dir()]

"""`bodycam up`: what stops it from starting says so, before anything runs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def _bodycam(tmp_path: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bodycam", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "BODYCAM_DATA_DIR": str(tmp_path / "data"), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_named_with_its_setting_in_both_languages(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = _bodycam(tmp_path, "up", BODYCAM_STAFF__PORT=str(port))
    assert ended.returncode == 1
    assert f"Cổng {port}" in ended.stderr
    assert "staff.port" in ended.stderr
    assert f"Port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_stops_every_command_with_its_key(tmp_path: Path) -> None:
    ended = _bodycam(tmp_path, "up", BODYCAM_STAF__PORT="1")
    assert ended.returncode == 2
    assert "staf.port" in ended.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["config show", "config show --json"])
def test_settings_are_shown_with_their_source_and_without_secrets(tmp_path: Path, command: str) -> None:
    secret = "hunter2secret"
    ended = _bodycam(
        tmp_path, *command.split(), BODYCAM_DATABASE__URL=f"postgresql+psycopg://bodycam:{secret}@db.local/bodycam"
    )
    assert ended.returncode == 0, ended.stderr
    assert secret not in ended.stdout
    assert "db.local" in ended.stdout
    assert "BODYCAM_DATABASE__URL" in ended.stdout


def test_the_doctor_ends_well_on_a_fresh_machine_and_says_what_is_missing(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:  # two free ports: others may run on the usual ones
        ports = []
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
            ports.append(str(probe.getsockname()[1]))
    ended = _bodycam(tmp_path, "doctor", BODYCAM_STAFF__PORT=ports[0], BODYCAM_PUBLIC__PORT=ports[1])
    assert "Traceback" not in ended.stderr
    assert "Chưa có cơ sở dữ liệu" in ended.stdout
    assert ended.returncode == 0, ended.stdout


def test_every_command_says_what_it_does_and_gives_an_example() -> None:
    from bodycam.__main__ import COMMANDS, cli

    context = cli.make_context("bodycam", ["--help"], resilient_parsing=True)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None, name
        leaves = getattr(command, "commands", {name: command})
        for leaf_name, leaf in leaves.items():
            text = leaf.get_help(context)
            assert "Example" in text, f"{name} {leaf_name}"

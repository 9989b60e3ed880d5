"""A whole `bodycam up --demo` in a folder of its own: started, asked, killed and started again by tests."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from services import free_port

ROOT = Path(__file__).parents[1]
CAMERAS = 4
RECORDINGS = 11  # nine films and two sidecars on the demo's four cameras


def until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait for a condition; fails naming what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.2)


class Installation:
    """One data folder and the supervisor that may run on it."""

    def __init__(self, folder: Path) -> None:
        """Choose free ports; nothing is started."""
        self.data = folder / "data"
        self.staff, self.public = free_port(), free_port()
        self.environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "BODYCAM_DATA_DIR": str(self.data),
            "BODYCAM_STAFF__PORT": str(self.staff),
            "BODYCAM_PUBLIC__PORT": str(self.public),
        }
        self.log = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run `bodycam up --demo` until both doors answer."""
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", "bodycam", "up", "--demo"]
            self.process = subprocess.Popen(command, env=self.environ, stdout=output, stderr=output)
        until(
            lambda: self.log.read_text().count("web.listening") % 2 == 0 and "web.listening" in self.log.read_text(),
            "the doors",
        )

    def stop(self) -> int:
        """Press Ctrl-C and return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        """Kill the supervisor without warning; its children must end by themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        until(lambda: self.children() == [], "the children of a killed supervisor to end", 30)

    def children(self) -> list[int]:
        """Return the pids of this installation's processes that still run, by the data folder in their environment."""
        mark = f"BODYCAM_DATA_DIR={self.data}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                mine = mark in (entry / "environ").read_bytes().split(b"\0")
                dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if mine and not dead and (self.process is None or int(entry.name) != self.process.pid):
                found.append(int(entry.name))
        return found

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Ask the embedded database."""
        connection = sqlite3.connect(f"file:{self.data / 'bodycam.db'}?mode=ro", uri=True, timeout=20)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(str(self.rows(f"SELECT count(*) FROM {table}")[0][0]))  # noqa: S608  a name from the test

    def slots(self) -> list[str]:
        """Return the board's states, slot by slot."""
        boards = self.rows("SELECT body FROM station_board")
        return [slot["state"] for slot in json.loads(str(boards[0][0]))["slots"]] if boards else []

    def settled(self) -> bool:
        """Whether every camera is done and no job waits."""
        waiting = self.rows("SELECT 1 FROM job WHERE state IN ('waiting', 'running') LIMIT 1")
        own = self.rows("SELECT count(*) FROM recording WHERE origin = 'dock'")
        return self.slots().count("done") == CAMERAS and not waiting and own == [(RECORDINGS,)]

    def bodycam(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one command on this installation."""
        command = [sys.executable, "-m", "bodycam", *arguments]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=120, check=False)

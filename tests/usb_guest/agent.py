"""Runs in the guest: takes one JSON object a line over a virtio port, does it in a thread, answers with one line.

Only the standard library. `run`: a program; `appears`: wait for a new file in a folder; `sql`: questions to a SQLite file, answered
in one read transaction.
"""

import json
import os
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

PORT = Path("/dev/virtio-ports/agent")
LOOK_S = 0.005


def run(order: dict[str, Any]) -> dict[str, object]:
    """Run a program; its output as text, how it ended, and how many seconds it took."""
    environment = {**os.environ, **order["env"]}
    started = time.monotonic()
    try:
        done = subprocess.run(
            order["argv"],
            env=environment,
            cwd="/data",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=order["timeout"],
            input=order.get("stdin"),
        )
    except subprocess.TimeoutExpired as error:
        out, err = (text.decode(errors="replace") if text else "" for text in (error.stdout, error.stderr))
        return {"code": -1, "out": out, "err": f"{err}\ntimeout", "seconds": time.monotonic() - started}
    took = time.monotonic() - started
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr, "seconds": took}


def files(folder: str, suffix: str) -> list[str]:
    """Return the files below a folder whose names end so."""
    found, waiting = [], [folder]
    while waiting:
        try:
            for entry in os.scandir(waiting.pop()):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name.endswith(suffix):
                    found.append(entry.path)
        except OSError:  # a folder that has just gone
            continue
    return found


def appears(order: dict[str, Any]) -> dict[str, Any]:
    """Wait until a file that isn't `known` appears; returns all there are then."""
    end, known = time.monotonic() + order["timeout"], set(order["known"])
    while not set(found := files(order["folder"], order["suffix"])) - known and time.monotonic() < end:
        time.sleep(LOOK_S)
    return {"files": found}


def sql(order: dict[str, Any]) -> dict[str, object]:
    """Answer each query with its rows."""
    connection = sqlite3.connect(f"file:{order['file']}?mode=ro", uri=True, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN")
        return {"rows": [connection.execute(query).fetchall() for query in order["queries"]]}
    finally:
        connection.close()


def main() -> None:
    """Serve for ever."""
    port = os.open(PORT, os.O_RDWR)
    lock = threading.Lock()

    def answer(order: dict[str, Any]) -> None:
        try:
            result = {"run": run, "appears": appears, "sql": sql}[str(order["do"])](order)
        except Exception as error:  # noqa: BLE001  the host is told
            result = {"code": -1, "out": "", "err": repr(error), "seconds": 0.0}
        line = json.dumps({"id": order["id"], **result}).encode() + b"\n"
        with lock:
            while line:
                line = line[os.write(port, line) :]

    rest = b""
    while True:
        more = os.read(port, 65536)
        if not more:  # nobody listens on the host yet
            time.sleep(0.05)
            continue
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    main()

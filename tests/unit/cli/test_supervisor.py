"""The supervisor: what dies is started again, and a killed supervisor leaves nobody behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from bodycam.cli import supervisor
from bodycam.cli.supervisor import Child, Supervisor

ROOT = Path(__file__).parents[3]
CHILD = """
import sys, time
from pathlib import Path
from bodycam.process import hold_lifeline
hold_lifeline()
with Path(sys.argv[1]).open("a") as file:
    import os
    file.write(f"{os.getpid()}\\n")
print("hello", flush=True)
time.sleep(60)
"""


def _until(condition: object, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def _pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "a_child.py").write_text(CHILD)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}


def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)  # type: ignore[attr-defined]
    said: list[str] = []
    stopped = threading.Event()
    marks = tmp_path / "pids"
    guard = Supervisor([Child("one", ["a_child", str(marks)])], _environment(tmp_path), said.append)
    thread = threading.Thread(target=guard.run, args=(stopped,))
    thread.start()
    _until(lambda: len(_pids(marks)) == 1)
    os.kill(_pids(marks)[0], signal.SIGKILL)
    _until(lambda: len(_pids(marks)) == 2)
    stopped.set()
    thread.join(30)
    assert any("đã dừng (mã -9)" in line for line in said)
    assert any("hello" in line for line in said)
    assert not any(_alive(pid) for pid in _pids(marks))


def test_a_killed_supervisor_leaves_no_child(tmp_path: Path) -> None:
    marks = tmp_path / "pids"
    code = (
        "import os, threading; from bodycam.cli.supervisor import *; "
        f"Supervisor([Child('one', ['a_child', {str(marks)!r}])], os.environ, print).run(threading.Event())"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], env=_environment(tmp_path), stdout=subprocess.DEVNULL)
    _until(lambda: len(_pids(marks)) == 1)
    parent.kill()
    parent.wait()
    _until(lambda: not _alive(_pids(marks)[0]))


def test_a_child_in_the_middle_of_long_work_ends_too_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    script = tmp_path / "busy.py"
    script.write_text(
        "import signal, sys, time\n"
        "from bodycam import process\n"
        "process.GRACE_S = 0.3\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)  # as a worker waits for its running job\n"
        "process.hold_lifeline()\n"
        "print('here', flush=True)\n"
        "while True: time.sleep(0.1)\n"
    )
    command = [sys.executable, str(script), "--lifeline"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        child.stdin.close()
        assert child.wait(20) == -signal.SIGKILL

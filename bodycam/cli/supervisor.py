"""A small supervisor: starts the children of `bodycam up`, shows what they say, starts again what died, stops all in order.

A child's standard input is a pipe that only this process holds: when this process dies, however it dies, the pipe closes and
the child ends (`bodycam.process.hold_lifeline`). A child that dies is started again after a pause that grows up to 30 s.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bodycam import clock

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STABLE_AFTER = 60.0  # seconds alive after which the pause starts small again
STOP_WAIT = 20.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Child:
    """A process to keep alive: a name for the screen and the arguments of `python -m`."""

    name: str
    arguments: Sequence[str]


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float | None = None
    readers: list[threading.Thread] = field(default_factory=list)


class Supervisor:
    """Keeps children alive until told to stop."""

    def __init__(self, children: Sequence[Child], environment: Mapping[str, str], say: Say) -> None:
        """Take the children in the order they are started; they stop in the reverse order."""
        self._running = [_Running(child) for child in children]
        self._environment = dict(environment)
        self._say = say

    def run(self, stopped: threading.Event) -> None:
        """Start all and watch them until `stopped` is set; then stop all in order."""
        try:
            for running in self._running:
                self._start(running)
            while not stopped.wait(0.2):
                for running in self._running:
                    self._watch(running)
        finally:
            for running in reversed(self._running):
                self._stop(running)

    def _start(self, running: _Running) -> None:
        running.process = subprocess.Popen(
            [sys.executable, "-m", *running.child.arguments, "--lifeline"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,  # Ctrl-C reaches this process alone, which stops the children in order
        )
        running.started = clock.monotonic()
        running.restart_at = None
        reader = threading.Thread(target=self._show, args=(running,), daemon=True)
        reader.start()

    def _show(self, running: _Running) -> None:
        process = running.process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            self._say(f"{running.child.name:<9} {line.rstrip()}")

    def _watch(self, running: _Running) -> None:
        assert running.process is not None
        code = running.process.poll()
        if code is None:
            return
        now = clock.monotonic()
        if running.restart_at is None:
            if now - running.started > STABLE_AFTER:
                running.pause = FIRST_PAUSE
            running.restart_at = now + running.pause
            self._say(
                f"{running.child.name:<9} đã dừng (mã {code}), chạy lại sau {running.pause:.0f} giây / "
                f"died (exit {code}), starting again in {running.pause:.0f} s"
            )
            running.pause = min(running.pause * 2, LONGEST_PAUSE)
        elif now >= running.restart_at:
            self._start(running)

    def _stop(self, running: _Running) -> None:
        process = running.process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_WAIT)
        except subprocess.TimeoutExpired:
            self._say(f"{running.child.name:<9} không dừng, buộc dừng / would not stop, killed")
            process.kill()
            process.wait()

"""What each long-running process shares: it ends when its parent does, and only one of a kind runs.

A child of `bodycam up` gets a pipe as standard input and ends when that pipe closes, so a killed supervisor leaves nobody
behind. A file lock makes a sequencer, a station or a beat one of its kind; the kernel frees it when the process dies.
"""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bodycam.errors import BodycamError

_M_ARENA_MAX = -8  # malloc.h
LIFELINE = "--lifeline"
GRACE_S = 20.0
_LOWEST_LEVEL = 20  # info


class AlreadyRunningError(BodycamError):
    """Another process of this kind holds the lock."""

    code = "already_running"
    vi = "{what} đang chạy ở tiến trình khác (khóa {path}). Dừng tiến trình đó trước."
    en = "{what} already runs in another process (lock {path}). Stop that one first."


class PortTakenError(BodycamError):
    """Another program listens where an app should."""

    code = "port_taken"
    vi = "Cổng {port} trên {host} đang có chương trình khác dùng. Dừng chương trình đó hoặc đổi {key} trong cấu hình."
    en = "Port {port} on {host} is taken by another program. Stop that program, or change {key} in the settings."


def check_port(host: str, port: int, *, key: str) -> None:
    """Raise `PortTakenError`, naming the setting `key`, when the address can't be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise PortTakenError(host=host, port=port, key=key) from None


def run_named(main: Callable[[], None]) -> int:
    """Run a process's main; an error of ours is two lines on standard error and its exit code, no trace."""
    try:
        main()
    except BodycamError as error:
        sys.stderr.write(f"{error.text('vi')}\n{error.text('en')}\n")
        return error.exit_code
    return 0


def hold_lifeline() -> None:
    """End this process (SIGTERM to itself) once standard input closes, if `--lifeline` was given; else do nothing.

    One that is still there after `GRACE_S`, in the middle of a long piece of work, is killed: whatever it did can be done again.
    """
    if LIFELINE not in sys.argv:
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set, for a main loop to end in order."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


@contextlib.contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path` while the block runs; raises `AlreadyRunningError` naming `what` when it's taken."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(what=what, path=path) from None
        yield
    finally:
        os.close(handle)


def use_few_arenas(count: int = 2) -> None:
    """Let all threads of this process share so many heaps: glibc gives each thread its own, and each keeps what it once took.

    Many threads with large buffers then hold far less together. Elsewhere than on glibc nothing happens.
    """
    import ctypes  # late: only a process of many threads needs it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, count)


def log_to_stderr() -> None:
    """Send this process's log lines to standard error, short and readable: standard output belongs to data."""
    import structlog  # late: the command's --help needs no logging

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LOWEST_LEVEL),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

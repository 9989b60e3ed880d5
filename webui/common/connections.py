"""Connections: how long one may hold a thread, and those that carry an upload: many, slow, dying without saying so.

A thread serves one request at a time, so whoever sends a request byte by byte, or doesn't take its answer, would hold it as long
as he likes, and a few dozen such connections would close the door to all. So every request has to be over within `MOST_S`, its
head within `HEAD_S`; the server ends the connection otherwise. Uploads and footage are let off: they have limits of their own.

A phone in a tunnel leaves a half-open connection behind: the server would wait on it while the phone is back. So its socket gets
a read time-out, and who finds an upload busy may end a connection of this process that has been silent for a while. Uploads
hold only some of the server's threads at once, so that pages always answer; when these are taken, an upload that merely drips
makes way for the next one, and goes on later where it stood.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Protocol

from flask import request

from bodycam.petitions.errors import TooManyAtOnceError

HEAD_S = 15.0  # from the thread's first look at the connection to the end of the request's head
MOST_S = 60.0
READ_TIMEOUT_S = 30.0
DRIP_AFTER_S = 20.0
LEAST_BYTES_S = 2048  # a phone at the edge of its network sends more
SILENT_S = 1.5
WAIT_S = 2.0
MOST_AT_ONCE = 48  # of the 64 threads that `webui.serve` gives the public application


class Held(Protocol):
    """A connection of the server; its socket changes once TLS begins."""

    sock: socket.socket


_deadlines: dict[Held, float] = {}
_places = threading.BoundedSemaphore(MOST_AT_ONCE)
_uploading: "set[Connection]" = set()


class Connection:
    """One request's socket (None outside of gunicorn) and when it last brought bytes (monotonic seconds)."""

    def __init__(self, sock: socket.socket | None) -> None:
        """Take the socket and give its reads a time-out."""
        self._socket = sock
        self._began_at = self._heard_at = time.monotonic()
        self._bytes = 0
        if sock is not None:
            sock.settimeout(READ_TIMEOUT_S)

    def heard(self, count: int) -> None:
        """Note that bytes came."""
        self._heard_at = time.monotonic()
        self._bytes += count

    def is_dripping(self) -> bool:
        """Tell whether it has brought next to nothing for its time."""
        age = time.monotonic() - self._began_at
        return age > DRIP_AFTER_S and self._bytes < age * LEAST_BYTES_S

    def is_silent(self) -> bool:
        """Tell whether nothing has come for a while."""
        return time.monotonic() - self._heard_at > SILENT_S

    def release(self) -> None:
        """Give the socket back to the server as it was."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it may have died by itself
                self._socket.settimeout(None)

    def end(self) -> None:
        """Make its reader see the end of the stream."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RD)


def hurry(held: Held, seconds: float) -> None:
    """Give a connection so many seconds for what it is at; a later call replaces the earlier one."""
    _deadlines[held] = time.monotonic() + seconds


def let_off(held: Held) -> None:
    """Take the deadline of a connection away."""
    _deadlines.pop(held, None)


def take_time() -> None:
    """Take the deadline of the current request's connection away."""
    sock = request.environ.get("gunicorn.socket")
    for held in [held for held in list(_deadlines) if held.sock is sock]:
        let_off(held)


def end_overdue() -> int:
    """End the connections whose time is over and return how many; their threads see an end of the stream."""
    now = time.monotonic()
    late = [held for held, deadline in list(_deadlines.items()) if deadline < now]
    for held in late:
        let_off(held)
        with contextlib.suppress(OSError):  # it may have ended by itself
            socket.socket.shutdown(held.sock, socket.SHUT_RDWR)  # of the plain socket: TLS would wait for an answer
    return len(late)


@contextlib.contextmanager
def receiving() -> Iterator[Connection]:
    """Take a place among the uploads for the current request; raises TooManyAtOnceError when all are taken."""
    if not _places.acquire(blocking=False) and not (_end_a_dripping_one() and _places.acquire(timeout=WAIT_S)):
        raise TooManyAtOnceError
    take_time()
    connection = Connection(request.environ.get("gunicorn.socket"))
    _uploading.add(connection)
    try:
        yield connection
    finally:
        _uploading.discard(connection)
        connection.release()
        _places.release()


def _end_a_dripping_one() -> bool:
    dripping = next((connection for connection in _uploading.copy() if connection.is_dripping()), None)
    if dripping is not None:
        dripping.end()
    return dripping is not None

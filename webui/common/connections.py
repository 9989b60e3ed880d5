"""Connections that carry an upload: they are many, slow, and die without saying so.

A phone in a tunnel leaves a half-open connection behind: the server would wait on it while the phone is back. So its socket gets
a read time-out, and who finds an upload busy may end a connection of this process that has been silent for a while. Uploads
hold only some of the server's threads at once, so that pages always answer.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from flask import request

from bodycam.petitions.errors import TooManyAtOnceError

READ_TIMEOUT_S = 30.0
SILENT_S = 1.5
MOST_AT_ONCE = 48  # of the 64 threads that `webui.serve` gives the public application

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class Connection:
    """One request's socket (None outside of gunicorn) and when it last brought bytes (monotonic seconds)."""

    def __init__(self, sock: socket.socket | None) -> None:
        """Take the socket and give its reads a time-out."""
        self._socket = sock
        self._heard_at = time.monotonic()
        if sock is not None:
            sock.settimeout(READ_TIMEOUT_S)

    def heard(self) -> None:
        """Note that bytes came."""
        self._heard_at = time.monotonic()

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


@contextlib.contextmanager
def receiving() -> Iterator[Connection]:
    """Take a place among the uploads for the current request; raises TooManyAtOnceError when all are taken."""
    if not _places.acquire(blocking=False):
        raise TooManyAtOnceError
    connection = Connection(request.environ.get("gunicorn.socket"))
    try:
        yield connection
    finally:
        connection.release()
        _places.release()

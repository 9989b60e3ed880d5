"""Connections that carry an upload, so that a dead one can make way.

A phone in a tunnel leaves a half-open connection behind: the server would wait on it while the phone is back and gets 423.
So every upload's socket has a read time-out, and a newcomer that finds the upload busy ends a connection of this process that
has been silent for a while. One that still hears bytes is left alone, and the newcomer gets 423.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from bodycam.errors import BodycamError
from bodycam.petitions.errors import UploadBusyError
from webui.common.door import Door, Writer

READ_TIMEOUT_S = 30.0
SILENT_S = 1.5
PATIENCE_S = 3.0
WORTH_ENDING = 1 << 20  # bytes of body

_active: dict[str, "Connection"] = {}
_guard = threading.Lock()


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
            with contextlib.suppress(OSError):
                self._socket.settimeout(None)

    def end(self) -> None:
        """Make its reader see the end of the stream."""
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it may have died by itself
                self._socket.shutdown(socket.SHUT_RD)


@contextmanager
def connected(door: Door, upload_id: str, offset: int) -> Iterator[tuple[Connection, Writer]]:
    """Open the upload for the current request, ending a silent connection that still holds it.

    A request that fails with much of its body unread is ended, so that nobody pays for sending what is thrown away.
    Raises UploadBusyError when the holder is alive, or belongs to another process.
    """
    connection = Connection(request.environ.get("gunicorn.socket"))
    with contextlib.ExitStack() as stack:
        stack.callback(connection.release)
        try:
            writer = _enter(stack, door, upload_id, offset)
            with _guard:
                _active[upload_id] = connection
            stack.callback(_forget, upload_id, connection)
            yield connection, writer
        except BodycamError:
            if (request.content_length or 0) > WORTH_ENDING:
                connection.end()
            raise


def _enter(stack: contextlib.ExitStack, door: Door, upload_id: str, offset: int) -> Writer:
    give_up, ended = time.monotonic() + PATIENCE_S, False
    while True:
        try:
            return stack.enter_context(door.writing(upload_id, offset))
        except UploadBusyError:
            with _guard:
                holder = _active.get(upload_id)
            if holder is not None and holder.is_silent():
                holder.end()
                ended = True
            if not ended or time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def _forget(upload_id: str, connection: Connection) -> None:
    with _guard:
        if _active.get(upload_id) is connection:
            del _active[upload_id]

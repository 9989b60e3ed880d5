"""Who writes to which upload in this process, so that a dead connection makes way for the next one."""

import contextlib
import threading
import time
from collections.abc import Iterator

from flask import request

from bodycam.errors import BodycamError
from bodycam.petitions.errors import UploadBusyError
from webui.common.connections import Connection, receiving
from webui.common.door import Door, Writer

PATIENCE_S = 3.0
WORTH_ENDING = 1 << 20  # bytes of body

_active: dict[str, Connection] = {}
_guard = threading.Lock()


@contextlib.contextmanager
def connected(door: Door, upload_id: str, offset: int) -> Iterator[tuple[Connection, Writer]]:
    """Open the upload for the current request, ending a silent connection that still holds it.

    A request that fails with much of its body unread is ended, so that nobody pays for sending what is thrown away.
    Raises UploadBusyError when the holder is alive or belongs to another process, TooManyAtOnceError.
    """
    with receiving() as connection, contextlib.ExitStack() as stack:
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

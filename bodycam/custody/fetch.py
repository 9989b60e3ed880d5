"""One POST to somebody who isn't trusted: bounded in time as a whole and in bytes, whatever he answers."""

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from bodycam import clock

AWAY = (OSError, http.client.HTTPException, ValueError)  # what `post` raises when there is no answer


def post(url: str, data: bytes, *, kind: str, timeout_s: float, limit: int) -> tuple[int, bytes]:
    """Send `data` as the media type `kind` and return the status and at most `limit` bytes of the answer; follows nothing.

    Raises:
        OSError, http.client.HTTPException, ValueError: no answer within `timeout_s`, none of HTTP, or no such address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address is http or https")
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    )
    # a socket's own time limit is for one read: who sends a byte now and then would hold on for ever
    cutter = threading.Timer(timeout_s, _cut, [connection])
    cutter.daemon = True
    deadline = clock.monotonic() + timeout_s
    cutter.start()
    try:
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request("POST", path, data, {"Content-Type": kind, "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(limit)
        if clock.monotonic() >= deadline:
            raise TimeoutError  # cut off: what came is no answer
        return answer.status, body
    finally:
        cutter.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)

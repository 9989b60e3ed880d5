"""Byte ranges out of the vault, one piece at a time (RFC 9110, section 14).

An open-ended range is answered with at most 8 MiB: a browser asks on, and no thread is tied to a whole film. Bytes come in
1 MiB pieces from the sealed reader; no database session is open meanwhile.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from typing import Protocol

import structlog
from flask import Response, request

from bodycam.errors import BodycamError
from webui.common.connections import take_time

BLOCK = 1 << 20
OPEN_ENDED = 8 << 20
_log = structlog.get_logger()
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")  # longer ones are no range: they fit no file
_SHOWN = {"image/jpeg", "image/png", "image/webp"}
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # line ends break a header, bidi marks turn "exe.mp4" around


class Readable(Protocol):
    """What can be read by ranges: the vault's sealed reader."""

    @property
    def size(self) -> int:
        """Length of the whole in bytes."""

    def chunks(self, start: int = 0, end: int | None = None, block: int = BLOCK) -> Iterator[bytes]:
        """Yield the bytes from `start` up to but not including `end`."""

    def close(self) -> None:
        """Give the file back."""


def asked_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the wanted (first, last) byte, None for "everything"; (-1, -1) when it can't be satisfied.

    Only a single range is honoured; a header that isn't one is ignored, as RFC 9110 (14.2) asks.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        first, last = max(0, size - int(last_text)), size - 1
        return (first, last) if int(last_text) and size else (-1, -1)
    first = int(first_text)
    last = min(int(last_text), size - 1) if last_text else min(first + OPEN_ENDED, size) - 1
    return (first, last) if first <= last and first < size else (-1, -1)


def ranged(reader: Readable, mime: str, *, download: str | None = None) -> Response:
    """Answer the request with the whole object, or the asked range of it, and close the reader at the end.

    `download` names the file to save. What a browser can't show as a picture, film or sound is only ever saved: a page or a
    script out of somebody's camera must not open under this address. The first piece is read before the answer begins, so damage at its start is a named
    error; damage further on breaks the connection off (the length then doesn't add up) and is logged.
    """
    take_time()  # a film takes its time; only who is signed in gets here
    size = reader.size
    span = None if download else asked_range(request.headers.get("Range"), size)
    if span == (-1, -1):
        reader.close()
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = span or (0, size - 1)
    shown = mime.startswith(("video/", "audio/")) or mime in _SHOWN
    wanted = reader.chunks(first, last + 1, BLOCK) if request.method != "HEAD" and size else iter(())
    response = Response(chain([next(wanted, b"")], _watched(wanted)), status=206 if span else 200)
    response.mimetype = mime if shown else "application/octet-stream"
    response.call_on_close(reader.close)
    response.headers["Accept-Ranges"] = "bytes"
    response.content_length = last - first + 1
    if span:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if download or not shown:
        response.headers.set("Content-Disposition", "attachment", filename=file_name(download or "tep.bin"))
    return response


def file_name(raw: str) -> str:
    """Return a name fit for a header and a disk: what doesn't print, and what separates folders, becomes "_"."""
    return "".join("_" if c in "/\\" or unicodedata.category(c) in _UNPRINTABLE else c for c in raw)


def _watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except BodycamError as error:
        _log.error("web.stream_broken_off", code=error.code)
        raise

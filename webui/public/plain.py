"""Sending a file without JavaScript: one multipart form, streamed into the same spool as every other upload.

The form is never held in memory or in a plain temporary file: its file part goes to the spool block by block. There is no
resume and no hash from the sender's device; the page says so, and the receipt shows the server's own hash. The form's token
comes before the file and is checked before a byte of the file is kept.
"""

import base64
from collections.abc import Iterator
from contextlib import ExitStack

from flask import redirect, request, url_for
from flask_wtf.csrf import ValidationError, validate_csrf
from werkzeug.exceptions import BadRequest, ClientDisconnected
from werkzeug.sansio.multipart import Data, Epilogue, Event, File, MultipartDecoder, NeedData
from werkzeug.wrappers import Response

from bodycam.errors import InvalidInputError
from bodycam.petitions import sealing, uploads
from webui.common.base import runtime
from webui.common.connections import Connection, receiving
from webui.public import visitor
from webui.public.portal import portal

BLOCK = 1 << 16
MOST_PENDING = 1 << 20  # bytes that the parser may hold


@portal.post("/gui/tep/gui-thuong")
def send_plain() -> Response:
    """Take one file out of the form and go on to the next question; a broken one leaves nothing behind."""
    request.max_content_length = 1 << 62  # None would mean the application's limit for forms; a file has its own
    visitor.required()  # nobody takes a place among the uploads without a report
    with receiving() as connection:
        _take(_events(connection))
    return redirect(url_for("public.ask", slug="noi-dung"), 303)


def _take(events: Iterator[Event]) -> None:
    token = ""
    for event in events:
        if isinstance(event, File):
            _check(token)
            if event.filename:
                _store(event.filename, events)
                return
        elif isinstance(event, Data):
            token += event.data.decode("ascii", "replace")
            if len(token) > BLOCK:
                raise BadRequest  # a token is short: whoever goes on sends no file
    raise InvalidInputError(field="file", reason="choose a file first", reason_vi="hãy chọn tệp trước")


def _store(name: str, events: Iterator[Event]) -> None:
    rt, submission_id = runtime(), visitor.required()
    sealing.tidy(rt)
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    with rt.db.write() as session:  # the form's length is the most that the file can have; its end tells its size
        file = uploads.create(
            session, rt.keyring, rt.settings, submission_id,
            size=request.content_length or 0, metadata=metadata, sha256=None,
        )  # fmt: skip
    with ExitStack() as undo:
        undo.callback(_drop, submission_id, file.id)
        with uploads.writing(rt.db, rt.spool, rt.settings, submission_id, file.id, 0) as writer:
            for event in events:
                if isinstance(event, Data):
                    writer.write(event.data)
                    if not event.more_data:
                        break
        with rt.db.write() as session:
            uploads.end_here(session, submission_id, file.id)
        undo.pop_all()


def _events(connection: Connection) -> Iterator[Event]:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise BadRequest
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), MOST_PENDING, max_parts=10)
    while True:
        event = decoder.next_event()
        if isinstance(event, Epilogue):
            return
        if not isinstance(event, NeedData):
            yield event
            continue
        try:
            block = request.stream.read(BLOCK)
        except (ClientDisconnected, OSError):
            raise BadRequest from None
        if not block:
            raise BadRequest  # cut before the form's end
        connection.heard(len(block))
        decoder.receive_data(block)


def _check(token: str) -> None:
    try:
        validate_csrf(token)
    except ValidationError:
        raise BadRequest from None


def _drop(submission_id: str, file_id: str) -> None:
    rt = runtime()
    with rt.db.write() as session:
        uploads.remove(session, submission_id, file_id)
    sealing.drop(rt, [file_id])

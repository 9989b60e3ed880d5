"""A tus 1.0.0 server as a blueprint: creation, checksum, termination, expiration.

Source of every rule: the tus resumable upload protocol 1.0.0. Bytes are streamed to the door in small blocks; whatever came
before a connection broke is kept, and the offset that is told covers durable bytes only. A PATCH with a checksum is checked
before any of it is kept, so it is held in memory and limited. A writer whose connection went dead makes way for the next one.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import ClientDisconnected

from bodycam.errors import BodycamError
from bodycam.petitions import errors
from webui.common.connections import Connection
from webui.common.door import Door, Upload
from webui.common.errors import status_for, status_of, told
from webui.uploads import writers

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHECKSUMS = ("sha1", "sha256", "md5")
BODY_TYPE = "application/offset+octet-stream"
BLOCK = 1 << 16
MOST_CHECKED = 16 << 20  # bytes of a PATCH that carries a checksum
CHECKSUM_MISMATCH = 460
_STATUS: dict[type[BodycamError], HTTPStatus] = {
    errors.UploadGoneError: HTTPStatus.GONE,
    errors.UploadBusyError: HTTPStatus.LOCKED,
    errors.UploadTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NoRoomError: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.TooManyFilesError: HTTPStatus.FORBIDDEN,
    errors.UploadFragmentedError: HTTPStatus.FORBIDDEN,
    errors.TooManyAtOnceError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ProtocolError(Exception):
    """A request that breaks the protocol: the status and a plain sentence for the client's author."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status, self.message = status, message


def make_blueprint(name: str, door: Door) -> Blueprint:
    """Return the protocol's blueprint over a door; the caller registers it under the address of its choice."""
    blueprint = Blueprint(name, __name__)
    for error, status in _STATUS.items():  # also for uploads that come by a plain form
        status_for(error, status)

    def options(upload_id: str = "") -> Response:  # noqa: ARG001  the same answer for every address
        return _options(door)

    def create() -> Response:
        return _create(door, name)

    def upload(upload_id: str) -> Response:
        return _dispatch(door, upload_id)

    for rule in ("", "/<upload_id>"):
        blueprint.add_url_rule(rule, "options", options, methods=["OPTIONS"], provide_automatic_options=False)
    blueprint.add_url_rule("", "create", create, methods=["POST"], provide_automatic_options=False)
    methods = ["HEAD", "PATCH", "DELETE", "POST"]
    blueprint.add_url_rule("/<upload_id>", "upload", upload, methods=methods, provide_automatic_options=False)
    blueprint.before_request(_check_version)
    blueprint.after_request(_stamp)
    blueprint.register_error_handler(ProtocolError, _broken)
    blueprint.register_error_handler(BodycamError, _refused)
    return blueprint


def _check_version() -> Response | None:
    request.max_content_length = 1 << 62  # None would mean the application's limit for forms; the door has its own
    if request.method == "OPTIONS" or request.headers.get("Tus-Resumable") == VERSION:
        return None
    response = Response(f"this server speaks tus {VERSION}\n", HTTPStatus.PRECONDITION_FAILED, mimetype="text/plain")
    response.headers["Tus-Version"] = VERSION
    return response


def _stamp(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


def _broken(error: ProtocolError) -> Response:
    return Response(error.message + "\n", error.status, mimetype="text/plain")


def _refused(error: BodycamError) -> Response:
    status = status_of(error)
    response = Response(told(error) + "\n", status, mimetype="text/plain")
    response.headers["X-Error-Code"] = error.code
    if isinstance(error, errors.WrongOffsetError):
        response.headers["Upload-Offset"] = str(error.values["offset"])
    if status in {HTTPStatus.LOCKED, HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.headers["Retry-After"] = "5"
    return response


def _options(door: Door) -> Response:
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(door.most_bytes)
    response.headers["Tus-Checksum-Algorithm"] = ",".join(CHECKSUMS)
    return response


def _dispatch(door: Door, upload_id: str) -> Response:
    # tus core: the override counts, the actual method is ignored
    match request.headers.get("X-HTTP-Method-Override", request.method).upper():
        case "HEAD":
            return _tell(door, upload_id)
        case "PATCH":
            return _take(door, upload_id)
        case "DELETE":
            door.remove(upload_id)
            return Response(status=HTTPStatus.NO_CONTENT)
    raise ProtocolError(HTTPStatus.METHOD_NOT_ALLOWED, "use HEAD, PATCH or DELETE")


def _create(door: Door, name: str) -> Response:
    if "Upload-Defer-Length" in request.headers:
        raise ProtocolError(HTTPStatus.BAD_REQUEST, "this server needs Upload-Length; deferring it is not supported")
    size = _count("Upload-Length")
    raw = request.headers.get("Upload-Metadata", "")
    upload = door.create(size, read_metadata(raw), raw)
    with_body = request.mimetype == BODY_TYPE and bool(request.content_length)
    response = Response(status=HTTPStatus.CREATED)
    response.headers["Location"] = url_for(f"{name}.upload", upload_id=upload.id)
    if with_body:
        offset, expires_at = _append(door, upload.id, 0)
        response.headers["Upload-Offset"] = str(offset)
        upload = Upload(upload.id, size, offset, expires_at)
    return _with_expiry(response, upload.expires_at)


def _tell(door: Door, upload_id: str) -> Response:
    upload = door.find(upload_id)
    response = Response(status=HTTPStatus.OK)
    response.headers["Upload-Offset"] = str(upload.offset)
    response.headers["Upload-Length"] = str(upload.size)
    if upload.metadata:
        response.headers["Upload-Metadata"] = upload.metadata
    return _with_expiry(response, upload.expires_at)


def _take(door: Door, upload_id: str) -> Response:
    if request.mimetype != BODY_TYPE:
        raise ProtocolError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a PATCH needs Content-Type: {BODY_TYPE}")
    offset, expires_at = _append(door, upload_id, _count("Upload-Offset"))
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Upload-Offset"] = str(offset)
    return _with_expiry(response, expires_at)


def _append(door: Door, upload_id: str, offset: int) -> tuple[int, datetime]:
    """Hand the request's body to the door; return the durable offset and the expiry."""
    with writers.connected(door, upload_id, offset) as (connection, writer):
        for block in _blocks(connection):
            writer.write(block)
    return writer.durable, writer.expires_at


def _blocks(connection: Connection) -> Iterator[bytes]:
    if "Upload-Checksum" in request.headers:
        yield _checked(connection)
        return
    while True:
        try:
            block = request.stream.read(BLOCK)
        except (
            ClientDisconnected,
            OSError,
        ):  # cut or silent for too long: what came is kept, the answer reaches nobody
            return
        if not block:
            return
        connection.heard(len(block))
        yield block


def _checked(connection: Connection) -> bytes:
    algorithm, _, text = request.headers["Upload-Checksum"].partition(" ")
    if algorithm not in CHECKSUMS:
        raise ProtocolError(HTTPStatus.BAD_REQUEST, f"use one of these checksums: {', '.join(CHECKSUMS)}")
    try:
        wanted = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ProtocolError(HTTPStatus.BAD_REQUEST, "the checksum is not base64") from None
    body = bytearray()
    try:
        while block := request.stream.read(BLOCK):
            connection.heard(len(block))
            body += block
            if len(body) > MOST_CHECKED:
                raise ProtocolError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"a PATCH with a checksum may have {MOST_CHECKED} bytes at most",
                )
    except (ClientDisconnected, OSError):
        raise ProtocolError(CHECKSUM_MISMATCH, "the body was cut, so its checksum can't fit") from None
    if hashlib.new(algorithm, body, usedforsecurity=False).digest() != wanted:
        raise ProtocolError(CHECKSUM_MISMATCH, "the checksum does not fit the body; none of it was kept")
    return bytes(body)


def read_metadata(raw: str) -> dict[str, str]:
    """Return the pairs of an Upload-Metadata header; raises ProtocolError when it is malformed.

    Keys are unique ASCII without spaces and commas, values base64 of UTF-8 (tus 1.0.0, "Upload-Metadata").
    """
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in raw.split(","))):
        key, _, value = pair.partition(" ")
        if not key.isascii() or key in pairs:
            raise ProtocolError(HTTPStatus.BAD_REQUEST, "Upload-Metadata has a key twice, or one that isn't ASCII")
        try:
            pairs[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ProtocolError(HTTPStatus.BAD_REQUEST, f"Upload-Metadata: {key} is not base64 of UTF-8") from None
    return pairs


def _count(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004  18 digits fit a signed 64-bit number
        raise ProtocolError(HTTPStatus.BAD_REQUEST, f"{header} must be a whole number of bytes")
    return int(text)


def _with_expiry(response: Response, expires_at: datetime | None) -> Response:
    if expires_at is not None:
        response.headers["Upload-Expires"] = format_datetime(expires_at.replace(microsecond=0), usegmt=True)
    return response

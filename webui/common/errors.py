"""Errors to HTTP, in one place: services raise domain errors, only this module turns them into an answer.

A person gets a page in their language that says what happened and what to do, with the request's id; a script that asked for
JSON gets the same as an object. What nobody foresaw is logged with that id and shows nothing of its inside.
"""

from http import HTTPStatus

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as BaseResponse

from bodycam.errors import (
    BodycamError,
    ConflictError,
    DatabaseAwayError,
    DiskFullError,
    InvalidInputError,
    NotFoundError,
)
from webui.common.locale import language, t

_log = structlog.get_logger()
_STATUS: dict[type[BodycamError], HTTPStatus] = {
    NotFoundError: HTTPStatus.NOT_FOUND,
    InvalidInputError: HTTPStatus.BAD_REQUEST,
    ConflictError: HTTPStatus.CONFLICT,
    DiskFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    DatabaseAwayError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_KNOWN = {
    HTTPStatus.BAD_REQUEST: ("Yêu cầu không hợp lệ.", "The request is not valid."),
    HTTPStatus.FORBIDDEN: ("Tài khoản này không được mở trang này.", "This account may not open this page."),
    HTTPStatus.NOT_FOUND: ("Không có trang này.", "There is no such page."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Trang này không nhận kiểu yêu cầu đó.",
        "This page does not take that kind of request.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("Dữ liệu gửi lên quá lớn.", "What was sent is too large."),
}
_FAILED = (
    "Có lỗi trong hệ thống. Thử lại; nếu vẫn lỗi, báo quản trị kèm mã yêu cầu.",
    "Something failed in the system. Try again; if it stays, tell the administrator the request id.",
)


def status_for(error: type[BodycamError], status: HTTPStatus) -> None:
    """Say which HTTP status a domain error (with its subclasses) is answered with."""
    _STATUS[error] = status


def wants_json() -> bool:
    """Tell whether a script asked: it accepts JSON and no page."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"], "text/html") == "application/json"


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(BodycamError, _domain)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def answer(status: int, code: str, message: str) -> Response:
    """Build the answer to an error: a page, or a JSON object for a script."""
    if wants_json():
        response = jsonify(code=code, message=message, request=g.get("request_id", ""))
    else:
        page = render_template(_page(), status=status, code=code, message=message)
        response = make_response(page)
    response.status_code = status
    return response


def _page() -> str:
    """Return the template of an error's page: a part of the site may have its own, by the beginning of its addresses."""
    own: dict[str, str] = current_app.config.get("ERROR_PAGES", {})
    usual: str = current_app.config["ERROR_PAGE"]
    return next((page for start, page in own.items() if request.path.startswith(start)), usual)


def status_of(error: BodycamError) -> HTTPStatus:
    """Return the HTTP status of a domain error: that of its nearest class in the table, else 500."""
    for cls in type(error).__mro__:
        if cls in _STATUS:
            return _STATUS[cls]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def told(error: BodycamError) -> str:
    """Return what a visitor reads of a domain error; what failed inside, and where it lies, is for staff and the log alone."""
    inside = status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(
        error, (DiskFullError, DatabaseAwayError)
    )
    if inside and not current_app.config["TELLS_INSIDE"]:
        return t(*_FAILED)
    return error.text(language())


def _domain(error: BodycamError) -> Response:
    g.error = error
    status = status_of(error)
    log = _log.error if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _log.info
    log("web.refused", code=error.code, status=int(status))
    return answer(status, error.code, told(error))


def _csrf(_: CSRFError) -> Response:
    _log.info("web.csrf_refused")
    message = t(
        "Biểu mẫu đã hết hạn. Quay lại, tải lại trang rồi gửi lại.",
        "The form has expired. Go back, reload, send again.",
    )
    return answer(HTTPStatus.BAD_REQUEST, "form_expired", message)


def _http(error: HTTPException) -> Response | BaseResponse:
    status = HTTPStatus(error.code or 500)
    if isinstance(error, SecurityError):  # the host's name is none: no address can be made for a page
        return Response(f"{status.phrase}\n", status, mimetype="text/plain")
    if error.response is not None or status < HTTPStatus.BAD_REQUEST:  # a redirect is an answer, not an error
        return error.get_response()
    response = answer(status, status.name.lower(), t(*_KNOWN.get(status, _FAILED)))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> Response:
    _log.exception("web.failed", error=type(error).__name__)
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", t(*_FAILED))

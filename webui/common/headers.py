"""Security headers on every answer, and an id for every request.

The policy allows files of this host only: no inline script, no inline style, no other origin, no frame. What a template must
style by number goes into an SVG attribute, a `<progress>` or a data attribute that a module sets.
"""

import secrets
from collections.abc import Iterator
from http import HTTPStatus

import structlog
from flask import Flask, Response, abort, g, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=(), interest-cohort=()",
}


def headers(*, referrer: str, tls: bool) -> Iterator[tuple[str, str]]:
    """Yield the headers of every answer; strict transport only where TLS is on."""
    yield from _HEADERS.items()
    yield "Referrer-Policy", referrer
    if tls:
        yield "Strict-Transport-Security", "max-age=31536000"


def init_app(app: Flask, *, referrer: str, tls: bool) -> None:
    """Set the headers and the request id; pages are never stored by a cache unless a view said so."""
    fixed = tuple(headers(referrer=referrer, tls=tls))

    @app.before_request
    def name_request() -> None:
        g.request_id = secrets.token_hex(6)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id, endpoint=request.endpoint)
        if "\0" in request.path or b"%00" in request.query_string:
            abort(HTTPStatus.BAD_REQUEST)  # no text has one, and PostgreSQL takes none

    @app.after_request
    def secure(response: Response) -> Response:
        for name, value in fixed:
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

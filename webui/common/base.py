"""What a staff and a public application have in common, put together.

Each application has its own cookies, its own secret and its own templates over the shared ones; both refuse a form without its
token (CSRF) and a body over their limit.
"""

import os
import re
import secrets
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFProtect

from bodycam.runtime import Runtime
from webui.common import errors, formatting, headers, locale, static

csrf = CSRFProtect()
_EXTENSION = "bodycam"
_LOCAL = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")


def new_app(name: str, rt: Runtime, *, hours: int, tls: bool, referrer: str, max_body: int) -> Flask:
    """Return a Flask application with language, formats, headers, errors, static files and CSRF in place.

    `name` ("staff" or "public") names its cookie and its secret; `hours` is how long a form stays valid.
    """
    app = Flask("webui", static_folder=None, template_folder="templates")
    app.config.update(
        SECRET_KEY=cookie_secret(rt.settings.keys.dir, name),
        SESSION_COOKIE_NAME=f"bodycam_{name}_form",
        SESSION_COOKIE_SECURE=tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=hours),
        WTF_CSRF_TIME_LIMIT=hours * 3600,
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which the portal never sends; SameSite and the token stay
        MAX_CONTENT_LENGTH=max_body,
        ERROR_PAGE=f"{name}/error.html",
        TELLS_INSIDE=name == "staff",
        KEEPS_LANGUAGE=name == "staff",
        MAX_FORM_MEMORY_SIZE=max_body,
    )
    if rt.settings.demo:
        app.before_request(_refuse_other_names)
    app.extensions[_EXTENSION] = rt
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    headers.init_app(app, referrer=referrer, tls=tls)
    csrf.init_app(app)
    locale.init_app(app)
    formatting.init_app(app)
    static.init_app(app)
    errors.init_app(app)
    return app


def _refuse_other_names() -> Response | None:
    """Answer to localhost alone: a demo's sign-ins need no password, and a page elsewhere can point a name of its own here."""
    if _LOCAL.fullmatch(request.environ.get("HTTP_HOST", "")):
        return None
    return Response("localhost\n", HTTPStatus.MISDIRECTED_REQUEST, mimetype="text/plain")


def runtime() -> Runtime:
    """Return the opened settings, database, vault and log of the current application."""
    rt: Runtime = current_app.extensions[_EXTENSION]
    return rt


def cookie_secret(keys_dir: Path, name: str) -> bytes:
    """Return the secret that signs an application's form cookie; made once, kept in the keys folder with mode 0600.

    Several server processes may start at once: the first to create the file wins, the others read it.
    """
    path = keys_dir / f"{name}-cookie.key"
    keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(32))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()

"""Who asks: the staff session behind a request, and the gate every route passes.

The cookie holds a random token and nothing else; the session behind it lives in the database and can be revoked there. The
gate reads what a view declared (`permissions`), sends a stranger to the sign-in page and refuses what no role grants. What
may be reached inside an action is a `Scope`, asked for once a request.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bodycam import custody
from bodycam.access.errors import ForbiddenError, OutOfReachError
from bodycam.access.service import scope_of
from bodycam.people import accounts, sessions
from bodycam.people.scope import NOTHING, Scope
from webui.common import errors, locale
from webui.common.base import runtime
from webui.common.permissions import ACCOUNT, OPEN, check_declared, needs

COOKIE = "bodycam_staff"
Guard = Callable[[], BaseResponse | None]
_GUARDS = "bodycam_guards"
_ID = re.compile(r"[0-9a-f-]{36}")  # what a stranger types into an address never enters the log


@dataclass(frozen=True)
class Viewer:
    """The signed-in person of a request."""

    account_id: str
    session_id: str
    name: str
    officer_id: str | None
    roles: frozenset[str]
    unit: str


def viewer() -> Viewer:
    """Return who is signed in; only for views that declared they need somebody."""
    found: Viewer | None = g.get("viewer")
    if found is None:
        raise RuntimeError("this view asks for the viewer without declaring that it needs one")
    return found


def scope(action: str) -> Scope:
    """Return where the signed-in person may do the action; an empty scope for a stranger."""
    known: dict[str, Scope] = g.setdefault("scopes", {})
    if action not in known:
        found: Viewer | None = g.get("viewer")
        if found is None:
            return NOTHING
        with runtime().db.read() as session:
            known[action] = scope_of(session, found.account_id, action)
    return known[action]


def guard_with(app: Flask, need: str, guard: Guard) -> None:
    """Let `guard` judge the views that declared this need, instead of a person's sign-in: it answers, or lets pass by None."""
    app.extensions.setdefault(_GUARDS, {})[need] = guard


def init_app(app: Flask) -> None:
    """Put the gate before every route; call `seal` once all routes are there."""
    errors.status_for(ForbiddenError, HTTPStatus.FORBIDDEN)
    app.before_request(_gate)
    app.after_request(_note_refusal)
    app.jinja_env.globals.update(may=_may)
    app.context_processor(lambda: {"viewer": g.get("viewer")})


def _may(action: str) -> bool:
    return g.get("viewer") is not None and not scope(action).is_empty


def seal(app: Flask) -> None:
    """Check that every route declared what it needs; raises RuntimeError otherwise."""
    check_declared(app)


def set_cookie(response: BaseResponse, token: str) -> None:
    """Hand the session's token to the browser."""
    settings = runtime().settings.staff
    response.set_cookie(
        COOKIE,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )


def drop_cookie(response: BaseResponse) -> None:
    """Take the token away from the browser."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")


def _gate() -> BaseResponse | Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint == "static":
        return None  # a page asks for a dozen: no look into the database for them
    action = needs(view) if view else None
    guard: Guard | None = current_app.extensions.get(_GUARDS, {}).get(action)
    if guard is not None:
        return guard()
    g.viewer = _find_viewer()
    if view is None:
        return None  # no such page: the 404 says so to everybody alike
    if action == OPEN:
        return None
    if g.viewer is None:
        return _ask_to_sign_in()
    if action is not None and action != ACCOUNT and scope(action).is_empty:
        raise ForbiddenError(action=action)
    return None


def _find_viewer() -> Viewer | None:
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    rt = runtime()
    with rt.db.read() as session:
        found = sessions.find_session(session, token, idle_minutes=rt.settings.staff.idle_minutes)
        if found is None:
            return None
        row, account = found
        grants = accounts.grants_of(session, account.id)
    if sessions.needs_touch(row):
        with rt.db.write() as session:
            sessions.touch_session(session, row.id)
    locale.prefer(account.language)
    roles = frozenset(role for role, _ in grants)
    unit = grants[0][1].name if grants else ""
    return Viewer(account.id, row.id, account.display_name, account.officer_id, roles, unit)


def _ask_to_sign_in() -> BaseResponse:
    if request.method != "GET" or errors.wants_json():
        return errors.answer(
            401, "sign_in_needed", locale.t("Phiên đã hết. Đăng nhập lại.", "Your session ended. Sign in again.")
        )
    return redirect(url_for("signin.form", next=request.full_path.rstrip("?")))


def _note_refusal(response: Response) -> Response:
    found: Viewer | None = g.get("viewer")
    if found is None:
        return response
    ids = [value for value in (request.view_args or {}).values() if _ID.fullmatch(str(value))]
    # whoever tries the address of what lies outside his scope, or guesses at ids, is told "not there" and leaves a trace
    hidden = isinstance(g.get("error"), OutOfReachError)
    if response.status_code == HTTPStatus.FORBIDDEN or hidden:
        details: dict[str, Any] = {"endpoint": request.endpoint or "", "method": request.method}
        object_id = str(ids[0]) if ids else f"page:{request.endpoint}"
        custody.record_now(runtime().db, "access.refused", object_id=object_id, actor=found.account_id, details=details)
    return response

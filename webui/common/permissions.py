"""Deny by default: every route says what it needs, or the application does not start.

`@allowed("recording.list")` asks for a role that grants the action somewhere; the view then checks the very recording or case.
`@any_account` asks for a sign-in only, `@open_to_all` for nothing. A kiosk's pages ask for the station's token (`@kiosk_only`), or
for an officer's card or PIN besides (`@kiosk_officer`); no person's sign-in opens them. A refusal leaves an `access.refused` event in the custody
log, in a transaction of its own.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., Any])
_ATTRIBUTE = "bodycam_needs"
OPEN, ACCOUNT = "", "*"
KIOSK, KIOSK_OFFICER = "kiosk", "kiosk+officer"
AT_KIOSK = {KIOSK, KIOSK_OFFICER}


def allowed(action: str) -> Callable[[View], View]:
    """Declare the action of `bodycam.access` that a view needs."""

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, action)
        return view

    return declare


def any_account(view: View) -> View:
    """Declare that a view is for everybody who is signed in."""
    setattr(view, _ATTRIBUTE, ACCOUNT)
    return view


def open_to_all(view: View) -> View:
    """Declare that a view needs no sign-in."""
    setattr(view, _ATTRIBUTE, OPEN)
    return view


def kiosk_only(view: View) -> View:
    """Declare that a view is for a station's kiosk, whoever stands before it."""
    setattr(view, _ATTRIBUTE, KIOSK)
    return view


def kiosk_officer(view: View) -> View:
    """Declare that a view is for an officer who showed card or PIN at a station's kiosk (`webui.kiosk.guard.current_officer`)."""
    setattr(view, _ATTRIBUTE, KIOSK_OFFICER)
    return view


def needs(view: Callable[..., Any]) -> str | None:
    """Return what a view declared: an action, ACCOUNT, OPEN, KIOSK, KIOSK_OFFICER, or None when it declared nothing."""
    declared: str | None = getattr(view, _ATTRIBUTE, None)
    return declared


def check_declared(app: Flask) -> None:
    """Refuse an application that has a route without a declaration; names the routes."""
    missing = sorted(
        {rule.endpoint for rule in app.url_map.iter_rules() if needs(app.view_functions[rule.endpoint]) is None}
    )
    if missing:
        raise RuntimeError(f"routes without a declared permission: {', '.join(missing)}")

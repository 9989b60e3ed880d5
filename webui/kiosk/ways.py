"""Where an officer may be on the way to when the kiosk asks who he is: one word in the address, never an address itself."""

from typing import Any

from flask import current_app, url_for

WAYS = {
    "menu": "kiosk_entering.menu",
    "shift": "kiosk_shift.index",
    "cameras": "kiosk_cameras.index",
    "broken": "kiosk_broken.index",
    "release": "kiosk_release.index",
    "vouch": "kiosk_vouch.index",
}


def ways() -> dict[str, str]:
    """Return the ways that lead somewhere in this application, by word."""
    return {word: endpoint for word, endpoint in WAYS.items() if endpoint in current_app.view_functions}


def way_to(endpoint: str | None, about: str | None) -> dict[str, Any]:
    """Return the query that leads back to a page once the officer is known; `about` is whom or what the page is about."""
    word = next((word for word, known in WAYS.items() if known == endpoint), "menu")
    return {"then": word} | ({"about": about} if about else {})


def address_of(word: str, about: str = "") -> str:
    """Return the address of a way; of an unknown word the menu's."""
    endpoint = ways().get(word, WAYS["menu"])
    return url_for(endpoint, about=about) if about and word != "menu" else url_for(endpoint)

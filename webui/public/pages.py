"""What the public application is made of: the portal's pages, and the door that citizens' uploads go through."""

from flask import Flask

from webui.common.base import csrf
from webui.public import codes, following, leaving, plain, receipts, steps, tombstones
from webui.public.door import CitizenDoor
from webui.public.portal import portal

VIEWS = (steps, plain, codes, receipts, following, leaving, tombstones)  # importing them gives the portal its routes


def init_app(app: Flask) -> CitizenDoor:
    """Register the portal's pages and return the door."""
    app.config.update(SESSION_COOKIE_NAME="bodycam_public", SESSION_COOKIE_SAMESITE="Strict")
    csrf.exempt(plain.send_plain)  # checks its token itself, in the stream: reading the form first would hold the file
    app.register_blueprint(portal)
    return CitizenDoor()

"""The two web applications over one core: staff pages and the citizens' portal, each with its own cookies and templates."""

from flask import Flask

from bodycam.runtime import Runtime
from webui.common import signin
from webui.common.base import csrf, new_app
from webui.kiosk import pages as kiosk_pages
from webui.public import pages as public_pages
from webui.staff import pages as staff_pages
from webui.uploads import tus

MIB = 1 << 20


def create_staff_app(rt: Runtime) -> Flask:
    """Return the staff application; refuses to start when a route declares no permission."""
    settings = rt.settings.staff
    app = new_app(
        "staff", rt, hours=settings.session_hours, tls=bool(settings.tls_cert), referrer="same-origin", max_body=MIB
    )
    signin.init_app(app)
    staff_pages.init_app(app)
    kiosk_pages.init_app(app)
    signin.seal(app)
    return app


def create_public_app(rt: Runtime) -> Flask:
    """Return the citizens' application; every page is open, none sends a referrer."""
    settings = rt.settings.public
    app = new_app("public", rt, hours=12, tls=bool(settings.tls_cert), referrer="no-referrer", max_body=MIB)
    uploads = tus.make_blueprint("uploads", public_pages.init_app(app))
    csrf.exempt(uploads)  # a foreign page can't set the Tus-Resumable header, and the cookie is SameSite
    app.register_blueprint(uploads, url_prefix="/tep")
    return app

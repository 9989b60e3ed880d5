"""The staff pages put into an application: their blueprints and what every template may use."""

import json

from flask import Flask

from bodycam.access.permissions import ROLE_NAMES
from bodycam.cases.models import CaseRecording
from bodycam.people.numbers import number_label
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.staff import access_log, dock, player, recordings, signin
from webui.staff.menu import ENTRIES
from webui.staff.verdicts import look, match_words

BLUEPRINTS = (signin.bp, dock.bp, recordings.bp, player.bp, access_log.bp)


def init_app(app: Flask) -> None:
    """Register every staff page."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        look=look, match_words=match_words, menu=[entry for entry in ENTRIES if entry.endpoint in app.view_functions]
    )
    app.jinja_env.globals.update(number_label=_number_label, reasons_of=_reasons)
    app.context_processor(lambda: {"roles": {role: t(*names) for role, names in ROLE_NAMES.items()}})


def _number_label(force: str) -> str:
    return number_label(runtime().settings.labels, force, language())


def _reasons(link: CaseRecording) -> list[str]:
    return [t(reason["vi"], reason["en"]) for reason in json.loads(link.reasons)]

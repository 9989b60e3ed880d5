"""The staff pages put into an application: their blueprints and what every template may use."""

import json
from http import HTTPStatus

from flask import Flask, session

from bodycam.access.permissions import ROLE_NAMES
from bodycam.cases.errors import CaseFieldError, LinkError
from bodycam.cases.matching import strength
from bodycam.cases.models import CaseRecording
from bodycam.people.errors import NameTakenError, SignInLockedError, WeakPasswordError
from bodycam.people.numbers import number_label
from bodycam.petitions.errors import ForbiddenStepError
from webui.common import errors, slips
from webui.common.base import runtime
from webui.common.locale import language, t
from webui.staff import (
    access_log,
    account,
    accounts,
    cases,
    devices,
    disposition,
    dock,
    extractions,
    holds,
    log,
    menu,
    negatives,
    officers,
    owed,
    player,
    recordings,
    retention,
    signin,
    submissions,
    tamper,
    vault,
    wipes,
)
from webui.staff.demo import STORY_KEY, story_of
from webui.staff.verdicts import look

BLUEPRINTS = (
    signin.bp,
    dock.bp,
    recordings.bp,
    player.bp,
    access_log.bp,
    cases.bp,
    owed.bp,
    devices.bp,
    officers.bp,
    log.bp,
    vault.bp,
    wipes.bp,
    extractions.bp,
    holds.bp,
    negatives.bp,
    retention.bp,
    disposition.bp,
    submissions.bp,
    account.bp,
    accounts.bp,
    tamper.bp,
)


def init_app(app: Flask) -> None:
    """Register every staff page."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        look=look, menu=[entry for entry in menu.ENTRIES if entry.endpoint in app.view_functions]
    )
    for refused in (CaseFieldError, ForbiddenStepError, LinkError, NameTakenError, WeakPasswordError):
        errors.status_for(refused, HTTPStatus.BAD_REQUEST)
    slips.init_app(app)
    menu.init_app(app)
    wipes.init_app(app)
    extractions.init_app(app)
    retention.init_app(app)
    errors.status_for(SignInLockedError, HTTPStatus.TOO_MANY_REQUESTS)
    app.jinja_env.globals.update(number_label=_number_label, reasons_of=_reasons, match_words=_match_words)
    app.context_processor(lambda: {"demo": _demo(), "roles": {role: t(*names) for role, names in ROLE_NAMES.items()}})


def _demo() -> dict[str, object] | None:
    """Return what every page says in a demo: the story being walked, if any, and where the citizens' portal is."""
    if not runtime().settings.demo:
        return None
    public = runtime().settings.public
    return {"story": story_of(session.get(STORY_KEY, "")), "portal": f"http://{public.host}:{public.port}/"}


def _number_label(force: str) -> str:
    return number_label(runtime().settings.labels, force, language())


def _reasons(link: CaseRecording) -> list[str]:
    return [t(reason["vi"], reason["en"]) for reason in json.loads(link.reasons)]


def _match_words(score: float) -> str:
    return strength(score, language())

"""The kiosk's pages put into the staff application."""

from http import HTTPStatus

from flask import Flask

from bodycam.fleet.errors import (
    CameraNotFreeError,
    NotDutyOfficerError,
    NothingToPullError,
    PairingCodeError,
    ReportedAlreadyError,
)
from bodycam.people.errors import CardInUseError, CardUnreadableError, UnknownCardError, WeakPinError, WrongPinError
from bodycam.people.passes import DEMO_DUTY_NUMBER, DEMO_PIN
from webui.common import errors
from webui.common.base import runtime
from webui.kiosk import board, broken, cameras, entering, guard, pairing, release, shift, slips, vouch
from webui.kiosk.ways import address_of, ways

BLUEPRINTS = (board.bp, pairing.bp, entering.bp, cameras.bp, broken.bp, release.bp, vouch.bp, shift.bp, slips.bp)


def init_app(app: Flask) -> None:
    """Register every kiosk page and its guards."""
    guard.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.config["ERROR_PAGES"] = {guard.PATH: "kiosk/error.html"}
    app.jinja_env.globals.update(
        kiosk_ways=ways, kiosk_address=address_of, demo_pin=DEMO_PIN, demo_duty=DEMO_DUTY_NUMBER, duty_phone=_duty_phone
    )
    statuses = {
        HTTPStatus.UNAUTHORIZED: (WrongPinError, UnknownCardError),
        HTTPStatus.BAD_REQUEST: (CardInUseError, CardUnreadableError, PairingCodeError, WeakPinError),
        HTTPStatus.CONFLICT: (CameraNotFreeError, NothingToPullError, ReportedAlreadyError),
        HTTPStatus.FORBIDDEN: (NotDutyOfficerError,),
    }
    for status, refusals in statuses.items():
        for refused in refusals:
            errors.status_for(refused, status)


def _duty_phone() -> str:
    return runtime().settings.dock.duty_phone

"""The duty officer at a kiosk: an officer one of whose accounts has command over the station's unit."""

from flask import render_template

from bodycam import custody
from bodycam.access.permissions import Action
from bodycam.access.service import officer_may
from bodycam.fleet.errors import NotDutyOfficerError
from webui.common.base import runtime
from webui.common.locale import language
from webui.kiosk.guard import current_officer, this_station


def is_on_duty(action: Action = Action.DOCK_COMMAND, unit_id: str | None = None) -> bool:
    """Tell whether the officer at the kiosk may do an action to this unit, by default command this station."""
    with runtime().db.read() as session:
        return officer_may(session, current_officer().officer_id, action, unit_id or this_station().unit_id)


def refuse(word: str, about: str = "") -> tuple[str, int]:
    """Say who may, let him show his card or PIN here, and leave the refusal in the log."""
    officer = current_officer()
    custody.record_now(
        runtime().db,
        "access.refused",
        object_id=this_station().id,
        actor=officer.officer_id,
        details={"endpoint": f"kiosk.{word}", "method": "kiosk"},
    )
    way = {"then": word} | ({"about": about} if about else {})
    return render_template("kiosk/refused.html", message=NotDutyOfficerError().text(language()), way=way), 403

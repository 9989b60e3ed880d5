import pytest

from bodycam.access.errors import ForbiddenError
from bodycam.access.objects import require_case, require_recording
from bodycam.cases.service import CaseFacts, open_case
from bodycam.clock import now
from bodycam.errors import NotFoundError
from bodycam.people import accounts, units
from bodycam.people.models import Account
from bodycam.recordings.models import Recording


def account(session, name, role, unit, officer_id=None):
    made = Account(username=name, display_name=name, password_hash="-", officer_id=officer_id)
    session.add(made)
    session.flush()
    accounts.grant(session, made.id, role, unit.id)
    return made.id


def recording(session, number, **values):
    made = Recording(
        id=f"r{number}", object_id=f"{number:064}", sha256=f"{number:064}", size=1, name="x", kind="video",
        origin="dock", sealed_at=now(), sealed_event_id="e", shown_at=now(),
    )  # fmt: skip
    for key, value in values.items():
        setattr(made, key, value)
    session.add(made)
    session.flush()
    return made.id


def allowed(function, session, who, action, what):
    try:
        function(session, who, action, what)
    except ForbiddenError:
        return False
    return True


def test_a_recording_is_reached_through_its_unit_or_its_officer(db):
    with db.write() as session:
        team, _ = units.ensure_unit(session, ["A", "1"], force="traffic_police")
        other, _ = units.ensure_unit(session, ["B"], force="traffic_police")
        officer = units.create_officer(session, unit_id=team.id, number="1", name="An", force="tax")
        filmed = recording(session, 1, unit_id=team.id, officer_id=officer.id)
        stray = recording(session, 2)
        who = {
            "own": account(session, "own", "officer", team, officer.id),
            "colleague": account(session, "colleague", "officer", team),
            "commander": account(session, "commander", "commander", team),
            "elsewhere": account(session, "elsewhere", "commander", other),
            "administrator": account(session, "administrator", "administrator", team),
            "auditor": account(session, "auditor", "auditor", other),
        }
        seen = {name for name, id_ in who.items() if allowed(require_recording, session, id_, "recording.view", filmed)}
        stray_seen = {n for n, id_ in who.items() if allowed(require_recording, session, id_, "recording.view", stray)}
        assert (seen, stray_seen) == ({"own", "commander", "auditor"}, {"auditor"})
        with pytest.raises(NotFoundError):
            require_recording(session, who["auditor"], "recording.view", "nothing")


def test_a_citizens_recording_is_reached_by_who_reads_submissions_only(db):
    with db.write() as session:
        unit, _ = units.ensure_unit(session, ["A"], force="traffic_police")
        sent = recording(session, 1, origin="citizen", unit_id=unit.id)
        roles = (
            "officer",
            "commander",
            "head",
            "plan_approver",
            "monitor",
            "case_officer",
            "administrator",
            "intake",
            "auditor",
        )
        who = {role: account(session, role, role, unit) for role in roles}
        seen = {role for role, id_ in who.items() if allowed(require_recording, session, id_, "recording.view", sent)}
        exported = {r for r, id_ in who.items() if allowed(require_recording, session, id_, "recording.export", sent)}
        assert (seen, exported) == ({"intake", "auditor"}, set())


def test_a_tax_case_is_reached_through_the_tax_force_only(db):
    with db.write() as session:
        root, _ = units.ensure_unit(session, ["Thành phố"], force="other")
        tax = units.create_unit(session, name="Thuế", force="tax", parent_id=root.id)
        facts = CaseFacts(
            starts_at=now(), ends_at=now(), identifiers={"tax_code": ["0100233488"]}, fields={"taxpayer": "X"}
        )
        case = open_case(session, kind="tax_check", unit_id=tax.id, facts=facts)
        inside = account(session, "in", "case_officer", tax)
        above = account(session, "up", "case_officer", root)
        assert allowed(require_case, session, inside, "case.edit", case.id)
        assert not allowed(require_case, session, above, "case.view", case.id)

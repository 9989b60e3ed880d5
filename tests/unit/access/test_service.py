"""The whole matrix, and that no scope reaches beyond what was granted."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bodycam.access import service as access
from bodycam.access.errors import ForbiddenError
from bodycam.access.permissions import PERMISSIONS, ROLE_NAMES, Action, Reach
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.people import accounts, units
from bodycam.people.models import Account, Officer, Role, Unit
from bodycam.people.scope import Scope

MATRIX = Path(__file__).with_name("matrix.txt")
FOOTAGE = {Action.RECORDING_LIST, Action.RECORDING_VIEW, Action.RECORDING_EXPORT, Action.CASE_VIEW}


def account(session, name, *grants, officer_id=None):
    made = Account(username=name, display_name=name, password_hash="-", officer_id=officer_id)
    session.add(made)
    session.flush()
    for role, unit in grants:
        accounts.grant(session, made.id, role, unit.id)
    return made.id


@pytest.fixture
def tree(db):
    with db.write() as session:
        names = [("A",), ("A", "1"), ("A", "1", "x"), ("A", "2"), ("B",)]
        return {"/".join(path): units.ensure_unit(session, path, force="traffic_police")[0] for path in names}


def test_the_matrix_is_as_written_down():
    lines = [
        f"{role:14} {action:20} {PERMISSIONS[role].get(action, '-')}"
        for role in sorted(Role)
        for action in sorted(Action)
    ]
    assert "\n".join(lines) + "\n" == MATRIX.read_text()


def test_every_role_has_a_row_and_a_name():
    assert set(PERMISSIONS) == set(ROLE_NAMES) == set(Role)


def test_being_administrator_shows_no_footage():
    assert not FOOTAGE & set(PERMISSIONS[Role.ADMINISTRATOR])


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.INTAKE, Role.AUDITOR}))
@pytest.mark.parametrize("action", [Action.SUBMISSION_LIST, Action.SUBMISSION_VIEW])
def test_only_intake_and_auditor_read_submissions(db, tree, role, action):
    with db.write() as session:
        asker = account(session, "x", *((role, unit) for unit in tree.values()))
        assert access.scope_of(session, asker, action).is_empty
        for unit in (access.ANYWHERE, None, tree["A"].id):
            with pytest.raises(ForbiddenError):
                access.require(session, asker, action, unit_id=unit)


def test_no_grant_an_inactive_account_and_nobody_are_refused(db, tree):
    with db.write() as session:
        bare = account(session, "bare")
        off = account(session, "off", ("auditor", tree["A"]))
        session.get(Account, off).active = False
        assert access.actions_of(session, bare) == access.actions_of(session, off) == frozenset()
        assert not access.may(session, "nobody", "recording.list")


def test_an_action_nobody_listed_is_a_mistake_of_the_program(db):
    with db.read() as session, pytest.raises(ValueError, match="footage"):
        access.may(session, "x", "footage")


def test_a_thing_of_no_unit_is_seen_by_all_or_its_own_officer_only(db, tree):
    with db.write() as session:
        officer = units.create_officer(session, unit_id=tree["A"].id, number="1", name="An", force="tax")
        commander = account(session, "c", ("commander", tree["A"]))
        auditor = account(session, "a", ("auditor", tree["B"]))
        own = account(session, "o", ("officer", tree["A"]), officer_id=officer.id)
        answers = [
            access.may(session, who, "recording.view", unit_id=None, officer_id=officer.id)
            for who in (commander, auditor, own)
        ]
        assert answers == [False, True, True]
        assert not access.may(session, own, "recording.view", unit_id=tree["A"].id, officer_id="another")


def test_unit_scope_is_the_unit_alone(db, tree):
    with db.write() as session:
        officer = account(session, "o", ("officer", tree["A/1"]))
        reached = [access.may(session, officer, "dock.view", unit_id=tree[name].id) for name in ("A", "A/1", "A/1/x")]
        assert reached == [False, True, False]


def test_a_refusal_leaves_an_event(db):
    event_id = access.record_refusal(db, "acc", "recording.view", object_id="rec")
    with db.read() as session:
        event = session.scalar(select(CustodyEvent).where(CustodyEvent.id == event_id))
        assert (event.kind, event.object_id, event.actor) == ("access.refused", "rec", "acc")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    grants=st.lists(st.tuples(st.sampled_from(list(Role)), st.integers(0, 30)), max_size=3),
    action=st.sampled_from(list(Action)),
)
def test_no_scope_exceeds_the_grants(tmp_path_factory, parents, grants, action):
    """Rows that the WHERE clause finds = things `may` allows, and all lie below a granting unit unless the reach is all."""
    db: Database = _SHARED.setdefault("db", _open(tmp_path_factory.mktemp("scope")))
    with db.write() as session:
        made: list[Unit] = []
        for number, parent in enumerate(parents):
            parent_id = made[parent % len(made)].id if made and parent else None
            made.append(units.create_unit(session, name=f"{number}", force="tax", parent_id=parent_id))
        officers = [
            units.create_officer(session, unit_id=unit.id, number=unit.id, name="An", force="tax") for unit in made
        ]
        held = [(role, made[unit % len(made)]) for role, unit in grants]
        asker = account(session, "asker", *held, officer_id=officers[0].id)
        scope = access.scope_of(session, asker, action)
        found = set(session.scalars(select(Officer.id).where(scope.condition(Officer.unit_id, Officer.id))))
        allowed = {
            officer.id
            for officer in officers
            if access.may(session, asker, action, unit_id=officer.unit_id, officer_id=officer.id)
        }
        assert found == allowed
        assert found <= {officer.id for officer in officers if _granted(held, action, officer, officers[0], session)}
        session.rollback()


def _granted(held, action, officer, own, session):
    path = session.get(Unit, officer.unit_id).path
    for role, unit in held:
        reach = PERMISSIONS[role].get(action)
        if reach is Reach.ALL or (reach is Reach.OWN and officer is own):
            return True
        if reach in {Reach.UNIT, Reach.SUBTREE} and path.startswith(unit.path):
            return True
    return False


_SHARED: dict[str, Database] = {}


def _open(folder):
    from bodycam.db import Base

    db = Database(f"sqlite:///{folder / 'scope.db'}")
    Base.metadata.create_all(db.engine)
    return db


def test_an_empty_scope_allows_nothing():
    assert not Scope().allows(unit_id="u", unit_path="/u/", officer_ids=(None,))

"""The whole matrix, and that no scope reaches beyond what was granted."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bodycam.access.permissions import PERMISSIONS, ROLE_NAMES, Action, Reach
from bodycam.access.service import scope_of
from bodycam.db import Database
from bodycam.people import accounts, units
from bodycam.people.models import Account, Officer, Role, Unit
from bodycam.people.scope import NOTHING, Scope

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
        assert scope_of(session, asker, action).is_empty


def test_no_grant_an_inactive_account_and_nobody_reach_nothing(db, tree):
    with db.write() as session:
        bare = account(session, "bare")
        off = account(session, "off", ("auditor", tree["A"]))
        session.get(Account, off).active = False
        assert {scope_of(session, who, action) for who in (bare, off, "nobody") for action in Action} == {NOTHING}


def test_an_action_nobody_listed_is_a_mistake_of_the_program(db):
    with db.read() as session, pytest.raises(ValueError, match="footage"):
        scope_of(session, "x", "footage")


def test_a_thing_of_no_unit_is_seen_by_all_or_its_own_officer_only(db, tree):
    with db.write() as session:
        officer = units.create_officer(session, unit_id=tree["A"].id, number="1", name="An", force="tax")
        commander = account(session, "c", ("commander", tree["A"]))
        auditor = account(session, "a", ("auditor", tree["B"]))
        own = account(session, "o", ("officer", tree["A"]), officer_id=officer.id)
        scopes = [scope_of(session, who, "recording.view") for who in (commander, auditor, own)]
        nowhere = {"unit_id": None, "unit_path": None}
        assert [scope.allows(**nowhere, officer_ids=(officer.id,)) for scope in scopes] == [False, True, True]
        assert not scopes[2].allows(unit_id=tree["A"].id, unit_path=tree["A"].path, officer_ids=("another", None))


def test_unit_scope_is_the_unit_alone(db, tree):
    with db.write() as session:
        scope = scope_of(session, account(session, "o", ("officer", tree["A/1"])), "dock.view")
        reached = [scope.allows(unit_id=tree[name].id, unit_path=tree[name].path) for name in ("A", "A/1", "A/1/x")]
        assert reached == [False, True, False]


def test_two_grants_add_up_and_bring_their_forces(db, tree):
    with db.write() as session:
        tax, _ = units.ensure_unit(session, ["Thuế"], force="tax")
        scope = scope_of(session, account(session, "m", ("monitor", tree["A/1"]), ("monitor", tax)), "case.list")
        assert scope.forces == ("tax", "traffic_police")
        assert [scope.allows(unit_id=unit.id, unit_path=unit.path) for unit in (tax, tree["A/1/x"], tree["A/2"])] == [
            True, True, False,
        ]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    grants=st.lists(st.tuples(st.sampled_from(list(Role)), st.integers(0, 30)), max_size=3),
    action=st.sampled_from(list(Action)),
)
def test_no_scope_exceeds_the_grants(tmp_path_factory, parents, grants, action):
    """Rows that the WHERE clause finds = things it allows one by one, and all lie below a granting unit unless the reach is all."""
    db: Database = _SHARED.setdefault("db", _open(tmp_path_factory.mktemp("scope")))
    with db.write() as session:
        made: list[Unit] = []
        for number, parent in enumerate(parents):
            parent_id = made[parent % len(made)].id if made and parent else None
            made.append(units.create_unit(session, name=f"{number}", force="tax", parent_id=parent_id))
        officers = [
            units.create_officer(session, unit_id=unit.id, number=unit.id, name="An", force="tax") for unit in made
        ]
        paths = {unit.id: unit.path for unit in made}
        held = [(role, made[unit % len(made)]) for role, unit in grants]
        asker = account(session, "asker", *held, officer_id=officers[0].id)
        scope = scope_of(session, asker, action)
        found = set(session.scalars(select(Officer.id).where(scope.condition(Officer.unit_id, Officer.id))))
        allowed = {
            officer.id
            for officer in officers
            if scope.allows(unit_id=officer.unit_id, unit_path=paths[officer.unit_id], officer_ids=(officer.id,))
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

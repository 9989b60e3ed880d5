"""May this account do this to that? One answer for routes, menus and listings, from one table.

Deny by default: no grant, an inactive account or an unlisted action is a no. `scope_of` gives the same answer as a WHERE
clause. A refusal is an event that the edge records with `record_refusal` after its rollback.
"""

from collections.abc import Sequence
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.access.errors import ForbiddenError
from bodycam.access.permissions import PERMISSIONS, Action, Reach
from bodycam.db import Database
from bodycam.people.models import Account, Grant, Role, Unit
from bodycam.people.scope import EVERYTHING, NOTHING, Scope


class _Anywhere(Enum):
    TOKEN = 0


ANYWHERE = _Anywhere.TOKEN
"""Asks whether an account holds an action at all, for menus; a thing of no unit is `None`, which is another question."""


def scope_of(session: Session, account_id: str, action: str) -> Scope:
    """Return how far an account may do an action; `NOTHING` when it may not at all."""
    wanted = Action(action)
    account = session.get(Account, account_id)
    if account is None or not account.active:
        return NOTHING
    query = select(Grant.role, Unit).join(Unit, Unit.id == Grant.unit_id).where(Grant.account_id == account_id)
    held = [
        (reach, unit)
        for role, unit in session.execute(query.order_by(Grant.id))
        if (reach := PERMISSIONS[Role(role)].get(wanted)) is not None
    ]
    return _join(held, account.officer_id)


def _join(held: Sequence[tuple[Reach, Unit]], officer_id: str | None) -> Scope:
    forces = tuple(sorted({unit.force for _, unit in held}))
    if any(reach is Reach.ALL for reach, _ in held):
        return Scope(everything=EVERYTHING.everything, forces=forces)
    return Scope(
        subtrees=tuple(sorted({unit.path for reach, unit in held if reach is Reach.SUBTREE})),
        units=tuple(sorted({unit.id for reach, unit in held if reach is Reach.UNIT})),
        officer_id=officer_id if any(reach is Reach.OWN for reach, _ in held) else None,
        forces=forces,
    )


def may(
    session: Session,
    account_id: str,
    action: str,
    *,
    unit_id: str | _Anywhere | None = ANYWHERE,
    officer_id: str | None = None,
) -> bool:
    """Whether an account may do an action to a thing of this unit and this officer.

    Without `unit_id`: whether it may do the action to anything (menus, list pages). `unit_id=None` is a thing that belongs to
    no unit; only scope `all`, or its own officer, reaches it.
    """
    scope = scope_of(session, account_id, action)
    if unit_id is ANYWHERE and officer_id is None:
        return not scope.is_empty
    unit = session.get(Unit, unit_id) if isinstance(unit_id, str) else None
    return scope.allows(
        unit_id=unit.id if unit else None, unit_path=unit.path if unit else None, officer_ids=(officer_id,)
    )


def require(
    session: Session,
    account_id: str,
    action: str,
    *,
    unit_id: str | _Anywhere | None = ANYWHERE,
    officer_id: str | None = None,
) -> None:
    """Raise `ForbiddenError` unless `may`."""
    if not may(session, account_id, action, unit_id=unit_id, officer_id=officer_id):
        raise ForbiddenError(action=action)


def actions_of(session: Session, account_id: str) -> frozenset[Action]:
    """Return every action an account holds somewhere: what its menus may show."""
    return frozenset(action for action in Action if not scope_of(session, account_id, action).is_empty)


def record_refusal(db: Database, account_id: str | None, action: str, *, object_id: str | None = None) -> str:
    """Leave `access.refused` in the log, in a transaction of its own; returns the event's id."""
    return custody.record_now(
        db,
        "access.refused",
        object_id=object_id or account_id or "anonymous",
        actor=account_id,
        reason_code=action,
    )

"""How far may this account do this? One answer for routes, menus and listings, from one table.

Deny by default: no grant, an inactive account or an action its roles don't list is an empty scope. A `Scope` answers for one
thing (`allows`), for a menu (`is_empty`) and as a WHERE clause (`condition`) alike. A refusal is an event (`access.refused`)
that the edge records after its rollback.
"""

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bodycam.access.permissions import PERMISSIONS, Action, Reach
from bodycam.people.models import Account, Grant, Role, Unit
from bodycam.people.scope import NOTHING, Scope


def scope_of(session: Session, account_id: str, action: str) -> Scope:
    """Return how far an account may do an action; `NOTHING` when it may not at all.

    Raises:
        ValueError: there is no such action: a mistake in the program.
    """
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


def officer_may(session: Session, officer_id: str, action: str, unit_id: str | None) -> bool:
    """Tell whether an officer, by any account of his, may do an action to what is of this unit: a kiosk knows officers only."""
    unit = session.get(Unit, unit_id) if unit_id else None
    own = select(Account.id).where(Account.officer_id == officer_id, Account.active).order_by(Account.id).limit(20)
    scopes = [scope_of(session, account_id, action) for account_id in session.scalars(own)]
    return any(scope.allows(unit_id=unit_id, unit_path=unit.path if unit else None) for scope in scopes)


def units_of(session: Session, account_id: str, action: str) -> frozenset[str]:
    """Return the ids of the units on which an account's roles list an action now; none for an account that is closed."""
    account = session.get(Account, account_id, populate_existing=True)
    if account is None or not account.active:
        return frozenset()
    roles = [role for role, actions in PERMISSIONS.items() if Action(action) in actions]
    query = select(Grant.unit_id).where(Grant.account_id == account_id, Grant.role.in_(roles))
    return frozenset(session.scalars(query))


def holders_of(action: Action) -> Select[str]:
    """Return the query of the ids of accounts whose roles list an action, wherever they hold them."""
    roles = [role for role, actions in PERMISSIONS.items() if action in actions]
    return select(Grant.account_id).where(Grant.role.in_(roles))


def _join(held: Sequence[tuple[Reach, Unit]], officer_id: str | None) -> Scope:
    return Scope(
        everything=any(reach is Reach.ALL for reach, _ in held),
        subtrees=tuple(sorted({unit.path for reach, unit in held if reach is Reach.SUBTREE})),
        units=tuple(sorted({unit.id for reach, unit in held if reach is Reach.UNIT})),
        officer_id=officer_id if any(reach is Reach.OWN for reach, _ in held) else None,
        forces=tuple(sorted({unit.force for _, unit in held})),
    )

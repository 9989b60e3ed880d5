"""The names of accounts and units that a page speaks of, looked up together."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.people.models import Account, Unit


def account_names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the display names of accounts by id."""
    wanted = {one for one in ids if one}
    query = select(Account.id, Account.display_name).where(Account.id.in_(wanted))
    return dict(session.execute(query).all()) if wanted else {}


def unit_names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of units by id."""
    wanted = {one for one in ids if one}
    query = select(Unit.id, Unit.name).where(Unit.id.in_(wanted))
    return dict(session.execute(query).all()) if wanted else {}

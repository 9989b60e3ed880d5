"""Whether two accounts are one person, as far as that can be known."""

from sqlalchemy.orm import Session

from bodycam.db import fold
from bodycam.people.models import Account


def same_person(session: Session, one: str, other: str) -> bool:
    """Tell whether two accounts are, or may well be, one person's.

    The same account; two accounts of one officer; or, where not both say which officer they are, the same name: two people who
    bear one name are told apart by tying their accounts to their officers.
    """
    if one == other:
        return True
    first, second = session.get(Account, one), session.get(Account, other)
    if first is None or second is None:
        return False
    if first.officer_id is not None and second.officer_id is not None:
        return first.officer_id == second.officer_id
    return " ".join(fold(first.display_name).split()) == " ".join(fold(second.display_name).split())

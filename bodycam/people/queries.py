"""What pages ask of people: officers in a scope with what they have been given for the kiosk, in one query."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.db import fold
from bodycam.people.models import Officer, OfficerPass, Unit
from bodycam.people.scope import Scope


def list_officers(
    session: Session, scope: Scope, *, words: str = "", after: str | None = None, limit: int = 50
) -> list[tuple[Officer, Unit, OfficerPass | None]]:
    """Return the active officers of a scope by id, the page after an id; `words` are looked for in name and number."""
    query = (
        select(Officer, Unit, OfficerPass)
        .join(Unit, Unit.id == Officer.unit_id)
        .outerjoin(OfficerPass, OfficerPass.officer_id == Officer.id)
        .where(Officer.active, scope.condition(Officer.unit_id, Officer.id))
    )
    for word in fold(words[:100]).split()[:5]:
        query = query.where(Officer.folded.contains(word, autoescape=True))
    query = query.where(Officer.id > after) if after else query
    return [(officer, unit, held) for officer, unit, held in session.execute(query.order_by(Officer.id).limit(limit))]

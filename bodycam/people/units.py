"""Units: the tree, made and searched; and officers in it.

A unit's path is fixed when it is made. Names are compared folded, so that "Đội 3" typed as "doi 3" is the same unit below
the same parent.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.db import fold, new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.people.errors import NameTakenError
from bodycam.people.models import Force, Officer, Unit
from bodycam.people.numbers import compact_number
from bodycam.people.scope import Scope

MAX_NAME = 200


def create_unit(
    session: Session,
    *,
    name: str,
    force: str,
    parent_id: str | None = None,
    code: str | None = None,
    actor: str | None = None,
) -> Unit:
    """Add a unit below a parent (or a root); raises when the code or the name below that parent is taken."""
    name = _name(name, "name")
    parent = get_unit(session, parent_id) if parent_id else None
    if code and session.scalar(select(Unit.id).where(Unit.code == code)):
        raise NameTakenError(what_vi="Mã đơn vị", what_en="Unit code", name=code)
    if child_unit(session, parent_id, name):
        raise NameTakenError(what_vi="Đơn vị", what_en="Unit", name=name)
    unit_id = new_id()
    unit = Unit(
        id=unit_id,
        parent_id=parent_id,
        code=code,
        name=name,
        folded=fold(name),
        force=Force(force).value,
        path=f"{parent.path if parent else '/'}{unit_id}/",
    )
    session.add(unit)
    session.flush()
    custody.record(session, "unit.created", object_id=unit.id, actor=actor, details={"parent": parent_id})
    return unit


def get_unit(session: Session, unit_id: str) -> Unit:
    """Return a unit or raise `NotFoundError`."""
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise NotFoundError(what="unit")
    return unit


def list_units(session: Session, scope: Scope, *, limit: int = 500) -> list[Unit]:
    """Return the units of a scope in the order of the tree, a parent before its children."""
    return list(session.scalars(select(Unit).where(scope.condition(Unit.id)).order_by(Unit.path).limit(limit)))


def child_unit(session: Session, parent_id: str | None, name: str) -> Unit | None:
    """Return the unit of this name (folded) below a parent, or among the roots."""
    query = select(Unit).where(Unit.parent_id.is_(parent_id) if parent_id is None else Unit.parent_id == parent_id)
    return session.scalar(query.where(Unit.folded == fold(nfc(name).strip())).order_by(Unit.id).limit(1))


def split_unit_path(text: str) -> list[str]:
    """Return the names in "Phòng CSGT/Đội 3"; raises `InvalidInputError` when one is empty."""
    names = [nfc(part).strip() for part in text.split("/")]
    if not all(names):
        raise InvalidInputError(
            field="unit",
            reason=f"“{text}” has an empty name between two “/”",
            reason_vi=f"“{text}” có tên trống giữa hai dấu “/”",
        )
    return names


def unit_by_names(session: Session, names: Sequence[str]) -> Unit | None:
    """Return the unit a path of names leads to, from a root down; None when a step is missing."""
    unit: Unit | None = None
    for name in names:
        unit = child_unit(session, unit.id if unit else None, name)
        if unit is None:
            return None
    return unit


def ensure_unit(session: Session, names: Sequence[str], *, force: str, actor: str | None = None) -> tuple[Unit, int]:
    """Return the unit a path of names leads to, making what is missing, and how many were made."""
    unit: Unit | None = None
    made = 0
    for name in names:
        parent_id = unit.id if unit else None
        found = child_unit(session, parent_id, name)
        if found is None:
            found = create_unit(session, name=name, force=force, parent_id=parent_id, actor=actor)
            made += 1
        unit = found
    if unit is None:
        raise InvalidInputError(field="unit", reason="a unit is needed", reason_vi="cần có đơn vị")
    return unit, made


def create_officer(
    session: Session,
    *,
    unit_id: str,
    number: str,
    name: str,
    force: str,
    team: str | None = None,
    actor: str | None = None,
) -> Officer:
    """Add an officer; raises `NameTakenError` when the number is in use in that force."""
    if officer_by_number(session, force, number):
        raise NameTakenError(what_vi="Số hiệu", what_en="Number", name=number)
    officer = Officer(id=new_id(), unit_id=unit_id, force=Force(force).value, number=nfc(number).strip())
    describe_officer(officer, name=name, team=team)
    session.add(officer)
    session.flush()
    custody.record(session, "officer.created", object_id=officer.id, actor=actor, details={"unit": unit_id})
    return officer


def describe_officer(officer: Officer, *, name: str, team: str | None) -> None:
    """Set an officer's name and team, and what search sees of them."""
    officer.name = _name(name, "name")
    officer.team = nfc(team).strip() or None if team else None
    officer.folded = fold(f"{officer.name} {officer.number} {compact_number(officer.number)}")


def officer_by_number(session: Session, force: str, number: str) -> Officer | None:
    """Return the officer of a force with this number, however its dashes are written."""
    exact = session.scalar(select(Officer).where(Officer.force == force, Officer.number == nfc(number).strip()))
    if exact is not None:
        return exact
    wanted = compact_number(number)
    near = select(Officer).where(Officer.force == force, Officer.folded.endswith(f" {fold(wanted)}", autoescape=True))
    return session.scalar(near.order_by(Officer.id).limit(1))


def _name(text: str, field: str) -> str:
    name = " ".join(nfc(text).split())
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(
            field=field, reason=f"needs 1 to {MAX_NAME} characters", reason_vi=f"cần 1 đến {MAX_NAME} ký tự"
        )
    return name

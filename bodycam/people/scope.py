"""A scope: which units' and which officer's things somebody may reach.

It lies below the catalogue, so that every listing query takes one; `bodycam.access` alone makes them from grants. An empty
scope matches nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from bodycam.people.models import Unit


@dataclass(frozen=True)
class Scope:
    """What may be reached: everything, whole subtrees, single units, or one officer's own."""

    everything: bool = False
    subtrees: tuple[str, ...] = ()  # path prefixes "/id/id/"
    units: tuple[str, ...] = ()  # ids of single units, without what is below
    officer_id: str | None = None
    forces: tuple[str, ...] = ()  # forces of the units the grants stand on: for data one force alone may see

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all can be reached."""
        return not (self.everything or self.subtrees or self.units or self.officer_id)

    def allows(self, *, unit_id: str | None, unit_path: str | None, officer_ids: Sequence[str | None] = ()) -> bool:
        """Whether a thing of this unit and these officers is inside; a thing of no unit is only in `everything`."""
        if self.everything:
            return True
        if unit_path is not None and any(unit_path.startswith(prefix) for prefix in self.subtrees):
            return True
        if unit_id is not None and unit_id in self.units:
            return True
        return self.officer_id is not None and self.officer_id in officer_ids

    def condition(
        self,
        unit_column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
        officer_column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None] | None = None,
    ) -> ColumnElement[bool]:
        """Return the WHERE clause of this scope over a unit id column and, where there is one, an officer id column."""
        if self.everything:
            return true()
        parts: list[ColumnElement[bool]] = []
        if self.subtrees:
            below = or_(*(Unit.path.startswith(prefix, autoescape=True) for prefix in self.subtrees))
            parts.append(unit_column.in_(select(Unit.id).where(below)))
        if self.units:
            parts.append(unit_column.in_(self.units))
        if self.officer_id is not None and officer_column is not None:
            parts.append(officer_column == self.officer_id)
        return or_(*parts) if parts else false()


EVERYTHING = Scope(everything=True)
NOTHING = Scope()

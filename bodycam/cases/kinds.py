"""Kinds of cases, as data: `config/cases/*.toml`.

A file names the kind's identifiers, fields and deadlines, with Vietnamese and English labels and the legal source of each
deadline as text. A mistake in a file stops the loading and names file, key and reason. Working days are Monday to Friday:
public holidays aren't known, so a deadline is shown early rather than late.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bodycam.cases.errors import CaseKindError
from bodycam.cases.identifiers import IdentifierType
from bodycam.clock import VIETNAM, local
from bodycam.errors import NotFoundError
from bodycam.people.models import Force
from bodycam.settings import config_dir

KEY = r"^[a-z][a-z0-9_]{0,39}$"
_SATURDAY = 5


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Labelled(_Part):
    vi: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def label(self, language: str) -> str:
        """Return the label in "vi" or "en"."""
        return self.vi if language == "vi" else self.en


class KindIdentifier(_Labelled):
    """An identifier a case of this kind may have, any number of times."""

    key: str = Field(pattern=KEY)
    type: IdentifierType
    required: bool = False


class Choice(_Labelled):
    """One value of a choice field."""

    key: str = Field(min_length=1)


class FieldType(StrEnum):
    """How a field is typed and checked."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes_no"


class KindField(_Labelled):
    """A field of a case of this kind."""

    key: str = Field(pattern=KEY)
    type: FieldType
    required: bool = False
    choices: tuple[Choice, ...] = ()


class KindDeadline(_Labelled):
    """A time limit counted from the case's start or end, or from a date field; only when a yes/no field says so."""

    key: str = Field(pattern=KEY)
    anchor: str = Field(alias="from")
    amount: int = Field(ge=1)
    unit: Literal["hours", "days", "working_days", "years"]
    when: str | None = None
    source: str = Field(min_length=1)


class CaseKind(_Labelled):
    """A kind of case."""

    key: str = Field(pattern=KEY)
    forces: tuple[Force, ...] = Field(min_length=1)
    own_force_only: bool = False  # seen only through a grant on a unit of the same force
    number_vi: str
    number_en: str
    margin_min: int = Field(ge=0, le=24 * 60)
    radius_m: float = Field(gt=0, le=50_000)
    identifiers: tuple[KindIdentifier, ...] = ()
    fields: tuple[KindField, ...] = ()
    deadlines: tuple[KindDeadline, ...] = ()

    @property
    def margin(self) -> timedelta:
        """How long before or after the case a recording may still belong to it."""
        return timedelta(minutes=self.margin_min)

    def identifier_keys(self, kind: IdentifierType) -> frozenset[str]:
        """Return the keys whose identifiers are of a type."""
        return frozenset(entry.key for entry in self.identifiers if entry.type is kind)


class Deadline(_Labelled):
    """A deadline of one case: until when (UTC, aware), and where the rule stands."""

    key: str
    due_at: datetime
    source: str


@cache
def kinds() -> Mapping[str, CaseKind]:
    """Return the shipped kinds by key; raises `CaseKindError`."""
    return load_kinds(config_dir() / "cases")


def kind_of(key: str) -> CaseKind:
    """Return a kind or raise `NotFoundError`."""
    kind = kinds().get(key)
    if kind is None:
        raise NotFoundError(what=f"case kind {key}")
    return kind


def load_kinds(folder: Path) -> dict[str, CaseKind]:
    """Read every *.toml of a folder, by file name; raises `CaseKindError` naming file, key and reason."""
    loaded: dict[str, CaseKind] = {}
    for path in sorted(folder.glob("*.toml")):
        kind = _load(path)
        if kind.key in loaded:
            raise CaseKindError(file=path.name, key="key", reason=f"“{kind.key}” is the key of another file too")
        loaded[kind.key] = kind
    return loaded


def _load(path: Path) -> CaseKind:
    try:
        kind = CaseKind.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CaseKindError(file=path.name, key="-", reason=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CaseKindError(file=path.name, key=".".join(map(str, first["loc"])) or "-", reason=first["msg"]) from error
    for key, reason in _contradictions(kind):
        raise CaseKindError(file=path.name, key=key, reason=reason)
    return kind


def _contradictions(kind: CaseKind) -> list[tuple[str, str]]:
    keys = [entry.key for entry in kind.identifiers] + [field.key for field in kind.fields]
    types = {field.key: field.type for field in kind.fields}
    wrong = [("number", "is the name of the case's own number")] if "number" in keys else []
    wrong += [(key, "is used twice") for key in sorted({key for key in keys if keys.count(key) > 1})]
    wrong += [
        (field.key, "a choice needs choices, and only a choice has them")
        for field in kind.fields
        if (field.type is FieldType.CHOICE) != bool(field.choices)
    ]
    for deadline in kind.deadlines:
        if deadline.anchor not in {"starts_at", "ends_at"} and types.get(deadline.anchor) is not FieldType.DATE:
            wrong.append((f"{deadline.key}.from", "must be starts_at, ends_at or the key of a date field"))
        if deadline.when is not None and types.get(deadline.when) is not FieldType.YES_NO:
            wrong.append((f"{deadline.key}.when", "must be the key of a yes_no field"))
    return wrong


def deadlines_of(
    kind: CaseKind, *, starts_at: datetime, ends_at: datetime, fields: Mapping[str, str]
) -> list[Deadline]:
    """Return the deadlines of a case, soonest first; those whose date or condition isn't there are left out."""
    anchors: dict[str, datetime] = {"starts_at": starts_at, "ends_at": ends_at}
    for field in kind.fields:
        if field.type is FieldType.DATE and fields.get(field.key):
            anchors[field.key] = datetime.combine(date.fromisoformat(fields[field.key]), datetime.min.time(), VIETNAM)
    found = [
        Deadline(
            key=rule.key,
            vi=rule.vi,
            en=rule.en,
            due_at=_due(anchors[rule.anchor], rule.amount, rule.unit),
            source=rule.source,
        )
        for rule in kind.deadlines
        if rule.anchor in anchors and (rule.when is None or fields.get(rule.when) == "yes")
    ]
    return sorted(found, key=lambda deadline: deadline.due_at)


def _due(start: datetime, amount: int, unit: str) -> datetime:
    """Return the end of a time limit; but for hours, the end of its last day in Vietnam."""
    if unit == "hours":
        return start + timedelta(hours=amount)
    day = local(start).date()
    if unit == "years":
        leap = (day.month, day.day) == (2, 29)
        day = date(day.year + amount, day.month, 28 if leap else day.day)
    elif unit == "days":
        day += timedelta(days=amount)
    else:
        for _ in range(amount):
            day += timedelta(days=1)
            while day.weekday() >= _SATURDAY:
                day += timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), VIETNAM)

"""The schedule as data: rules per category and kind of case, each with its source and how sure that is.

A mistake is refused with file, key and reason. A schedule is complete: each category and each kind of case has its rule, so no
recording is ever without a term. The amounts are the site's to change, by two people (`changes`).
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bodycam.cases.kinds import KEY, kinds
from bodycam.clock import VIETNAM, local
from bodycam.custody.canonical import canonical
from bodycam.retention.errors import ScheduleError
from bodycam.settings import config_dir

FILE = "retention.toml"
_LONGEST_YEARS = 70  # Law on Archives 33/2024 art. 15: 2 to 70 years


class Category(StrEnum):
    """Why a recording is kept; it may have several."""

    OFFICIAL = "official"
    FLAGGED = "flagged"
    MINUTE = "minute"
    CITIZEN = "citizen"
    PAPER = "paper"
    CASE = "case"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Rule(_Part):
    """One term: how long, for what, where it comes from and how sure that is."""

    key: str = Field(pattern=KEY)
    category: Category
    case_kind: str | None = None
    amount: int = Field(ge=1, le=365 * _LONGEST_YEARS)
    unit: Literal["days", "years"]
    vi: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=500)
    sure: Literal["text", "press", "memory", "own"]

    def due(self, since: datetime) -> datetime:
        """Return when a term that began at `since` is over: the end of its last day in Vietnam.

        For a case it is counted from the end of the year in which the case was closed (Law on Archives 33/2024 art. 15).
        """
        day = local(since).date()
        if self.category is Category.CASE:
            day = date(day.year, 12, 31)
        if self.unit == "days":
            day += timedelta(days=self.amount)
        else:
            leap = (day.month, day.day) == (2, 29)
            day = date(day.year + self.amount, day.month, 28 if leap else day.day)
        return datetime.combine(day + timedelta(days=1), datetime.min.time(), VIETNAM)


class Complaint(_Part):
    """How long a hold that a citizen's report causes lasts after it is closed; how far back it reaches without a date."""

    answered_days: int = Field(ge=30, le=3650)
    declined_days: int = Field(ge=30, le=3650)
    unknown_days: int = Field(ge=1, le=365)
    source: str = Field(min_length=1, max_length=500)
    sure: Literal["text", "press", "memory", "own"]


class Schedule(_Part):
    """A whole schedule."""

    rule: tuple[Rule, ...] = Field(min_length=1)
    complaint: Complaint

    def rules_for(self, category: Category, case_kind: str | None = None) -> list[Rule]:
        """Return the rules of a category, of a case those of its kind."""
        return [rule for rule in self.rule if rule.category is category and rule.case_kind == case_kind]

    def body(self) -> str:
        """Return the schedule in its one form: canonical JSON."""
        return canonical(self.model_dump(mode="json"))

    def sha256(self) -> str:
        """Return the SHA-256 (hex) of that form."""
        return hashlib.sha256(self.body().encode()).hexdigest()


def shipped(path: Path | None = None) -> Schedule:
    """Return the schedule of the configuration; raises `ScheduleError` naming file, key and reason."""
    path = path or config_dir() / FILE
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScheduleError(file=path.name, key="-", reason=str(error)) from error
    return check(tree, path.name)


def parse(body: str) -> Schedule:
    """Read a stored schedule."""
    return check(json.loads(body), "the stored schedule")


def check(tree: Mapping[str, Any], file: str) -> Schedule:
    """Return the schedule that a tree of values is; raises `ScheduleError`."""
    try:
        schedule = Schedule.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise ScheduleError(file=file, key=_key(tree, first["loc"]), reason=first["msg"]) from error
    for key, reason in _contradictions(schedule):
        raise ScheduleError(file=file, key=key, reason=reason)
    return schedule


def _key(tree: Mapping[str, Any], loc: tuple[int | str, ...]) -> str:
    """Name a rule by its own key where it has one: "rule.official.amount" instead of "rule.0.amount"."""
    parts = [str(part) for part in loc]
    rules = tree.get("rule")
    if len(loc) > 1 and isinstance(loc[1], int) and isinstance(rules, list) and loc[1] < len(rules):
        named = rules[loc[1]]
        parts[1] = str(named.get("key", loc[1])) if isinstance(named, dict) else parts[1]
    return ".".join(parts) or "-"


def _contradictions(schedule: Schedule) -> list[tuple[str, str]]:
    known = set(kinds())
    keys = [rule.key for rule in schedule.rule]
    wrong = [(key, "is used twice") for key in sorted({key for key in keys if keys.count(key) > 1})]
    for rule in schedule.rule:
        if (rule.category is Category.CASE) != (rule.case_kind is not None):
            wrong.append((f"rule.{rule.key}.case_kind", "a rule for cases names their kind, and only such a rule does"))
        elif rule.case_kind is not None and rule.case_kind not in known:
            wrong.append((f"rule.{rule.key}.case_kind", f"there is no kind of case “{rule.case_kind}”"))
        if rule.unit == "years" and rule.amount > _LONGEST_YEARS:
            wrong.append((f"rule.{rule.key}.amount", f"at most {_LONGEST_YEARS} years"))
    single = [category for category in Category if category is not Category.CASE]
    lacking = [category for category in single if not schedule.rules_for(category)]
    wrong += [("rule", f"no rule for the category “{category.value}”") for category in lacking]
    missing = sorted(kind for kind in known if not schedule.rules_for(Category.CASE, kind))
    return [*wrong, *(("rule", f"no rule for the kind of case “{kind}”") for kind in missing)]

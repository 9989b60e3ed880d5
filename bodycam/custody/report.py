"""What an audit found: its figures, what didn't fit, and the verdict."""

from dataclasses import dataclass, field
from enum import StrEnum

_MAX_PROBLEMS = 500


class Verdict(StrEnum):
    """What an audit ends with; as exit codes 0, 4 and 5, those of the package verifier."""

    VALID = "valid"
    INCOMPLETE = "incomplete"
    TAMPERED = "tampered"

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return {Verdict.VALID: 0, Verdict.INCOMPLETE: 4, Verdict.TAMPERED: 5}[self]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that doesn't fit; `missing` when something is gone rather than altered."""

    code: str
    where: str
    vi: str
    en: str
    missing: bool = False


@dataclass(slots=True)
class Report:
    """What was recomputed, and what didn't fit (the first 500)."""

    size: int = 0
    root: str = ""
    events: int = 0
    receipts: int = 0
    pending: int = 0
    unmarked: int = 0
    newest_at: str = ""  # the time in the newest entry, as the log writes it
    problems: list[Problem] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """The worst of the problems."""
        if any(not problem.missing for problem in self.problems):
            return Verdict.TAMPERED
        return Verdict.INCOMPLETE if self.problems else Verdict.VALID

    def add(self, code: str, where: object, vi: str, en: str, *, missing: bool = False) -> None:
        """Note a problem."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(Problem(code, str(where), vi, en, missing))

"""One finding of `bodycam doctor`."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Symptom:
    """One finding: level "ok", "note" or "bad", what was seen, and what to do, in both languages."""

    check: str
    level: str
    vi: str
    en: str
    todo_vi: str = ""
    todo_en: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the fields as JSON values."""
        return asdict(self)

"""Rights, duties and reading aids as dated data: `config/legal.toml`.

The law changes while the program runs, so no sentence about it stands in code: each has the days between which it holds, the
rule it comes from, and its Vietnamese and English text. A sentence outside its days is not shown.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from bodycam.settings import config_dir

FILE = "legal.toml"


@dataclass(frozen=True)
class LegalText:
    """One sentence; `place` says where it is shown (limits, rights, duties, anonymity)."""

    place: str
    vi: str
    en: str
    source: str
    valid_from: date
    valid_to: date | None = None


def texts(place: str, day: date, path: Path | None = None) -> list[LegalText]:
    """Return the sentences of a place that hold on a day, in the file's order."""
    held = _load(path or config_dir() / FILE)
    return [t for t in held if t.place == place and t.valid_from <= day and (t.valid_to is None or day <= t.valid_to)]


@lru_cache(maxsize=4)
def _load(path: Path) -> tuple[LegalText, ...]:
    with path.open("rb") as file:
        return tuple(LegalText(**entry) for entry in tomllib.load(file)["text"])

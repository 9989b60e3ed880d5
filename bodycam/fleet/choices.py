"""What an officer chooses from at a kiosk, as data: `config/kiosk.toml`.

A choice has a key, which goes into the log, and words in two languages. A file that is no such list is refused by name.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bodycam.errors import BodycamError
from bodycam.settings import config_dir

FILE = "kiosk.toml"
OTHER = "other"


class BadChoicesError(BodycamError):
    """The list of choices is malformed."""

    code = "bad_choices"
    vi = "Tệp {file} sai ở {key}: cần key, vi, en, và mỗi key chỉ một lần."
    en = "{file} is wrong at {key}: key, vi and en are needed, each key once."
    exit_code = 2


@dataclass(frozen=True)
class Choice:
    """One line to choose."""

    key: str
    vi: str
    en: str


def choices(name: str, path: Path | None = None) -> dict[str, Choice]:
    """Return the choices of a list ("symptom", "pull_reason") by key, in the file's order."""
    return _load(path or config_dir() / FILE, name)


def words_of(name: str, key: str, language: str) -> str:
    """Return a choice's words; of a key that is no longer in the file, the key."""
    found = choices(name).get(key)
    return key if found is None else found.vi if language == "vi" else found.en


@lru_cache(maxsize=8)
def _load(path: Path, name: str) -> dict[str, Choice]:
    try:
        entries = tomllib.loads(path.read_text("utf-8"))[name]
        found = {entry["key"]: Choice(**entry) for entry in entries}
    except (KeyError, TypeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadChoicesError(file=path.name, key=name) from error
    if len(found) != len(entries) or not all(choice.vi and choice.en for choice in found.values()):
        raise BadChoicesError(file=path.name, key=name)
    return found

"""What came of one camera's visit: what was sealed, what was known, and what is wrong."""

from dataclasses import dataclass, field

from bodycam.errors import BodycamError
from dock_service.errors import VisitNoteError
from dock_service.visit import Visit


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file (or the camera, with an empty path); `kept` when its bytes are sealed all the same."""

    path: str
    error: BodycamError
    kept: bool = False

    def as_json(self, language: str = "en") -> dict[str, str]:
        """Return the three things a program needs."""
        return {"path": self.path, "code": self.error.code, "message": self.error.text(language)}

    def as_kept(self) -> dict[str, str]:
        """Return what the visit's row keeps, for people of both languages."""
        return {**self.as_json(), "vi": self.error.text("vi")}

    @property
    def is_note(self) -> bool:
        """Tell whether it needs nobody at the dock: an empty file is what it is, a file overwritten stays so."""
        return isinstance(self.error, VisitNoteError)


@dataclass(frozen=True)
class Copied:
    """One recording sealed in this visit; `duplicate` when its bytes had been sealed before under another time."""

    id: str
    path: str
    size: int
    sha256: str
    duplicate: bool

    def as_json(self) -> dict[str, str | int]:
        """Return what `bodycam offload --json` prints."""
        state = "duplicate" if self.duplicate else "sealed"
        return {"id": self.id, "path": self.path, "size": self.size, "sha256": self.sha256, "state": state}


@dataclass
class Outcome:
    """What came of it."""

    visit: Visit
    recordings: list[Copied] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    receipts: int = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether everything on the camera is sealed with its receipt and nothing needs a person."""
        return all(problem.is_note for problem in self.problems)

    @property
    def size(self) -> int:
        """Return the bytes sealed in this visit."""
        return sum(copied.size for copied in self.recordings)

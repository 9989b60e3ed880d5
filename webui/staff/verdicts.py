"""The words, colours and signs of a verdict, in one place; what wasn't or can't be checked is hatched, never green."""

from dataclasses import dataclass

from bodycam.recordings.models import Verdict
from bodycam.verification.finding import VERDICT_NAMES
from webui.common.locale import t


@dataclass(frozen=True)
class Look:
    """How a verdict is shown: a class of the style sheet and a sign; its words are the checks' own."""

    verdict: Verdict
    css: str
    sign: str

    @property
    def text(self) -> str:
        """The word in the reader's language."""
        return t(*VERDICT_NAMES[self.verdict])


LOOKS = {
    look.verdict: look
    for look in (
        Look(Verdict.MATCH, "ok", "✓"),
        Look(Verdict.NOTE, "warn", "•"),
        Look(Verdict.LOOK_CLOSER, "warn", "?"),
        Look(Verdict.CONTRADICTION, "bad", "✕"),
        Look(Verdict.NOT_CHECKED, "hatched", ""),
        Look(Verdict.NOT_APPLICABLE, "hatched", ""),
    )
}


def look(verdict: str) -> Look:
    """Return how a verdict is shown."""
    return LOOKS[Verdict(verdict)]

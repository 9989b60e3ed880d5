"""How a minute's number is put together from the digits an officer types and the rest, which hardly ever changes."""

import re
from dataclasses import dataclass

from bodycam.cases.identifiers import MAX_TEXT
from bodycam.db import nfc

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Spelling:
    """A number taken apart at its first digits: "BB 0231/BB-VPHC" is "BB ", "0231", "/BB-VPHC"."""

    prefix: str
    digits: str
    suffix: str

    def whole(self, digits: str) -> str:
        """Return the number with other digits in it."""
        return f"{self.prefix}{digits}{self.suffix}"

    @property
    def following(self) -> str:
        """The next number, with as many digits as this one has; "" when there are none."""
        return self.whole(str(int(self.digits) + 1).zfill(len(self.digits))) if self.digits else ""


def spelling_of(number: str) -> Spelling:
    """Return a number taken apart; one without digits is all suffix."""
    text = nfc(number).strip()[:MAX_TEXT]
    found = _DIGITS.search(text)
    if found is None:
        return Spelling("", "", text)
    return Spelling(text[: found.start()], found[0], text[found.end() :])

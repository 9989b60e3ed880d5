"""What names say that doesn't agree with the books: another camera, another officer. Notes for a person, never an accusation.

A number in a name is what somebody once typed into a camera; it is compared by its letters and digits alone, and a placeholder
such as 000000 says nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from dock_service.profiles.said import FileName

_FACTORY = {"123456", "1234567", "12345678"}  # as makers set them
_SHORTEST = 3  # characters a number must share at its end


@dataclass(frozen=True)
class Disagreement:
    """Several files that name something else than the books: what they name, what the books say, and the files' paths."""

    named: str
    booked: str
    paths: tuple[str, ...]


def other_cameras(
    names: Iterable[FileName], known_as: Iterable[str], before: Iterable[FileName] = ()
) -> list[Disagreement]:
    """Return the cameras that names say and that are not this one; `known_as` are its serial and its label, serial first.

    Many models put a number into names that has nothing to do with their serial: what its earlier files (`before`) said is its own
    too, and where there are none and nothing agrees, what most of the names say.
    """
    names = list(names)
    ours = [text for text in known_as if text]
    earlier = sorted({name.camera for name in before if name.camera})
    ours += earlier
    said = Counter(name.camera for name in names if name.camera)
    if said and not earlier and not any(is_same(camera, other) for camera in said for other in ours):
        ours.append(said.most_common(1)[0][0])
    return _grouped((name.path, name.camera, ours) for name in names)


def other_officers(names: Iterable[tuple[FileName, str | None]]) -> list[Disagreement]:
    """Return the officers' numbers that names say, each given with the number of whoever held the camera then.

    A file made while nobody held the camera, by the books, is left out: that is told elsewhere.
    """
    return _grouped((name.path, name.officer, [held]) for name, held in names if held)


def is_same(named: str, booked: str) -> bool:
    """Tell whether two numbers may mean one thing: "0412" and "BWC-0412", "184221" and "184-221"."""
    short, long = sorted((_plain(named), _plain(booked)), key=len)
    if len(short) < _SHORTEST:
        return short.lstrip("0") == long.lstrip("0")
    return long.endswith(short) or short.lstrip("0") == long.lstrip("0")


def says_something(named: str) -> bool:
    """Tell a number from a placeholder: zeros, crosses, a maker's own setting."""
    plain = _plain(named)
    return bool(plain.strip("0X")) and plain not in _FACTORY


def _grouped(said: Iterable[tuple[str, str | None, list[str]]]) -> list[Disagreement]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, named, booked in said:
        if named and booked and says_something(named) and not any(is_same(named, other) for other in booked):
            found[named, booked[0]].append(path)
    return [Disagreement(named, booked, tuple(paths)) for (named, booked), paths in sorted(found.items())]


def _plain(text: str) -> str:
    return "".join(letter for letter in text.upper() if letter.isalnum())

"""Numbers that are missing in a camera's runs of files, and times without a file: notes for a person, never an accusation.

A run is what a camera numbers on: one folder, one width of number. Files sealed at earlier dockings fill it as well as those on the
card now. A number missing before everything a looping camera still holds was overwritten by it; one missing between two files
it holds was deleted, lost, or never written: which of these, no name can say.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bodycam.clock import local
from dock_service.profiles.said import FileName

SHORTEST_SILENCE_S = 60.0
LONGEST_SILENCE_S = 4 * 3600.0  # longer is a pause between shifts
_WRAP_SHARE = 0.1  # of all numbers: so near to the end and the beginning, a smaller number is the next round


class GapKind(StrEnum):
    """What is missing, as far as names tell."""

    MISSING = "missing"
    OVERWRITTEN = "overwritten"
    CHAPTERS = "chapters"
    SILENCE = "silence"


@dataclass(frozen=True)
class Gap:
    """What is missing between two files; `first` to `last` are numbers (or chapters), None for a silence.

    `since` and `until` are UTC: the starts of the files around it, for a silence its own bounds; None where names say no time.
    """

    kind: GapKind
    after: FileName
    before: FileName
    first: int | None = None
    last: int | None = None
    count: int = 0
    since: datetime | None = None
    until: datetime | None = None

    @property
    def minutes(self) -> int:
        """Return how long it lasted, in whole minutes; 0 when that isn't known."""
        known = self.since is not None and self.until is not None
        return round((self.until - self.since).total_seconds() / 60) if known and self.until and self.since else 0

    @property
    def vi(self) -> str:
        """Say it in Vietnamese."""
        return _VI[self.kind].format(**self._words())

    @property
    def en(self) -> str:
        """Say it in English."""
        return _EN[self.kind].format(**self._words())

    def as_json(self) -> dict[str, str | int | None]:
        """Return what an event or a row keeps."""
        return {
            "kind": self.kind.value,
            "after": self.after.path,
            "before": self.before.path,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }

    def _words(self) -> dict[str, object]:
        digits = 0 if self.kind is GapKind.CHAPTERS else self.before.sequence_digits
        numbers = " – ".join(
            f"{number:0{digits}d}" for number in dict.fromkeys((self.first, self.last)) if number is not None
        )
        span = f" ({_clock(self.since)} – {_clock(self.until)})" if self.since and self.until else ""
        return {
            "numbers": numbers,
            "count": self.count,
            "after": self.after.path,
            "before": self.before.path,
            "span": span,
            "minutes": self.minutes,
            "since": _clock(self.since),
            "until": _clock(self.until),
        }


_VI = {
    GapKind.MISSING: "Giữa {after} và {before}{span} thiếu {count} số: {numbers}.",
    GapKind.OVERWRITTEN: "Máy đã ghi đè {count} số trước khi lấy dữ liệu{span}: {numbers}.",
    GapKind.CHAPTERS: "Bản ghi {before} thiếu {count} đoạn: {numbers}.",
    GapKind.SILENCE: "{minutes} phút không có tệp nào, từ {since} đến {until}.",
}
_EN = {
    GapKind.MISSING: "Missing between {after} and {before}{span}: {numbers} ({count} in all).",
    GapKind.OVERWRITTEN: "Written over by the camera before they were taken in{span}: {numbers} ({count} in all).",
    GapKind.CHAPTERS: "Parts missing of the recording {before}: {numbers} ({count} in all).",
    GapKind.SILENCE: "{minutes} minutes without a file, from {since} to {until}.",
}


def gaps(names: Sequence[FileName], known: Iterable[FileName] = (), *, overwrites: bool = False) -> list[Gap]:
    """Return the numbers missing among a camera's files, in the order of their runs.

    `names` lie on the card now; `known` were seen there before and are sealed. Where names say no start, give the file's own time
    with `dataclasses.replace`: it orders the run. `overwrites`: the camera's loop takes the oldest files.
    """
    here = {name.path for name in names}
    runs: dict[tuple[str | None, str], list[FileName]] = defaultdict(list)
    elsewhere: dict[tuple[str | None, int], set[int]] = defaultdict(
        set
    )  # files marked by hand are moved, numbers and all
    for name in (*names, *(name for name in known if name.path not in here)):
        if name.sequence is not None:
            runs[name.camera, name.series].append(name)
            if name.is_event:
                elsewhere[name.camera, name.sequence_digits].add(name.sequence)
    found: list[Gap] = []
    for (camera, _), run in sorted(runs.items(), key=lambda item: (item[0][0] or "", item[0][1])):
        moved = elsewhere[camera, run[0].sequence_digits]
        found += [*_missing(_in_order(run), here, moved, overwrites=overwrites), *_chapters(run)]
    return found


def silences(names: Sequence[FileName], segment_s: float) -> list[Gap]:
    """Return the times without a file, in order, of a camera that cuts its files after `segment_s` seconds.

    How long the last file before it lasted isn't in its name: it is taken to be full, so a silence is never said too long.
    """
    timed = sorted(((name.start, name) for name in names if name.start is not None), key=lambda item: item[0])
    found = []
    for (start, after), (until, before) in pairwise(timed):
        since = start + timedelta(seconds=segment_s)
        if SHORTEST_SILENCE_S <= (until - since).total_seconds() <= LONGEST_SILENCE_S:
            found.append(Gap(GapKind.SILENCE, after, before, since=since, until=until))
    return found


def _in_order(run: list[FileName]) -> list[FileName]:
    """Order a run by time where every name has one, else by number, from the widest hole on when the numbers began anew."""
    if all(name.start is not None for name in run):
        return sorted(run, key=lambda name: (name.start, name.sequence or 0, name.chapter or 0))
    ordered = sorted(run, key=lambda name: (name.sequence or 0, name.chapter or 0))
    top = _top(ordered[0])
    first, last = ordered[0].sequence or 0, ordered[-1].sequence or 0
    if first <= top * _WRAP_SHARE and last >= top * (1 - _WRAP_SHARE):
        holes = [
            ((after.sequence or 0) - (before.sequence or 0), n)
            for n, (before, after) in enumerate(pairwise(ordered), 1)
        ]
        widest = max(holes, default=(0, 0))[1]
        return ordered[widest:] + ordered[:widest]
    return ordered


def _missing(run: list[FileName], here: set[str], moved: set[int], *, overwrites: bool) -> Iterable[Gap]:
    """Yield the holes of an ordered run; a number that falls far is a counter set back, not a hole."""
    top = _top(run[0])
    lowest = min(name.sequence or 0 for name in run)  # some count from 0
    is_held = False  # something on the card now that the loop could have taken lies before
    for after, before in pairwise(run):
        is_held = is_held or (after.path in here and not after.is_event)
        first, next_ = (after.sequence or 0) + 1, before.sequence or 0
        wrapped = next_ < first - 1 and first - 1 >= top * (1 - _WRAP_SHARE) and next_ <= top * _WRAP_SHARE
        absent = (range(first, top + 1), range(min(lowest, 1), next_)) if wrapped else (range(first, next_),)
        if found := _without(absent, moved):
            kind = GapKind.OVERWRITTEN if overwrites and not is_held else GapKind.MISSING
            yield Gap(kind, after, before, *found, after.start, before.start)


def _without(absent: Sequence[range], moved: set[int]) -> tuple[int, int, int] | None:
    """Return the first and last absent number that did not move, and how many there are; a hole may be a billion wide."""
    count = sum(len(span) for span in absent) - sum(number in span for span in absent for number in moved)
    if not count:
        return None
    first = next(number for span in absent for number in span if number not in moved)
    last = next(number for span in reversed(absent) for number in reversed(span) if number not in moved)
    return first, last, count


def _chapters(run: list[FileName]) -> Iterable[Gap]:
    parts: dict[int, dict[int, FileName]] = defaultdict(dict)
    for name in run:
        parts[name.sequence or 0][name.chapter or 0] = name
    for numbered in parts.values():
        have = sorted({0, *numbered})  # parts count from 1; the first may have none
        for last, number in pairwise(have):
            if number > last + 1:
                first, before = last + 1, numbered[number]
                after = numbered.get(last, before)
                yield Gap(GapKind.CHAPTERS, after, before, first, number - 1, number - first, after.start, before.start)


def _top(name: FileName) -> int:
    return int(10 ** min(name.sequence_digits, 9)) - 1


def _clock(moment: datetime | None) -> str:
    return f"{local(moment):%H:%M %d/%m}" if moment else ""

"""What disciplines the dock's own clock: chrony, systemd-timesyncd, or nobody knows.

A camera's clock is measured against the dock's; without a reference the dock's says nothing, so the offset is kept but never
judged, and no camera is set by it. Asked at most once a minute, and never for longer than two seconds.
"""

import re
import subprocess
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bodycam import clock

STEP_S = 2.0
GREEN_S, AMBER_S = 2.0, 10.0  # DOMAIN, part D: the dock's rule
_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_STALE_S = (
    3 * 2048.0
)  # timesyncd touches the file at each answer, at most 2048 s apart (timesyncd.conf, PollIntervalMaxSec)
_KEPT_S = 60.0
_ANSWER_S = 1.0
_CHRONY_FIELDS = 14  # chronyc(1), tracking, with -c
_STRATA = range(1, 16)  # 0: unspecified, 16: unsynchronized (RFC 5905, 7.3)
_LOCAL_REFERENCE = "7F7F01"  # chrony's "local" directive: its own clock, no reference
_WORST_OFFSET_S = 1.0
_LEAP_UNKNOWN = 3


class Grade(StrEnum):
    """How far a camera's clock is off, as a colour on a page."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ClockReference:
    """Who disciplines the dock's clock ("chrony", "timesyncd", "unknown"); offset: how far the dock is off by its own account."""

    source: str
    stratum: int | None = None
    offset_s: float | None = None
    why: str = ""

    @property
    def is_trusted(self) -> bool:
        """Tell whether a camera may be judged, and set, by the dock's clock."""
        return self.source != "unknown"


def grade(offset_s: float | None, reference: ClockReference) -> Grade:
    """Grade a camera's offset: green up to 2 s, amber up to 10 s, red above, unknown without a reference."""
    if offset_s is None or not reference.is_trusted:
        return Grade.UNKNOWN
    size = abs(offset_s)
    return Grade.GREEN if size <= GREEN_S else Grade.AMBER if size <= AMBER_S else Grade.RED


def read_chrony(text: str) -> ClockReference:
    """Read the one line of `chronyc -c tracking`; anything else is unknown, with the reason."""
    fields = text.strip().split("\n")[0].split(",")
    if len(fields) < _CHRONY_FIELDS:
        return _unknown("chrony: no tracking line")
    try:
        stratum, offset = int(fields[2]), float(fields[4])
    except ValueError:
        return _unknown("chrony: a tracking line that can't be read")
    leap = fields[13].strip()
    if leap not in {"Normal", "Insert second", "Delete second"} or stratum not in _STRATA:
        return _unknown(f"chrony: {leap.lower() or 'no leap status'}, stratum {stratum}")
    if fields[0].upper().startswith(_LOCAL_REFERENCE):
        return _unknown("chrony: follows its own clock")
    if not abs(offset) <= _WORST_OFFSET_S:  # also what is no number
        return _unknown(f"chrony: still {fields[4]} s off")
    return ClockReference("chrony", stratum, offset)


def read_timesync(text: str, synchronized_ago_s: float | None) -> ClockReference:
    """Read `timedatectl show-timesync` (empty when it doesn't answer) and how long ago timesyncd last had an answer."""
    if synchronized_ago_s is None:
        return _unknown("timesyncd: not synchronized")
    if abs(synchronized_ago_s) > _STALE_S:
        return _unknown("timesyncd: no answer for a long time")
    message = re.search(r"^NTPMessage=\{(.*)\}", text, re.MULTILINE)
    fields = dict(re.findall(r"(\w+)=([^,\s}]+)", message.group(1))) if message else {}
    if fields.get("Leap") == str(_LEAP_UNKNOWN) or fields.get("Ignored") == "yes":
        return _unknown("timesyncd: its server is not synchronized")
    stratum = fields.get("Stratum", "")
    return ClockReference("timesyncd", int(stratum) if re.fullmatch(r"\d{1,2}", stratum) else None)


class ReferenceWatch:
    """The dock's reference, asked again once a minute; any thread may ask."""

    def __init__(self) -> None:
        """Ask at the first question."""
        self._lock = threading.Lock()
        self._known: ClockReference | None = None
        self._at = 0.0

    def now(self) -> ClockReference:
        """Return who disciplines the dock's clock now."""
        with self._lock:
            if self._known is None or clock.monotonic() - self._at > _KEPT_S:
                self._known, self._at = _ask(), clock.monotonic()
            return self._known


class ClockSteps:
    """Notices steps of the machine's own clock, by the clock that never steps."""

    def __init__(self) -> None:
        """Begin at this moment."""
        self._wall, self._steady = clock.now(), clock.monotonic()

    def look(self) -> float | None:
        """Return by how many seconds the clock was set since the last look (positive: forward); None for less than two."""
        wall, steady = clock.now(), clock.monotonic()
        step = (wall - self._wall).total_seconds() - (steady - self._steady)
        self._wall, self._steady = wall, steady
        return step if abs(step) > STEP_S else None


def _ask() -> ClockReference:
    chrony = _answer("chronyc", "-c", "tracking")
    found = read_chrony(chrony) if chrony else _unknown("chrony does not run")
    if found.is_trusted:
        return found
    ago = _synchronized_ago()
    other = read_timesync(_answer("timedatectl", "show-timesync") if ago is not None else "", ago)
    return other if other.is_trusted else _unknown(f"{found.why}; {other.why}")


def _synchronized_ago() -> float | None:
    try:
        return time.time() - _SYNCHRONIZED.stat().st_mtime
    except OSError:
        return None


def _answer(*command: str) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _unknown(why: str) -> ClockReference:
    return ClockReference("unknown", why=why)


WATCH = ReferenceWatch()

"""The only source of "now".

Every time in the system is UTC and aware. Nothing else calls `datetime.now`; tests replace this clock with `set_now`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

VIETNAM = timezone(timedelta(hours=7), "+07")  # UTC+7 all year since 1975 (tzdata); no tz database needed

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_source: Callable[[], datetime] | None = None


def now() -> datetime:
    """Return the current time, UTC, aware, with microseconds."""
    return _source() if _source is not None else datetime.now(UTC)


def set_now(source: Callable[[], datetime] | None) -> None:
    """Replace the clock (tests only); None puts the real one back."""
    global _source
    _source = source


def monotonic() -> float:
    """Return seconds that never go back while this machine is up, to measure durations."""
    return time.monotonic()


def boot_id() -> str:
    """Return the kernel's id of this boot, or "unknown": with `monotonic` it shows a stepped wall clock."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


def local(moment: datetime) -> datetime:
    """Return an aware time in Vietnam's zone (UTC+7), for people to read."""
    return moment.astimezone(VIETNAM)

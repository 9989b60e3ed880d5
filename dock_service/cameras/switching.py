"""What a camera said before it changed over to drives, kept for the device that comes back on its port."""

import threading
from dataclasses import dataclass

from bodycam import clock

_KEPT_S = 120.0  # longer than any camera takes to come back


@dataclass(frozen=True)
class Before:
    """Who the camera said it was ("" when it did not), its battery in percent, and whether its clock was set then."""

    serial: str = ""
    make: str = ""
    model: str = ""
    battery: int | None = None
    clock_set: bool = False


class Switched:
    """The ports whose camera changes over, for this process; safe for several threads."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Before]] = {}

    def remember(self, port: str, before: Before) -> None:
        """Keep what the camera at a port said."""
        with self._lock:
            self._known[port] = (clock.monotonic(), before)

    def at(self, port: str) -> Before | None:
        """Return what the camera at a port said a moment ago; a later one than that is another camera."""
        with self._lock:
            since, before = self._known.get(port, (0.0, None))
            return before if before is not None and clock.monotonic() - since < _KEPT_S else None

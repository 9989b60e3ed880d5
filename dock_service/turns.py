"""Who may read when: only so many cameras at once, each a little at a time and in turn, and only so many bytes a second.

A turn is 8 MiB, over as many files as fit in (or five seconds, for a slow camera); then the camera that has waited longest goes
on. So all cameras of a full dock come on at the same pace, and none is starved by one with a full card. What is read waits
nowhere: a camera without a turn holds no memory but its session.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

from bodycam import clock

TURN_BYTES = 8 << 20
TURN_S = 5.0
_LOOK_S = 0.1


class Turns:
    """The turns of one station's cameras; safe for many threads."""

    def __init__(self, at_once: int, bytes_per_second: int = 0) -> None:
        """Let `at_once` cameras read at the same time, together at most `bytes_per_second` (0: as fast as they can)."""
        self._free = at_once
        self._waiting: deque[Seat] = deque()
        self._changed = threading.Condition()
        self._rate = bytes_per_second
        self._due = 0.0  # when the bytes read so far would have come at the rate

    def seat(self, is_over: Callable[[], bool]) -> "Seat":
        """Return one camera's place in the round; it ends waiting once `is_over` says so."""
        return Seat(self, is_over)

    @contextmanager
    def hold(self, seat: "Seat") -> Generator[None]:
        """Wait for the seat's turn and keep it while the block runs; a turn not used up is gone on with first."""
        with self._changed:
            if seat.has_more():
                self._waiting.appendleft(seat)
            else:
                seat.begin()
                self._waiting.append(seat)
            while not (self._free > 0 and self._waiting[0] is seat) and not seat.is_over():
                self._changed.wait(_LOOK_S)
            self._waiting.remove(seat)
            self._free -= 1  # one that is over goes on for a piece: its reader then finds out why
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def pace(self, seat: "Seat", count: int) -> None:
        """Wait until so many bytes more fit into the station's rate."""
        if not self._rate:
            return
        with self._changed:
            self._due = max(self._due, clock.monotonic()) + count / self._rate
            due = self._due
        while (left := due - clock.monotonic()) > 0 and not seat.is_over():
            threading.Event().wait(min(left, _LOOK_S))


class Seat:
    """One camera among the others; used by one thread at a time."""

    def __init__(self, turns: Turns, is_over: Callable[[], bool]) -> None:
        """Use `Turns.seat`."""
        self._turns = turns
        self.is_over = is_over
        self._bytes = 0
        self._seconds = 0.0

    def begin(self) -> None:
        """Start a new turn."""
        self._bytes, self._seconds = TURN_BYTES, TURN_S

    def has_more(self) -> bool:
        """Tell whether something of the turn is left."""
        return self._bytes > 0 and self._seconds > 0

    def taken(self, pieces: Generator[bytes]) -> Generator[bytes]:
        """Yield a camera's pieces, each read in this camera's turn."""
        with closing(pieces):
            while True:
                with self._turns.hold(self):
                    while self.has_more():
                        began = clock.monotonic()
                        piece = next(pieces, None)
                        if piece is None:
                            self._seconds -= clock.monotonic() - began
                            return
                        self._turns.pace(self, len(piece))
                        self._bytes -= len(piece)
                        yield piece
                        self._seconds -= clock.monotonic() - began

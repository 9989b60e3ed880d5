"""Which slot of the dock a USB port is: the same number for the same port, for ever.

Kept as JSON in the data folder, so a restart, or a camera moved to another port, never renumbers the dock's labels.
"""

import json
from pathlib import Path

import structlog

log = structlog.get_logger()


class Slots:
    """Port -> slot number, 1 to the dock's number of slots."""

    def __init__(self, file: Path, count: int) -> None:
        """Read what is known; an unreadable file starts anew."""
        self._file = file
        self._count = count
        self._slots: dict[str, int] = {}
        if not file.exists():
            return
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
            self._slots = {str(port): int(slot) for port, slot in raw.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            log.warning("slots.unreadable", file=str(file))

    def slot_of(self, port: str) -> int | None:
        """Return the port's slot; a new port gets its own last number if free, else the lowest free one; None when full."""
        known = self._slots.get(port)
        if known is not None and known <= self._count:
            return known
        taken = set(self._slots.values())
        own = int(port.rsplit("-", 1)[-1].rsplit(".", 1)[-1])
        free: list[int] = [
            slot for slot in [own, *range(1, self._count + 1)] if 1 <= slot <= self._count and slot not in taken
        ]
        if not free:
            return None
        self._slots[port] = free[0]
        self._save()
        return free[0]

    def ports_of(self, slot: int) -> list[str]:
        """Return the ports that are this slot."""
        return [port for port, number in self._slots.items() if number == slot]

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(self._slots, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(self._file)

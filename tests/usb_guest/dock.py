"""The real dock service in the guest: station and sequencer, watched through the database as the kiosk sees it.

Whenever it is asked, the watch also looks for a green lie: a tile `done` while a file of its camera has no receipt, or isn't what
the camera holds.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.usb_guest.guest import PYTHON, Guest, GuestError

DATA = "/data/bodycam"
SPOOL = f"{DATA}/vault/spool"
_UNITS = {"sequencer": "bodycam.custody.sequencer", "dock": "dock_service.station"}
_BOARD = "SELECT body FROM station_board"
_SEALED = (
    "SELECT camera.serial, recording.name, recording.sha256, custody_receipt.event_id IS NOT NULL FROM recording"
    " JOIN camera ON camera.id = recording.camera_id"
    " LEFT JOIN custody_receipt ON custody_receipt.event_id = recording.sealed_event_id"
)


@dataclass(frozen=True)
class Seen:
    """One look at the database: tiles by slot, and (serial, path, SHA-256, has a receipt) of each recording."""

    tiles: Mapping[int, Mapping[str, object]]
    sealed: list[tuple[str, str, str, bool]]


class Dock:
    """Station and sequencer in a guest; `cards` says what each serial number's camera holds."""

    def __init__(self, guest: Guest, cards: dict[str, Mapping[str, str]]) -> None:
        """Make the installation; nothing runs before `start`."""
        self.cards = cards
        self.lies: list[str] = []
        self.looks = 0
        self._guest = guest
        self._stop = threading.Event()
        guest.check("python3", "-m", "bodycam", "db", "upgrade", timeout=600)

    def start(self, *, watched: bool = True) -> None:
        """Start both services and wait for the station's first board; watched, a thread looks for green lies from then on."""
        environment = [f"--setenv={name}={value}" for name, value in PYTHON.items()]
        for unit, module in _UNITS.items():
            self._guest.check("systemd-run", "-q", f"--unit={unit}", *environment, "python3", "-m", module)
        self.until(lambda seen: bool(seen.tiles), "the station's board", 600)
        if watched:
            threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Stop both services in order."""
        self._stop.set()
        self._guest.check("systemctl", "stop", *reversed(_UNITS))

    def pause(self) -> None:
        """Stop the services where they are, so that somebody else can have the bus."""
        self._guest.check("systemctl", "kill", "-s", "STOP", *_UNITS)

    def go_on(self) -> None:
        """Let them work again."""
        self._guest.check("systemctl", "kill", "-s", "CONT", *_UNITS)

    def ask(self, *queries: str) -> list[list[list[object]]]:
        """Ask the installation's database, all in one read transaction."""
        return self._guest.ask_database(f"{DATA}/bodycam.db", list(queries))

    def look(self) -> Seen:
        """Look at board and recordings in one transaction."""
        board, rows = self.ask(_BOARD, _SEALED)
        tiles = json.loads(str(board[0][0]))["slots"] if board else []
        sealed = [(str(serial), str(name), str(sha), bool(receipt)) for serial, name, sha, receipt in rows]
        seen = Seen({int(tile["slot"]): tile for tile in tiles}, sealed)
        self._judge(seen)
        return seen

    def until(self, holds: Callable[[Seen], bool], what: str, seconds: float = 900, *, every: float = 1) -> Seen:
        """Look until something holds; raises GuestError with the station's last words."""
        end = time.monotonic() + seconds
        while not holds(seen := self.look()):
            if time.monotonic() > end:
                words = self._guest.run("journalctl", "-q", "-u", "dock", "-n", "30", "-o", "cat").out
                raise GuestError(f"waited {seconds:.0f} s for {what}; board: {dict(seen.tiles)}\n{words}")
            time.sleep(every)
        return seen

    def until_tile(self, state: str, serial: str, seconds: float = 900, *, every: float = 1) -> Seen:
        """Wait until a tile that shows this camera has the state."""
        return self.until(lambda seen: state in states(seen, serial), f"{serial}: {state}", seconds, every=every)

    def assert_complete(self, serial: str) -> None:
        """Check that each of the camera's files is sealed exactly once, equal, and with its receipt."""
        rows = [row for row in self.look().sealed if row[0] == serial and row[1] in self.cards[serial]]
        found = Counter((path, sha) for _, path, sha, _ in rows)
        assert found == Counter(dict(self.cards[serial]).items()), f"{serial}: {found} is not what the card holds"
        assert all(receipt for *_, receipt in rows), f"{serial}: a recording without its receipt"

    def _judge(self, seen: Seen) -> None:
        self.looks += 1
        for tile in seen.tiles.values():
            serial = str(tile["camera"])
            if tile["state"] != "done" or serial not in self.cards:
                continue
            held = {(path, sha) for owner, path, sha, receipt in seen.sealed if owner == serial and receipt}
            if missing := set(dict(self.cards[serial]).items()) - held:
                self.lies.append(f"{serial} is green without {sorted(path for path, _ in missing)}")

    def _watch(self) -> None:
        while not self._stop.wait(1):
            self.look()


def states(seen: Seen, serial: str) -> list[str]:
    """Return the states of the tiles that show this camera."""
    return [str(tile["state"]) for tile in seen.tiles.values() if tile["camera"] == serial]

"""Drives one run: plugs, pulls, kills and fills by the scenario, watches the board all the while, and has the end judged.

The observer reads board, recordings and receipts in one snapshot of the database: a tile that says `done` while a file of its
camera lacks its seal, its object or its receipt is a false green, whenever it is seen.
"""

import contextlib
import json
import random
import shutil
import sqlite3
import time
from dataclasses import dataclass, field

from bodycam.db import Database
from bodycam.fleet.docking import give_command
from tests.faults.dock_runs import child
from tests.faults.dock_runs.scenario import draw

LIMIT_S = 60.0
TICK_S = 0.03
PATIENCE_S = 0.6  # how long a person looks at an error before doing something


@dataclass
class Result:
    """What came of one run."""

    seed: int
    faults: list[str]
    seconds: float
    looks: int = 0
    greens: int = 0
    kills: int = 0
    recordings: int = 0
    wrong: list[str] = field(default_factory=list)


class Run:
    """One run, from its folder to its verdict."""

    def __init__(self, seed, base, template, processes):
        """Take the seed, a folder for everything, the template and the process context."""
        self.folder = base / f"run-{seed}"
        child.copy_template(template, self.folder)
        self.scenario = draw(seed, random.Random(seed), self.folder / "bus")
        self.result = Result(seed, self.scenario.faults, 0.0)
        self._processes = processes
        self._station = None
        self._database = Database(f"sqlite:///{self.folder / 'data' / 'bodycam.db'}")
        self._reader = sqlite3.connect(
            f"file:{self.folder / 'data' / 'bodycam.db'}?mode=ro", uri=True, isolation_level=None, timeout=10
        )
        self._events = list(self.scenario.events)
        self._station_id = None
        self._was_full = False

    def go(self):
        """Run it; the folder is removed when nothing was wrong."""
        started = time.monotonic()
        try:
            self._start()
            self._drive(started)
            if not self.result.wrong:
                self._stop()
                self._judge()
        finally:
            self._end()
        self.result.seconds = time.monotonic() - started
        if not self.result.wrong:
            shutil.rmtree(self.folder)
        return self.result

    def _end(self):
        if self._station is not None and self._station.is_alive():
            self._station.kill()
            self._station.join()
        self._reader.close()
        self._database.close()

    def _start(self):
        self._station = self._processes.Process(target=child.work, args=(self.folder,), daemon=True)
        self._station.start()

    def _drive(self, started):
        while True:
            now = time.monotonic() - started
            while self._events and self._events[0][0] <= now:
                _, what, whom = self._events.pop(0)
                self._act(what, whom)
            for guest in self.scenario.guests:
                if guest.is_out and guest.camera.is_plugged():  # its own fault would have plugged it in again
                    guest.camera.unplug()
            if not self._station.is_alive() and not self._start_again():
                return
            tiles = self._look()
            if self.result.wrong:
                return
            if not self._events and self._tend(tiles, now):
                return
            if now > LIMIT_S:
                states = {
                    slot: (tile["state"], tile["error_code"])
                    for slot, tile in tiles.items()
                    if tile["state"] != "empty"
                }
                self.result.wrong.append(f"not done after {LIMIT_S:g} s: {states}")
                return
            time.sleep(TICK_S)

    def _start_again(self):
        """Do what the supervisor does; only a full disk is a reason to end by itself."""
        if not self._was_full:
            self.result.wrong.append(f"the station ended by itself ({self._station.exitcode})")
            return False
        self._start()
        return True

    def _act(self, what, whom):
        """Let something happen to the station, the disk or the clock; else hands do something to a camera."""
        if what == "kill":
            self._station.kill()
            self._station.join()
            self.result.kills += 1
            self._start()
        elif what == "full":
            (self.folder / child.FULL).touch()
            self._was_full = True
        elif what == "room":
            (self.folder / child.FULL).unlink(missing_ok=True)
        elif what == "clock":
            (self.folder / child.STEP).write_text(str(whom))
        elif what == "hub resets":
            for guest in self.scenario.guests:
                if guest.camera.is_plugged():
                    guest.camera.unplug(0.15)
        else:
            _handle(what, whom)

    def _tend(self, tiles, now):
        """Do what a person would for each camera that is not done; true when all are, and no slot is at work on one again."""
        for guest in self.scenario.guests:
            tile = tiles.get(guest.port, {"state": "empty", "error_code": ""})
            if (
                not guest.is_done
                and tile["state"] == "done"
                and guest.camera.is_plugged()
                and self._is_its(guest, tile)
            ):
                self._is_done(guest)
            elif not guest.is_done:
                self._help(guest, tile, now)
        at_rest = all(tile["state"] in {"done", "empty"} for tile in tiles.values())
        return at_rest and all(guest.is_done for guest in self.scenario.guests)

    def _is_its(self, guest, tile):
        """Tell whether the tile is this camera's; with two of one serial it is whose port it is."""
        return tile["camera"] == guest.profile.serial and self._lacks(guest, self._sealed()) is None

    def _is_done(self, guest):
        guest.is_done = True
        for other in self.scenario.guests:
            shares = guest.is_clone and other.is_clone
            if other is not guest and not other.is_done and (shares or other.waits_for is guest):
                guest.camera.unplug()  # taken away: the next one's turn
        for other in self.scenario.guests:
            if other.waits_for is guest:
                other.is_out = False
                other.camera.plug()

    def _help(self, guest, tile, now):
        if tile["state"] not in {"error", "lost", "empty"} or not guest.camera.is_plugged():
            guest.tried_at = now
            return
        if now - guest.tried_at < PATIENCE_S * (1 + guest.retries):
            return
        guest.tried_at, guest.retries = now, guest.retries + 1
        lies = guest.camera.profile().faults.lies
        if tile["state"] == "error" and not lies and guest.retries % 3:
            self._command("retry", guest.port)
            return
        if lies:  # the last fault: from now on it tells the truth
            guest.change(faults=guest.camera.profile().faults.model_copy(update={"lies": {}}))
        guest.camera.unplug(0.3)

    def _command(self, command, slot):
        if self._station_id is not None:
            with self._database.write() as session:
                give_command(session, self._station_id, command, slot=slot)

    def _look(self):
        """Read the board and check every green tile in the same snapshot; returns the tiles by slot."""
        self.result.looks += 1
        self._reader.execute("BEGIN")
        try:
            row = self._reader.execute("SELECT station_id, body FROM station_board").fetchone()
            if row is None:
                return {}
            self._station_id = row[0]
            tiles = {tile["slot"]: tile for tile in json.loads(row[1])["slots"]}
            green = [tile for tile in tiles.values() if tile["state"] == "done"]
            sealed = self._sealed() if green else {}
        finally:
            self._reader.execute("COMMIT")
        for tile in green:
            self._check(tile, sealed)
        return tiles

    def _sealed(self):
        """Return what is sealed with its receipt: (serial, path, SHA-256) -> its object."""
        rows = self._reader.execute(
            "SELECT c.serial, r.name, r.sha256, r.object_id FROM recording r JOIN camera c ON c.id = r.camera_id"
            " JOIN custody_receipt q ON q.event_id = r.sealed_event_id"
        )
        return {(serial, name, sha): thing for serial, name, sha, thing in rows}

    def _check(self, tile, sealed):
        """Note a false green: a file of the tile's camera that is not sealed, in the vault and with its receipt."""
        named = [guest for guest in self.scenario.guests if guest.profile.serial == tile["camera"]]
        if not named:
            self.result.wrong.append(f"FALSE GREEN: slot {tile['slot']} shows a camera that is none: {tile['camera']}")
            return
        self.result.greens += 1
        lacking = [self._lacks(guest, sealed) for guest in named]
        if all(lacking):  # of two with one serial one may be done while the other is not
            self.result.wrong.append(f"FALSE GREEN: slot {tile['slot']}, {tile['camera']}: {lacking}")

    def _lacks(self, guest, sealed):
        for serial, path, sha, _ in guest.expected():
            thing = sealed.get((serial, path, sha))
            if thing is None:
                return f"{path} not sealed with a receipt"
            if not next((self.folder / "data" / "vault" / "objects").glob(f"*/{thing}"), None):
                return f"{path} not in the vault"
        return None

    def _stop(self):
        (self.folder / child.STOP).touch()
        self._station.join(30)
        if not (self.folder / child.ENDED).exists():  # the fork server doesn't always learn an exit code
            self.result.wrong.append(f"the station did not end in order ({self._station.exitcode})")

    def _judge(self):
        expected = [entry for guest in self.scenario.guests for entry in guest.expected()]
        self.result.recordings = len(expected)
        judging = self._processes.Process(target=child.judge, args=(self.folder, expected), daemon=True)
        judging.start()
        judging.join(60)
        verdict = self.folder / child.VERDICT
        with contextlib.suppress(FileNotFoundError):
            self.result.wrong += json.loads(verdict.read_text())
            return
        self.result.wrong.append(f"no verdict ({judging.exitcode})")


def _handle(what, whom):
    """Do what hands do to a camera."""
    if what == "hand pulls":
        whom.camera.unplug()
    elif what == "hand plugs":
        whom.camera.plug()
    elif what == "hand moves":
        guest, port = whom
        guest.change(port=port, faults=guest.camera.profile().faults.model_copy(update={"replug_port": None}))
    elif what == "camera clock":
        guest, seconds = whom
        guest.camera.set_clock_offset_s(seconds)
    elif what == "re-enumerates":
        first, second = whom
        first.is_out = True
        first.camera.unplug()
        second.change(port=first.port)
        second.camera.plug()

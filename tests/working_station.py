"""A station and a sequencer at work in the test's own process, over a simulated bus."""

import json
import threading
import time

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.models import Station as StationRow
from bodycam.fleet.models import StationCommand
from bodycam.runtime import Runtime
from dock_service.bus import open_bus
from dock_service.simulator.hand import hand_on
from dock_service.station import Station


class Working:
    """A station that steps when it is asked to, and its sequencer beside it."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.stop = threading.Event()
        self.bus = open_bus(rt.settings.dock.bus)
        self.station = Station(rt, self.bus, self.stop, hand_on(rt.settings.dock.bus))
        self.seen: dict[int, list[str]] = {}
        self.sequencing = True

    def step(self) -> dict[int, dict]:
        """Step once; returns the tiles."""
        self.station.step()
        if self.sequencing:
            Sequencer(self.rt.db, self.rt.log).run_once()
        tiles = {tile["slot"]: tile for tile in self.station.board.body()["slots"]}
        for slot, tile in tiles.items():
            if self.seen.setdefault(slot, [""])[-1] != tile["state"]:
                self.seen[slot].append(tile["state"])
        return tiles

    def until(self, wanted: dict[int, str], seconds: float = 30.0) -> dict[int, dict]:
        """Step until the states of the slots are as wanted; returns the tiles."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tiles = self.step()
            if all(tiles[slot]["state"] == state for slot, state in wanted.items()):
                return tiles
            time.sleep(0.02)
        return pytest.fail(
            f"wanted {wanted}, have {[(tile['slot'], tile['state'], tile['error_code']) for tile in tiles.values()]}"
        )

    def until_bytes(self, *slots: int, seconds: float = 20.0) -> None:
        """Step until bytes of each slot's camera have come: its visit is open then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tiles = self.step()
            if all(tiles[slot]["bytes_done"] for slot in slots):
                return
            time.sleep(0.02)
        pytest.fail("no byte came")

    def command(self, command: str, slot: int | None, **body: str) -> None:
        """Give the station a command, as a kiosk would."""
        with self.rt.db.write() as session:
            row = StationCommand(
                station_id=session.scalars(select(StationRow.id)).one(),
                slot=slot,
                command=command,
                body=json.dumps(body),
                created_at=clock.now(),
            )
            session.add(row)


def events(rt: Runtime, kind: str | None = None) -> list[dict]:
    """Return the custody events, oldest first, as their leaves say."""
    with rt.db.read() as session:
        query = select(CustodyEvent.body).order_by(CustodyEvent.id)
        found = [json.loads(body) for body in session.scalars(query)]
    return [event for event in found if kind in {None, event["kind"]}]

"""One station's board as a page shows it: for its own kiosk, and for whoever is signed in and may see it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Response, jsonify
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from bodycam.clock import local, now
from bodycam.fleet.models import Station, StationBoard
from bodycam.fleet.queries import last_commands
from bodycam.fleet.standing import standing_at
from bodycam.people.models import Unit
from webui.common.base import runtime
from webui.common.locale import t
from webui.common.tiles import Alarm, Tile, alarms_of, is_alive, tiles_of


@dataclass(frozen=True)
class Shown:
    """A station as it stands at this moment; without a heartbeat there are no tiles."""

    station: Station
    unit: str
    alive: bool
    at: str
    phone: str
    tiles: tuple[Tile, ...] = ()
    alarms: tuple[Alarm, ...] = ()


def look_at(session: Session, station: Station) -> Shown:
    """Read a station's board, and who holds its cameras now."""
    rt = runtime()
    written = session.get(StationBoard, station.id)
    unit = session.get(Unit, station.unit_id) if station.unit_id else None
    alive = is_alive(written, now())
    standing = standing_at(session, station.id) if alive else {}
    phone = rt.settings.dock.duty_phone
    return Shown(
        station=station,
        unit=unit.name if unit else "",
        alive=alive,
        at=local(now()).strftime("%H:%M"),
        phone=phone,
        tiles=tuple(tiles_of(station, written, duty_phone=phone, standing=standing)) if alive else (),
        alarms=tuple(alarms_of(written)) if alive else (),
    )


def brief(shown: Shown) -> Shown:
    """Return the heartbeat and the alarms alone, for a page that shows no tiles."""
    return replace(shown, tiles=())


def answer(shown: Shown, draw: Callable[[Tile], str]) -> Response:
    """Answer a page that asks what changed: one HTML fragment a slot, or `alive: false` and nothing else.

    With it goes a fresh form token, so that a page that stands for weeks can still send its forms.
    """
    return jsonify(
        alive=shown.alive,
        at=shown.at,
        csrf=generate_csrf(),
        tiles={str(tile.slot): draw(tile) for tile in shown.tiles},
        says={str(tile.slot): _says(tile) for tile in shown.tiles},
        alarms=[alarm.text for alarm in shown.alarms],
    )


def hands(session: Session, station: Station) -> dict[str, object]:
    """Say what a hand may do here: pull any virtual camera, plug one in only where it was pulled from a page."""
    virtual = is_virtual()
    given = last_commands(session, station.id) if virtual else {}
    return {"virtual": virtual, "pulled": {slot for slot, command in given.items() if command == "unplug"}}


def is_virtual() -> bool:
    """Tell whether the dock's bus is simulated: then, and only then, cameras can be pulled from a page."""
    return runtime().settings.dock.bus.startswith("sim:")


def _says(tile: Tile) -> str:
    return t(f"Khe {tile.slot}: {tile.title} {tile.order}", f"Slot {tile.slot}: {tile.title} {tile.order}")

"""A hand on the plugs of a simulated bus, for the kiosk's buttons in the demo."""

import threading
from collections.abc import Callable
from pathlib import Path

from bodycam import clock
from dock_service.errors import BadCameraFileError
from dock_service.simulator.backend import BUS
from dock_service.simulator.demo import record_patrol
from dock_service.simulator.profile import VirtualCamera, cameras


def hand_on(setting: str) -> Callable[[str, str], None]:
    """Return what plugs or pulls ("plug", "unplug") the virtual camera of a port on the bus of a `sim:FOLDER` setting."""
    folder = Path(setting.removeprefix("sim:")).expanduser()

    def hand(command: str, port: str) -> None:
        for camera in cameras(folder):
            if _port_of(camera) != port:
                continue
            if command == "plug":
                camera.plug()
            elif camera.is_plugged():
                camera.unplug()
                # somebody takes it along: when it comes back there is something new on it
                threading.Thread(target=record_patrol, args=(camera, clock.now()), daemon=True).start()

    return hand


def _port_of(camera: VirtualCamera) -> str | None:
    try:
        return f"{BUS}-{camera.profile().port}"
    except BadCameraFileError:
        return None

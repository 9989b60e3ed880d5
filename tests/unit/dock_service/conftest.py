"""A simulated bus in a temporary folder, and cameras to plug into it."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dock_service.bus import Bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.simulator.backend import SimBackend
from dock_service.simulator.profile import Profile, VirtualCamera, write_profile


class Dock:
    """A bus folder, the bus over it, and a way to open what hangs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = SimBackend(folder)
        self.bus = Bus(self.backend, f"sim:{folder}")

    def add(self, files: dict[str, bytes], **profile: object) -> VirtualCamera:
        given = {"serial": "S-1", **profile}
        camera = write_profile(self.folder / str(given["serial"]), Profile.model_validate(given))
        for path, data in files.items():
            place = camera.card / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            os.utime(place, (1_790_000_000, 1_790_000_000))
        return camera

    def open(self, number: int = 0, timeout_s: float = 0.4) -> MtpCamera:
        found = self.bus.devices()[number]
        return MtpCamera(found.device, found.port, found.serial, timeout_s=timeout_s)

    def requested(self, camera: VirtualCamera) -> list[tuple[str, int, int]]:
        device = self.backend.device(camera.folder)
        assert device is not None
        return device.responder.requested


@pytest.fixture
def dock(tmp_path: Path) -> Dock:
    return Dock(tmp_path / "bus")


@pytest.fixture
def some_bytes() -> Callable[[int], bytes]:
    return random.Random(7).randbytes

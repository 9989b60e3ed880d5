"""A simulated bus in a temporary folder, and cameras to plug into it."""

import os
from pathlib import Path

from dock_service.bus import Bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.simulator.backend import SimBackend
from dock_service.simulator.profile import Profile, VirtualCamera, write_profile


class VirtualDock:
    """A bus folder, the bus over it, and a way to open what hangs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = SimBackend(folder)
        self.bus = Bus(self.backend, f"sim:{folder}")

    def add(self, files: dict[str, bytes], folder: str | None = None, **profile: object) -> VirtualCamera:
        given = {"serial": "S-1", **profile}
        camera = write_profile(self.folder / (folder or str(given["serial"])), Profile.model_validate(given))
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
        """Return what was asked of a camera since it was plugged in: (path, offset, length) of each read."""
        device = self.backend.device(camera.folder)
        assert device is not None
        return device.responder.requested

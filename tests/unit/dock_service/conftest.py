"""A simulated dock of its own for each test; a camera in memory."""

from pathlib import Path

import pytest
from memory_camera import InMemory
from virtual_dock import VirtualDock

from dock_service.cameras import mtp
from dock_service.cameras.mtp import MtpCamera
from dock_service.ptp import objects
from dock_service.simulator.backend import SimDevice


@pytest.fixture
def dock(tmp_path: Path) -> VirtualDock:
    return VirtualDock(tmp_path / "bus")


@pytest.fixture
def open_memory(monkeypatch):
    def open_it(answer):
        link = InMemory(answer)
        monkeypatch.setattr(mtp, "Link", lambda *_: link)
        return MtpCamera(None, "1-1", "S", timeout_s=0.1)

    return open_it


@pytest.fixture(scope="module")
def no_pauses():
    patch = pytest.MonkeyPatch()
    patch.setattr("dock_service.ptp.session.time.sleep", lambda _: None)
    patch.setattr(SimDevice, "_wait", lambda self, _: self.present())
    patch.setattr(objects, "MOST_PAST_END", 1 << 20)
    yield
    patch.undo()

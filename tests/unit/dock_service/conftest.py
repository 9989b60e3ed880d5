"""A simulated dock of its own for each test."""

from pathlib import Path

import pytest
from virtual_dock import VirtualDock


@pytest.fixture
def dock(tmp_path: Path) -> VirtualDock:
    return VirtualDock(tmp_path / "bus")

"""A virtual dock, and a station at work on it; each file says in its own `rt` what the installation is like."""

import pytest
from virtual_dock import VirtualDock
from working_station import Working


@pytest.fixture
def dock(tmp_path):
    return VirtualDock(tmp_path / "bus")


@pytest.fixture
def working(rt):
    found = Working(rt)
    yield found
    found.station.close()

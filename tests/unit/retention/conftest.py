from collections.abc import Iterator
from pathlib import Path

import pytest
from retention_world import World, opened

from bodycam import clock


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with opened(tmp_path) as made:
        # machine time follows the wall clock, so that only what a test steps on purpose is a step
        monkeypatch.setattr(clock, "boot_id", lambda: made.boot)
        monkeypatch.setattr(clock, "monotonic", lambda: made.now.timestamp())
        made.people()
        yield made

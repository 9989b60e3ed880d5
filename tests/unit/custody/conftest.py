"""A log beside the fresh database."""

from pathlib import Path

import pytest

from bodycam.custody.log import Log
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Database


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")


@pytest.fixture
def sequencer(db: Database, log: Log) -> Sequencer:
    return Sequencer(db, log)

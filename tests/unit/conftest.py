"""A fresh database with every table, and cheap passwords."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodycam.db import Database
from bodycam.models import Base
from bodycam.sections import SignInSettings


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def cheap() -> SignInSettings:
    return SignInSettings(attempts=10, pause_seconds=30, argon2_memory_kib=8, argon2_time_cost=1)

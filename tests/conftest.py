"""Fixtures every test may use: private servers, fresh databases, the clock put back."""

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

sys.path.insert(0, str(Path(__file__).parent))

import services

from bodycam import clock
from bodycam.custody.details import problems_of
from bodycam.custody.models import CustodyEvent
from bodycam.db import new_id


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the users of one server on one xdist worker, so that each server starts once; browser tests by their file."""
    for item in items:
        for name in ("postgres", "rabbitmq", "redis", "e2e"):
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(f"{name} {item.path.stem}" if name == "e2e" else name))
                break


@pytest.fixture(autouse=True)
def _real_clock() -> Iterator[None]:
    yield
    clock.set_now(None)


@pytest.fixture(autouse=True)
def _events_hold_what_their_kind_lists() -> Iterator[None]:
    """Fail the test in which a kind's event holds an unlisted value, or words in the open: see bodycam/custody/details.py."""
    found: list[str] = []

    def look(_mapper: object, _connection: object, row: CustodyEvent) -> None:
        if not _is_of_the_program():
            return
        leaf = json.loads(row.body)
        problems = problems_of(row.kind, leaf.get("details"), set(leaf.get("commitments") or {}))
        found.extend(f"{row.kind}: {problem}" for problem in problems)

    event.listen(CustodyEvent, "before_insert", look)
    yield
    event.remove(CustodyEvent, "before_insert", look)
    assert not found, found[:5]


def _is_of_the_program() -> bool:
    """Tell whether `record` was called by our code, and neither by a test that makes up events nor for a row made again."""
    frames = (
        frame for frame, _ in traceback.walk_stack(None) if frame.f_code.co_filename.endswith("custody/service.py")
    )
    recorders = [frame for frame in frames if frame.f_code.co_name in {"record", "record_now"}]
    caller = recorders[-1].f_back if recorders else None
    return caller is not None and str(Path(__file__).parent) not in caller.f_code.co_filename


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this run."""
    with services.postgres() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database; dropped afterwards."""
    name = f"test_{new_id().replace('-', '')}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.rpartition("/")[0] + f"/{name}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of this run."""
    with services.redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A RabbitMQ server of this run."""
    with services.rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.SeaweedFS]:
    """An S3 server of this run; each test makes its own bucket."""
    server = services.SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
    server.start()
    yield server
    server.kill()

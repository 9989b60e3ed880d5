import shutil
from collections.abc import Iterator

import evidence_packages as packages
import pytest
from evidence_packages import WITNESSES, Package, World


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Iterator[World]:
    """An installation whose package `finished` is; whoever holds it is the insider with database, disk and keys."""
    with packages.world(tmp_path_factory.mktemp("world"), witnesses=WITNESSES[:2]) as world:
        yield world


@pytest.fixture(scope="module")
def finished(told, tmp_path_factory) -> Package:
    order = told.order(*told.recordings)
    made = told.make(order, tmp_path_factory.mktemp("out"), policy_text=told.policy())
    return Package(made.path, told.policy())


@pytest.fixture
def package(finished, tmp_path) -> Package:
    """A copy of the finished package that a test may spoil."""
    return Package(shutil.copytree(finished.path, tmp_path / "package"), finished.policy)

"""Files of other projects: listed, unchanged, nothing more."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def vendor():
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_vendored_files_are_as_listed(vendor) -> None:
    assert [line for folder in vendor.FOLDERS for line in vendor.problems(folder)] == []


def test_a_changed_a_missing_and_an_unlisted_file_are_named(vendor, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a.js").write_text("changed")
    (tmp_path / "c.js").write_text("nobody listed me")
    (tmp_path / "manifest.json").write_text('{"packages": [{"files": {"a.js": "0", "b.js": "0"}}]}')
    monkeypatch.setattr(vendor, "ROOT", tmp_path.parent)
    told = [line.partition(": ")[2] for line in vendor.problems(tmp_path)]
    assert told == ["unlisted file: c.js", "missing file: b.js", "changed file: a.js"]

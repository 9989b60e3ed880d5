"""What `bodycam doctor` says of the copies."""

from pathlib import Path

import pytest

from bodycam.cli.copy_symptoms import look
from bodycam.cli.first_run import demo_environment
from bodycam.runtime import open_runtime
from bodycam.sections import Settings
from bodycam.settings import load_settings


def settings(tmp_path: Path, **more: str) -> Settings:
    return load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data"), **more})


def with_second(tmp_path: Path, second: Path, **more: str) -> Settings:
    copies = {"BODYCAM_VAULT__COPIES": f"file://{second}", "BODYCAM_VAULT__REQUIRED_COPIES": "2"}
    return settings(tmp_path, **copies, **more)


def test_a_single_copy_is_noted(tmp_path: Path) -> None:
    [symptom] = look(settings(tmp_path))
    assert (symptom.level, symptom.en) == ("note", "The vault holds one copy of each object")


def test_a_second_copy_on_the_same_disk_is_warned_of(tmp_path: Path) -> None:
    [symptom] = look(with_second(tmp_path, tmp_path / "second"))
    assert symptom.level == "bad"
    assert "own disk" in symptom.en
    assert not (tmp_path / "second").exists(), "looking makes nothing"


def test_a_second_copy_on_another_disk_is_fine_until_it_is_unplugged(tmp_path: Path) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other file system here")
    second = shm / f"bodycam-{tmp_path.parent.name}-{tmp_path.name}"
    found = with_second(tmp_path, second, BODYCAM_PUBLIC__DOCK_RESERVE_BYTES="0")
    try:
        with open_runtime(found):
            assert [symptom.level for symptom in look(found)] == ["ok"]
        (second / "vault.json").rename(second / "away")
        [symptom] = look(found)
        assert (symptom.level, "isn't mounted" in symptom.en) == ("bad", True)
    finally:
        for path in sorted(second.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        second.rmdir()


def test_receipts_before_all_copies_are_noted(tmp_path: Path) -> None:
    found = settings(tmp_path, BODYCAM_VAULT__COPIES=f"file://{tmp_path / 'second'}")
    assert next(iter(look(found))).en == "Receipts are given with 1 of 2 copies made"


def test_the_demo_keeps_two_copies_unless_told_otherwise(tmp_path: Path) -> None:
    environ = {"BODYCAM_DATA_DIR": str(tmp_path)}
    demo_environment(environ)
    vault = load_settings(environ).vault
    assert (vault.second_dir, vault.required_copies) == (tmp_path / "vault-second", 2)
    own = {"BODYCAM_DATA_DIR": str(tmp_path), "BODYCAM_VAULT__COPIES": ""}
    demo_environment(own)
    assert load_settings(own).vault.copy_urls == ()

import json

import pytest
from click.testing import CliRunner

from bodycam.cli.standalone import standalone
from bodycam.cli.vault import PROBLEMS, vault
from bodycam.settings import load_settings


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "data"))
    with standalone(load_settings()) as rt:
        with rt.spool.open("a1") as writer:
            writer.write(b"film" * 9000)
            sealed = rt.vault.seal(writer.finish(), {})
        rt.spool.discard("a1")
        return rt.vault.root / "objects" / sealed.object_id[:2] / sealed.object_id


def test_a_sound_vault_exits_with_zero_and_says_what_nobody_lists(sealed):
    result = CliRunner().invoke(vault, ["scrub", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["copies"], report["damaged"], report["unlisted"]) == (1, 0, [sealed.name])


def test_damage_is_told_in_both_languages_and_exits_with_one(sealed):
    sealed.chmod(0o600)
    sealed.write_bytes(sealed.read_bytes()[:-1])
    result = CliRunner().invoke(vault, ["scrub"])
    assert result.exit_code == 1
    assert sealed.name in result.stdout
    assert all(text in result.stdout for text in PROBLEMS["object_damaged"])
    assert "damaged still: 1" in result.stdout
    report = json.loads(CliRunner().invoke(vault, ["scrub", "--json"]).stdout)
    assert report["problems"] == [{"place": "main", "object": sealed.name, "problems": ["object_damaged"]}]

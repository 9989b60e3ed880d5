import json

import pytest

from bodycam.vault import Keyring, Vault
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.errors import KeyDamagedError, KeyExposedError, KeyMissingError


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    first = Keyring.open(tmp_path / "keys")
    assert Keyring.open(tmp_path / "keys").key_id == first.key_id
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert first.path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["vault.key"]


def test_a_wrapped_key_opens_only_at_its_place_and_under_its_key(tmp_path):
    keyring = Keyring.open(tmp_path / "keys")
    wrapped = keyring.wrap(b"k" * 32, b"here")
    assert keyring.unwrap(wrapped, b"here") == b"k" * 32
    other = Keyring.open(tmp_path / "other")
    for ring, text, place in [
        (keyring, wrapped, b"there"),
        (other, wrapped, b"here"),
        (keyring, wrapped[:-1], b"here"),
        (keyring, b"", b"here"),
    ]:
        with pytest.raises(BrokenMessageError):
            ring.unwrap(text, place)


def test_a_missing_key_is_not_replaced_unless_asked(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    with pytest.raises(KeyMissingError, match="backup"):
        Keyring.open(tmp_path / "keys", create=False)


@pytest.mark.parametrize("spoil", ["", "{}", "[]", "null", '{"format": "x", "id": "y", "key": "!"}'])
def test_a_damaged_key_file_is_named(tmp_path, spoil):
    path = Keyring.open(tmp_path / "keys").path
    path.write_text(spoil)
    with pytest.raises(KeyDamagedError, match=r"vault\.key"):
        Keyring.open(tmp_path / "keys")


def test_one_changed_letter_of_the_key_is_noticed(tmp_path):
    path = Keyring.open(tmp_path / "keys").path
    body = json.loads(path.read_text())
    body["key"] = ("B" if body["key"][0] == "A" else "A") + body["key"][1:]
    path.write_text(json.dumps(body))
    with pytest.raises(KeyDamagedError):
        Keyring.open(tmp_path / "keys")


def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = Keyring.open(tmp_path / "keys").path
    path.chmod(0o640)
    with pytest.raises(KeyExposedError, match="chmod 600"):
        Keyring.open(tmp_path / "keys")


def test_a_new_key_beside_an_old_vault_stops_the_start(tmp_path):
    Vault(tmp_path / "vault", Keyring.open(tmp_path / "keys"))
    with pytest.raises(KeyMissingError, match="backup"):
        Vault(tmp_path / "vault", Keyring.open(tmp_path / "new"))

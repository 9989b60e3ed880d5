import base64
import json
from datetime import UTC, datetime

import pytest

from bodycam.vault import Keyring, Vault, disk
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.errors import KeyDamagedError, KeyExposedError, KeyMissingError
from bodycam.vault.keyring import restore

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


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


def rotate(keyring, **more):
    told = []
    keyring.replace(NOW, more.get("announce", told.append))
    return told


def test_a_replaced_key_still_opens_and_the_new_one_wraps(tmp_path):
    keyring = Keyring.open(tmp_path / "keys")
    old, wrapped = keyring.key_id, keyring.wrap(b"k" * 32, b"here")
    assert rotate(keyring) == [keyring.key_id]
    again = Keyring.open(tmp_path / "keys")
    assert again.key_id == keyring.key_id != old
    assert [(key.key_id, key.replaced_at) for key in again.older] == [(old, NOW)]
    assert again.unwrap(wrapped, b"here") == b"k" * 32
    anew = again.rewrap(wrapped, b"here")
    assert again.current.unwrap(anew, b"here") == b"k" * 32
    assert again.rewrap(anew, b"here") is None


def test_a_process_started_before_a_replacement_wraps_with_the_new_key(tmp_path):
    web, command = Keyring.open(tmp_path / "keys"), Keyring.open(tmp_path / "keys")
    rotate(command)
    command.current.unwrap(web.wrap(b"k" * 32, b"here"), b"here")
    assert web.unwrap(command.wrap(b"k" * 32, b"here"), b"here") == b"k" * 32


def test_a_retired_key_lies_wrapped_by_the_current_one_and_still_opens_an_old_backup(tmp_path):
    keyring = Keyring.open(tmp_path / "keys")
    wrapped = keyring.wrap(b"k" * 32, b"backup")
    first = keyring.current
    for _ in range(2):
        rotate(keyring)
        for key in keyring.older:
            keyring.retire(key.key_id)
    assert keyring.older == ()
    again = Keyring.open(tmp_path / "keys")
    assert again.unwrap(wrapped, b"backup") == b"k" * 32
    assert len([key for key in again.keys if key.retired]) == 2
    stored = b"".join(path.read_bytes() for path in (tmp_path / "keys").iterdir())
    assert base64.b64encode(first.key) not in stored
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_replacement_or_retirement_killed_at_any_step_loses_no_key(tmp_path, monkeypatch):
    class KilledError(BaseException):
        pass

    for at in range(1, 60):
        keys, left = tmp_path / f"keys{at}", [at]
        ring = Keyring.open(keys)
        wrapped = {ring.wrap(b"1" * 32, b"p"): b"1" * 32}
        rotate(ring)
        ring.retire(ring.older[0].key_id)
        wrapped[ring.wrap(b"2" * 32, b"p")] = b"2" * 32
        with monkeypatch.context() as patch:
            for name in ("write_file", "replace", "remove", "sync_folder", "link"):
                real = getattr(disk, name)

                def step(*args, real=real, left=left):
                    left[0] -= 1
                    if left[0] <= 0:
                        raise KilledError
                    real(*args)

                patch.setattr(disk, name, step)
            try:
                rotate(ring)
                ring.retire(ring.older[0].key_id)
            except KilledError:
                pass
            else:
                assert at > 10
                return
        again = Keyring.open(keys, create=False)
        assert [again.unwrap(text, b"p") for text in wrapped] == list(wrapped.values())
        rotate(again)
        assert [again.unwrap(text, b"p") for text in wrapped] == list(wrapped.values())
    pytest.fail("never came to the end")


def test_the_new_keys_id_is_told_before_anything_is_wrapped_by_it_and_again_after_a_crash(tmp_path):
    keyring, told = Keyring.open(tmp_path / "keys"), []

    def fail(key_id):
        told.append(key_id)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        rotate(keyring, announce=fail)
    assert Keyring.open(tmp_path / "keys").key_id != told[0]
    assert rotate(Keyring.open(tmp_path / "keys")) == told


def test_keys_from_escrow_are_put_back_and_a_key_made_meanwhile_is_kept(tmp_path):
    keyring = Keyring.open(tmp_path / "keys")
    rotate(keyring)
    keys = [key.key for key in keyring.keys]
    meanwhile = Keyring.open(tmp_path / "new").current.key  # a start after the loss made one
    restore(tmp_path / "new", keys, NOW)
    again = Keyring.open(tmp_path / "new", create=False)
    assert again.current.key == keys[0]
    assert {key.key for key in again.older} == {keys[1], meanwhile}

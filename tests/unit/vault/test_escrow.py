import json

import pytest

from bodycam.vault import Keyring
from bodycam.vault.chunked import BrokenMessageError
from bodycam.vault.envelope import is_current, open_envelope, read_escrowed, read_key, write_envelope
from bodycam.vault.errors import DamagedObjectError, EscrowTextError, KeyDamagedError, KeyExposedError, KeyMissingError
from bodycam.vault.escrow import EscrowKey, EscrowRecipient

OBJECT = "ab" * 32
KEY = b"k" * 32


@pytest.fixture
def escrow(tmp_path):
    return EscrowKey.create(tmp_path / "escrow.key")


@pytest.fixture
def keyring(tmp_path, escrow):
    return Keyring.open(tmp_path / "keys", escrow=[EscrowRecipient.parse(escrow.recipient.text)])


def test_what_is_wrapped_for_escrow_opens_with_the_file_alone_and_at_its_place_only(escrow, tmp_path):
    wrapped = EscrowRecipient.parse(escrow.recipient.text).wrap(KEY, b"here")
    assert len(wrapped) == 80
    again = EscrowKey.open(tmp_path / "escrow.key")
    assert again.unwrap(wrapped, b"here") == KEY
    other = EscrowKey.create(tmp_path / "other.key")
    for key, data, place in [(again, wrapped, b"there"), (other, wrapped, b"here"), (again, wrapped[:-1], b"here")]:
        with pytest.raises(BrokenMessageError):
            key.unwrap(data, place)


def test_an_escrow_key_is_never_overwritten_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "escrow.key"
    EscrowKey.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        EscrowKey.create(path)
    path.chmod(0o644)
    with pytest.raises(KeyExposedError):
        EscrowKey.open(path)


@pytest.mark.parametrize("spoil", ["", "[]", '{"format": "bodycam-escrow-key@1", "id": "x", "key": "eA=="}'])
def test_a_damaged_escrow_file_is_named(tmp_path, spoil):
    path = tmp_path / "escrow.key"
    path.write_text(spoil)
    path.chmod(0o600)
    with pytest.raises(KeyDamagedError):
        EscrowKey.open(path)
    path.unlink()
    with pytest.raises(KeyMissingError):
        EscrowKey.open(path)


@pytest.mark.parametrize(
    "text", ["", "x", "bodycam-escrow@1:", "bodycam-escrow@1:eA==", "bodycam-escrow@2:" + "A" * 43]
)
def test_a_wrong_public_half_is_refused_with_what_to_do(text):
    with pytest.raises(EscrowTextError, match="escrow-key"):
        EscrowRecipient.parse(text)


def test_an_envelope_opens_by_the_vaults_key_and_by_escrow(keyring, escrow, tmp_path):
    envelope = write_envelope(OBJECT, KEY, keyring)
    assert open_envelope(OBJECT, envelope, keyring) == read_escrowed(OBJECT, envelope, escrow) == KEY
    with pytest.raises(KeyMissingError):
        read_escrowed(OBJECT, envelope, EscrowKey.create(tmp_path / "stranger.key"))
    with pytest.raises(DamagedObjectError):
        read_escrowed("cd" * 32, envelope, escrow)


def test_every_flipped_bit_of_an_envelope_is_found_also_in_what_only_escrow_can_open(keyring):
    envelope = write_envelope(OBJECT, KEY, keyring)
    for bit in range(len(envelope) * 8):
        flipped = bytearray(envelope)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DamagedObjectError):
            open_envelope(OBJECT, bytes(flipped), keyring)


def test_footage_stays_readable_when_only_the_escrows_part_is_damaged(keyring):
    envelope = write_envelope(OBJECT, KEY, keyring)
    body = json.loads(envelope)
    body["recipients"][1]["wrapped"] = body["recipients"][1]["wrapped"].swapcase()
    spoiled = json.dumps(body, indent=1, sort_keys=True).encode() + b"\n"
    assert read_key(OBJECT, spoiled, keyring) == KEY
    with pytest.raises(DamagedObjectError):
        open_envelope(OBJECT, spoiled, keyring)


def test_an_escrow_recipient_taken_out_or_not_yet_in_is_noticed(keyring, tmp_path):
    plain = Keyring.open(tmp_path / "keys")
    without = write_envelope(OBJECT, KEY, plain)
    assert open_envelope(OBJECT, without, keyring) == KEY
    assert is_current(OBJECT, without, plain)
    assert not is_current(OBJECT, without, keyring)
    assert is_current(OBJECT, write_envelope(OBJECT, KEY, keyring), keyring)
    body = json.loads(write_envelope(OBJECT, KEY, keyring))
    del body["recipients"][1]  # an insider drops the recipient and leaves the check
    with pytest.raises(DamagedObjectError):
        open_envelope(OBJECT, json.dumps(body, indent=1, sort_keys=True).encode() + b"\n", keyring)


def test_envelopes_swapped_between_two_objects_open_neither(vault, seal):
    one, two = seal(b"one", "a1"), seal(b"two", "a2")
    folder = vault.root / "objects"
    first, second = (folder / item.object_id[:2] / f"{item.object_id}.env" for item in (one, two))
    swapped = first.read_bytes(), second.read_bytes()
    first.write_bytes(swapped[1])
    second.write_bytes(swapped[0])
    for item in (one, two):
        assert vault.verify(item.object_id).problems == ("envelope_damaged",)
        with pytest.raises(DamagedObjectError):
            vault.open(item.object_id)

"""Drills: the vault's key is really deleted, and the footage comes back byte for byte by way of escrow."""

import base64
import json
import shutil

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bodycam.cli.vault import vault
from bodycam.custody.models import CustodyEvent
from bodycam.petitions import service as petitions
from bodycam.petitions.models import Submission
from bodycam.vault.errors import KeyMissingError
from bodycam.vault.escrow import EscrowKey


def lose_the_key(two):
    for path in two.settings.keys.dir.glob("vault.key*"):
        path.unlink()


def recover(file):
    return CliRunner().invoke(vault, ["recover-keys", "--escrow", str(file)])


def read_all(rt, films):
    return {object_id: b"".join(rt.vault.open(object_id).chunks()) for object_id in films} == films


def recovered(rt):
    with rt.db.read() as session:
        rows = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == "key.recovered").limit(9)).all()
    return [json.loads(row.body)["details"]["from"] for row in rows]


def test_drill_the_key_is_deleted_and_comes_back_from_the_label_with_the_citizens_texts(two, films):
    with two.open() as rt, rt.db.write() as session:
        report_id = petitions.start(session, rt.keyring).id
        petitions.tell(session, rt.keyring, report_id, text="tôi thấy")
    lose_the_key(two)
    with pytest.raises(KeyMissingError), two.open():  # and this start made a new key beside the old vault
        pass
    result = recover(two.escrow_file)
    assert result.exit_code == 0, result.output
    with two.open() as rt:
        assert read_all(rt, films)
        assert recovered(rt) == ["label"]
        with rt.db.read() as session:
            assert petitions.content_of(rt.keyring, session.get_one(Submission, report_id)).text == "tôi thấy"


def test_drill_key_and_labels_are_lost_and_every_data_key_comes_back_from_its_envelope(two, films):
    lose_the_key(two)
    for root in two.roots:
        body = json.loads((root / "vault.json").read_text())
        del body["escrowed"]
        (root / "vault.json").write_text(json.dumps(body))
    result = recover(two.escrow_file)
    assert result.exit_code == 0, result.output
    assert "wrapped anew 6" in result.output
    with two.open() as rt:
        assert recovered(rt) == ["envelopes"]
        assert read_all(rt, films)
        assert all(rt.vault.verify_copy(name, place.name).ok for name in films for place in rt.vault.places)


def test_drill_the_main_disk_is_lost_with_the_key_and_the_second_place_gives_both_back(two, films):
    keys, (main, second) = two.settings.keys.dir, two.roots
    shutil.rmtree(main)
    lose_the_key(two)
    (keys / "vault.place").unlink()
    assert recover(two.escrow_file).exit_code == 0
    with two.open() as rt:
        assert read_all(rt, films)
    assert second.exists()


def test_a_strangers_escrow_key_changes_nothing(two, films, tmp_path):
    lose_the_key(two)
    EscrowKey.create(tmp_path / "stranger.key")
    before = {path: path.read_bytes() for root in two.roots for path in root.rglob("*") if path.is_file()}
    result = recover(tmp_path / "stranger.key")
    assert result.exit_code != 0
    assert getattr(result.exception, "code", "") == "escrow_foreign"
    assert {path: path.read_bytes() for root in two.roots for path in root.rglob("*") if path.is_file()} == before
    assert not (two.settings.keys.dir / "vault.key").exists()
    assert recover(two.escrow_file).exit_code == 0
    with two.open() as rt:
        assert read_all(rt, films)


def test_a_key_that_somebody_else_wrapped_for_escrow_is_not_taken_for_the_objects(two, films):
    object_id = next(iter(films))
    lose_the_key(two)
    for root in two.roots:
        (root / "vault.json").write_text('{"format": "bodycam-vault@1", "key": "feedfacefeedface"}')
    path = two.path("main", object_id, ".env")
    body = json.loads(path.read_text())

    forged = two.escrow.recipient.wrap(b"!" * 32, b"bodycam/object@1\x00" + object_id.encode())
    body["recipients"][1]["wrapped"] = base64.b64encode(forged).decode()
    path.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")
    result = recover(two.escrow_file)
    assert result.exit_code == 1
    assert object_id in result.output
    assert recover(two.escrow_file).exit_code == 0, "the other copy has its key by now"
    with two.open() as rt:
        assert read_all(rt, films)


def test_the_public_half_is_printed_and_the_private_half_is_never_overwritten(tmp_path):
    file = tmp_path / "new.key"
    result = CliRunner().invoke(vault, ["escrow-key", str(file)])
    assert result.stdout.strip() == EscrowKey.open(file).recipient.text
    kept = file.read_bytes()
    assert CliRunner().invoke(vault, ["escrow-key", str(file)]).exit_code == 1
    assert file.read_bytes() == kept


@pytest.mark.usefixtures("films")
def test_rotate_key_as_a_command_tells_what_it_did():
    result = CliRunner().invoke(vault, ["rotate-key"])
    assert result.exit_code == 0, result.output
    assert "wrapped anew 6" in result.output
    assert "kept: it was replaced just now" in result.output
    again = CliRunner().invoke(vault, ["rotate-key", "--rewrap-only"])
    assert "current 6" in again.output

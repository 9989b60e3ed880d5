import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from bodycam import clock
from bodycam.cli.log import log as command
from bodycam.custody import record, record_now
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NotInLogError, ReceiptError
from bodycam.custody.kinds import KINDS
from bodycam.custody.log import Log
from bodycam.custody.proof import parse_proof
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Database
from bodycam.errors import NotFoundError
from bodycam.models import Base
from bodycam.process import AlreadyRunningError
from bodycam.recordings.models import Recording

SEAL = {"details": {"object": "c" * 64, "origin": "dock", "visit": None}, "private": {"name": "a.mp4"}}


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("bodycam.migrations.runner.ensure", lambda _url: None)  # migrations have tests of their own
    db = Database(f"sqlite:///{tmp_path}/bodycam.db")
    Base.metadata.create_all(db.engine)
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.local/log")
    with db.write() as session:
        record(session, "recording.read", object_id="rec", event_id="not-sealed")
        record(session, "recording.sealed", object_id="rec", sha256="ab" * 32, size=7, event_id="sealed-1", **SEAL)
        row = Recording(id="rec", object_id="c" * 64, sha256="ab" * 32, size=7, name="a.mp4", kind="video")
        row.origin, row.sealed_event_id, row.sealed_at = "dock", "sealed-1", clock.now()
        row.shown_at = row.sealed_at
        session.add(row)
    Sequencer(db, log).run_once()
    yield db, log
    db.close()


def run(*arguments):
    return CliRunner().invoke(command, arguments)


def test_verify_says_valid_in_both_languages_and_as_json(site):
    result = run("verify")
    assert result.exit_code == 0
    assert "HỢP LỆ" in result.stdout
    assert "VALID" in result.stdout
    facts = json.loads(run("verify", "--json").stdout)
    assert (facts["verdict"], facts["size"], facts["events"], facts["receipts"]) == ("valid", 3, 3, 1)
    assert facts["root"] == site[1].checkpoint().root.hex()


def test_verify_sees_a_recording_changed_in_the_database_alone(site):
    with site[0].write() as session:
        session.get_one(Recording, "rec").sha256 = "cd" * 32
    result = run("verify")
    assert result.exit_code == 5
    assert "recording.sealed rec: Danh mục ghi khác nhật ký: sha256." in result.stdout


def test_verify_ends_with_5_when_altered_and_4_when_something_is_gone(site):
    path = site[1].dir / "tile/0/000.p/3"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"!")
    result = run("verify")
    assert result.exit_code == 5
    assert "TAMPERED" in result.stdout
    path.unlink()
    assert run("verify", "--json").exit_code == 4


def test_verify_holds_the_log_against_a_checkpoint_kept_elsewhere(site, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text(run("checkpoint").stdout)
    assert Checkpoint.open(kept.read_text(), site[1].verifier).size == 3
    record_now(site[0], "recording.viewed", object_id="rec")
    Sequencer(*site).run_once()
    assert run("verify", "--checkpoint", str(kept)).exit_code == 0
    kept.write_text(kept.read_text().replace("\n3\n", "\n2\n"))
    assert run("verify", "--checkpoint", str(kept)).exit_code == 5


def test_prove_gives_a_proof_that_carries_its_event(site, tmp_path):
    for reference in ("sealed-1", "rec"):
        out = tmp_path / f"{reference}.tlog-proof"
        assert run("prove", reference, "-o", str(out)).exit_code == 0
        proof = parse_proof(out.read_text())
        assert proof.index == 2  # ids sort: the key, "not-sealed", "sealed-1"
        assert proof.check(site[1].tiles.entry(2, 3), site[1].verifier).size == 3
    assert run("prove", "rec", "-o", str(out)).exit_code == 1  # never over an existing file
    assert isinstance(run("prove", "nothing").exception, NotFoundError)
    waiting = record_now(site[0], "recording.viewed", object_id="rec")
    assert isinstance(run("prove", waiting).exception, NotInLogError)
    assert isinstance(run("receipt", waiting).exception, NotInLogError)


@pytest.mark.usefixtures("site")
def test_a_receipt_goes_out_and_is_checked_without_the_database(tmp_path, monkeypatch):
    out, key = tmp_path / "receipt.json", tmp_path / "log" / "log.vkey"
    assert run("receipt", "rec", "-o", str(out)).exit_code == 0
    result = run("verify-receipt", str(out))
    assert result.exit_code == 0
    assert "BIÊN NHẬN HỢP LỆ" in result.stdout
    assert f"{KINDS['recording.sealed'].vi} / Recording sealed" in result.stdout
    assert "ab" * 32 in result.stdout
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "elsewhere"))
    facts = json.loads(run("verify-receipt", str(out), "--key", str(key), "--json").stdout)
    assert (facts["valid"], facts["size"], facts["log_size"]) == (True, 7, 3)
    out.write_text(out.read_text().replace("abab", "abac", 1))
    assert isinstance(run("verify-receipt", str(out), "--key", str(key)).exception, ReceiptError)
    out.write_bytes(b"\xff\xfe")
    assert isinstance(run("verify-receipt", str(out), "--key", str(key)).exception, ReceiptError)


def test_where_there_is_no_log_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path / "empty"))
    assert isinstance(run("verify").exception, NotFoundError)
    assert not (tmp_path / "empty").exists()


def test_every_command_has_an_example():
    for name in command.commands:
        assert "Example: bodycam log" in run(name, "--help").stdout


def test_rebuild_makes_the_table_again_and_says_what_cannot_come_back(site):
    db, log = site
    with db.write() as session:
        session.execute(text("DELETE FROM custody_receipt"))
        session.execute(text("DELETE FROM custody_event"))
    assert run("verify").exit_code == 5
    result = run("rebuild", "--yes")
    assert result.exit_code == 0
    assert "3 dòng lập lại / rows made again, 0 dòng sửa lại" in result.stdout
    assert "1 sự kiện không còn muối" in result.stdout  # the receipt's file still has the content, not the name
    assert json.loads(run("verify", "--json").stdout)["size"] == 4
    assert isinstance(_rebuild_beside_a_sequencer(db, log).exception, AlreadyRunningError)
    assert run("rebuild").exit_code == 1  # not without a yes


def _rebuild_beside_a_sequencer(db, log):
    with Sequencer(db, log).hold():
        return run("rebuild", "--yes")

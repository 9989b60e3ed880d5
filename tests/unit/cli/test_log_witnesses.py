"""Witnesses reached by files alone, and receipts judged by a policy, as a person at the command line does it."""

import json
import shutil

import pytest
from click.testing import CliRunner
from witness_world import Liar, Tree, made

from bodycam import clock
from bodycam.cli.log import log as command
from bodycam.custody import receipt_for, record_now
from bodycam.custody.errors import LogForkError, NoteError
from bodycam.custody.exchange import import_cosigned
from bodycam.custody.log import Log
from bodycam.custody.note import Signer
from bodycam.custody.policy import Policy
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Database
from bodycam.models import Base
from bodycam.witness.__main__ import main as witness_main


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A log with one sealed recording and two witnesses without a line, both of whom must sign."""
    monkeypatch.setenv("BODYCAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("bodycam.migrations.runner.ensure", lambda _url: None)  # migrations have tests of their own
    db = Database(f"sqlite:///{tmp_path}/bodycam.db")
    Base.metadata.create_all(db.engine)
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.local/log")
    record_now(db, "recording.sealed", object_id="rec", sha256="ab" * 32, size=7, event_id="sealed-1")
    Sequencer(db, log).run_once()
    keys = [made(tmp_path / f"w{n}", n, logs=[str(log.verifier)]).vkey for n in (1, 2)]
    names = ["toa-an", "vien-kiem-sat"]
    lines = [f"witness {name} {key}" for name, key in zip(names, keys, strict=True)]
    text = "\n".join([f"log {log.verifier}", *lines, f"group q all {' '.join(names)}", "quorum q"])
    (tmp_path / "policy").write_text(text + "\n")
    monkeypatch.setenv("BODYCAM_LOG__POLICY", str(tmp_path / "policy"))
    yield db, log
    db.close()


def run(*arguments):
    return CliRunner().invoke(command, [str(item) for item in arguments])


def carry(tmp_path, log, number, name):
    """Carry a checkpoint to a witness and its answer back; returns what the command said."""
    asked, answer = (
        tmp_path / f"asked{number}-{log.checkpoint().size}",
        tmp_path / f"answer{number}-{log.checkpoint().size}",
    )
    out = run("export-checkpoint", asked, "--witness", name)
    assert out.exit_code == 0, out.output
    options = ["--dir", str(tmp_path / f"w{number}"), "--log", str(log.verifier)]
    assert witness_main(["sign", *options, str(asked), "-o", str(answer)]) == 0
    return run("import-cosignature", answer)


def test_two_witnesses_without_a_line_make_a_quorum_by_files(site, tmp_path):
    db, log = site
    receipt = tmp_path / "receipt.json"
    run("receipt", "rec", "-o", receipt)
    policy = tmp_path / "policy"
    assert run("verify-receipt", receipt, "--policy", policy).exit_code == 3
    assert carry(tmp_path, log, 1, "toa-an").exit_code == 0
    assert log.witnessed_checkpoint() is None
    Sequencer(db, log).run_once()  # the log goes on meanwhile; both must sign one checkpoint
    said = carry(tmp_path, log, 2, "vien-kiem-sat")
    assert "✓ vien-kiem-sat" in said.output
    assert log.witnessed_checkpoint().size == log.checkpoint().size - 1  # the first answer was an event too
    receipt.unlink()
    run("receipt", "rec", "-o", receipt)
    result = run("verify-receipt", receipt, "--policy", policy)
    assert result.exit_code == 0
    assert "Đã có đủ bên xác nhận độc lập" in result.output
    facts = json.loads(run("verify-receipt", receipt, "--policy", policy, "--json").output)
    assert facts["witnessed"] is True
    assert set(facts["witnesses"]) == {"toa-an", "vien-kiem-sat"}
    with db.read() as session:
        assert receipt_for(session, "sealed-1").witnessed_at is not None
    proof = run("prove", "rec").output
    assert proof.endswith(log.witnessed_checkpoint().note)
    # the next time only what is new goes out
    record_now(db, "recording.read", object_id="rec")
    Sequencer(db, log).run_once()
    assert carry(tmp_path, log, 1, "toa-an").exit_code == 0


def test_what_goes_out_fits_a_qr_code(site, tmp_path):
    assert (
        run("export-checkpoint", tmp_path / "out", "--witness", "toa-an", "--qr", tmp_path / "out.svg").exit_code == 0
    )
    assert "<svg" in (tmp_path / "out.svg").read_text()
    assert site[1].checkpoint().note in (tmp_path / "out").read_text()


def test_an_unknown_witness_and_a_missing_policy_are_told(site, tmp_path, monkeypatch):
    assert "toa-an | vien-kiem-sat" in run("export-checkpoint", tmp_path / "out").output
    assert run("export-checkpoint", tmp_path / "out", "--witness", "toa-an", "--from", "9").exit_code == 2
    monkeypatch.delenv("BODYCAM_LOG__POLICY")
    assert run("export-checkpoint", tmp_path / "out").exit_code == 2
    assert site[1].witnessed_checkpoint() is None


def lie(db, log, tmp_path, text):
    return import_cosigned(db, log, Policy.load(tmp_path / "policy"), text, actor="system")


def test_what_comes_back_altered_is_refused(site, tmp_path):
    db, log = site
    liar = Liar(1)
    head = log.checkpoint()
    stranger = Tree.of(3, signer=Signer.generate("bodycam.local/log")).head(3).note
    for text in ("", "garbage", head.note, head.note + liar.line(head.body), stranger):
        with pytest.raises(NoteError):
            lie(db, log, tmp_path, text)
    policy = Policy.parse(f"log {log.verifier}\nwitness w {liar.vkey}\nquorum w\n")
    for days in (-400, 1):
        at = clock.now().timestamp() + days * 86400
        with pytest.raises(NoteError):
            import_cosigned(db, log, policy, head.note + liar.line(head.body, at=at), actor="system")
    assert log.witnessed_checkpoint() is None


def test_a_checkpoint_of_a_fork_that_comes_back_is_told_as_a_fork(site, tmp_path):
    db, log = site
    shutil.copytree(log.dir, tmp_path / "other-log")
    shutil.copytree(tmp_path / "keys", tmp_path / "other-keys")
    other = Log.open(tmp_path / "other-log", tmp_path / "other-keys", origin=log.origin)
    signer = other.unlock()
    fork = Tree.of(2, signer=signer).head(2)
    witness = made(tmp_path / "w1", 1, logs=[str(log.verifier)])
    _, line = witness.add_checkpoint(f"old 0\n\n{fork.note}")
    with pytest.raises(LogForkError):
        lie(db, log, tmp_path, fork.note + line)

"""What an attacker with the disk, the database or both may try, and what finds it."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from bodycam import clock
from bodycam.custody import receipt_for, record, record_now
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import LogDamagedError, LogForkError, LogKeyError, NoteError, ReceiptError
from bodycam.custody.inventory import Held, take
from bodycam.custody.keys import HEAD_FILE, KEY_FILE
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.note import Signer
from bodycam.custody.proof import parse_proof, prove
from bodycam.custody.queries import log_state
from bodycam.custody.receipts import verify_receipt
from bodycam.custody.reconcile import reissue
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.custody.tiles import TileStore, TileWriter
from bodycam.db import Database


@pytest.fixture
def sealed(db, sequencer):
    """A log of 302 entries; returns the id of the event that has a receipt."""
    with db.write() as session:
        for number in range(300):
            record(session, "recording.read", object_id=f"r{number}", private={"note": "giấy"})
    event_id = record_now(db, "recording.sealed", object_id="rec", sha256="cd" * 32, size=99)
    sequencer.run_once()
    return event_id


def receipt_text(db, event_id):
    with db.read() as session:
        return receipt_for(session, event_id).body


def flip(path, bit=None):
    data = bytearray(path.read_bytes())
    bit = random.Random(7).randrange(len(data) * 8) if bit is None else bit
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    "name",
    ["tile/0/000", "tile/0/001.p/46", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/46", "checkpoint"],
)
def test_one_flipped_bit_anywhere_on_disk_is_found(db, log, name):
    assert audit(db, log).verdict is Verdict.VALID
    flip(log.dir / name)
    report = audit(db, log)
    assert report.verdict is Verdict.TAMPERED
    assert report.problems


@pytest.mark.usefixtures("sealed")
def test_one_flipped_bit_in_the_key_s_memory_is_found(db, log, tmp_path):
    flip(tmp_path / "keys" / HEAD_FILE)
    assert audit(db, log).verdict is Verdict.TAMPERED
    with pytest.raises(LogDamagedError):
        Sequencer(db, log).run_once()


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/001.p/46", "tile/1/000.p/1"])
def test_a_missing_file_is_incomplete_not_tampered(db, log, name):
    (log.dir / name).unlink()
    assert audit(db, log).verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {"body": row.body.replace('"recording.sealed"', '"recording.viewed"')},
        lambda _: {"kind": "recording.viewed"},
        lambda _: {"object_id": "other"},
        lambda _: {"actor": "somebody"},
        lambda row: {"openings": row.openings.replace("99", "98")},
        lambda row: {"openings": row.openings.replace('"salt":"', '"salt":" ')},
        lambda row: {"openings": row.openings.upper()},
        lambda _: {"log_index": 5000},
    ],
)
def test_a_changed_database_row_is_found(db, log, sealed, change):
    with db.write() as session:
        row = session.get(CustodyEvent, sealed)
        session.execute(update(CustodyEvent).where(CustodyEvent.id == sealed).values(**change(row)))
    assert audit(db, log).verdict is Verdict.TAMPERED


def test_a_deleted_row_and_a_deleted_receipt_are_missed(db, log, sealed):
    with db.write() as session:
        session.delete(session.get(Receipt, sealed))
    assert [problem.code for problem in audit(db, log).problems] == ["receipt_missing"]
    with db.write() as session:
        session.delete(session.get(CustodyEvent, sealed))
    report = audit(db, log)
    assert report.verdict is Verdict.INCOMPLETE
    assert [problem.code for problem in report.problems] == ["row_missing"]


@pytest.mark.usefixtures("sealed")
def test_destroyed_openings_leave_the_log_valid(db, log):
    with db.write() as session:
        session.execute(update(CustodyEvent).values(openings=None))
    assert audit(db, log).verdict is Verdict.VALID


@pytest.mark.usefixtures("sealed")
def test_a_row_slipped_in_with_an_index_is_found(db, log):
    with db.write() as session:
        event = record(session, "recording.viewed", object_id="rec")
        event.log_index = 302
    assert audit(db, log).verdict is Verdict.TAMPERED
    with pytest.raises(LogForkError, match="the database knows 303 entries, 302 were signed"):
        Sequencer(db, log).run_once()


def rewrite(db, log, victim):
    """Replace one leaf, recompute every hash, and bring the database into line: all that can be done without the key."""
    kept = log.checkpoint()
    entries = [entry for _, entry in log.tiles.all_entries(kept.size)]
    at = next(index for index, entry in enumerate(entries) if parse(entry.decode())["id"] == victim)
    entries[at] = entries[at].replace(b"recording.sealed", b"recording.viewed")
    shutil.rmtree(log.dir / "tile")
    writer = TileWriter(TileStore(log.dir), 0)
    for entry in entries:
        writer.append(entry)
    writer.flush()
    writer.prune()
    with db.write() as session:
        session.execute(
            update(CustodyEvent)
            .where(CustodyEvent.id == victim)
            .values(body=entries[at].decode(), kind="recording.viewed")
        )
        session.execute(Receipt.__table__.delete())
    return writer.root()


def test_a_leaf_rewritten_with_all_hashes_is_caught_by_the_last_signed_head(db, log, sealed):
    rewrite(db, log, sealed)
    assert [problem.code for problem in audit(db, log).problems] == ["root", "root"]
    with pytest.raises(LogForkError, match="is not the one that was signed"):
        Sequencer(db, log).run_once()


def test_signing_on_top_of_a_rewritten_tree_is_refused(db, log, sealed):
    root = rewrite(db, log, sealed)
    with pytest.raises(LogForkError, match="doesn't begin with"):
        log.sign(302, root)
    writer = TileWriter(log.tiles, 302)
    writer.append(b"{}")
    writer.flush()
    with pytest.raises(LogForkError, match="doesn't begin with"):
        log.sign(303, writer.root())


def test_a_rewrite_signed_with_the_stolen_key_is_caught_by_a_checkpoint_kept_elsewhere(db, log, sealed, tmp_path):
    kept = log.checkpoint().note
    old_receipt = receipt_text(db, sealed)
    root = rewrite(db, log, sealed)
    signer = Signer.parse((tmp_path / "keys" / KEY_FILE).read_text())
    forged = Checkpoint.sign(signer, 302, root)
    (log.dir / "checkpoint").write_text(forged.note)
    (tmp_path / "keys" / HEAD_FILE).write_text(forged.note)
    reissue(db, log)  # as the sequencer does at its start; it can't know
    assert audit(db, log).verdict is Verdict.VALID
    report = audit(db, log, kept=[kept])
    assert [(problem.code, problem.where) for problem in report.problems] == [("root", "kept checkpoint 1")]
    assert (
        verify_receipt(old_receipt, log.verifier).checkpoint.note == kept
    )  # and whoever holds a receipt holds the old head


@pytest.mark.usefixtures("sealed")
def test_a_log_rolled_back_to_an_older_copy_is_caught(db, log, sequencer, tmp_path):
    shutil.copytree(log.dir, tmp_path / "older")
    record_now(db, "recording.viewed", object_id="rec")
    sequencer.run_once()
    kept = log.checkpoint().note
    shutil.rmtree(log.dir)
    shutil.copytree(tmp_path / "older", log.dir)
    with pytest.raises(LogForkError, match="the log has 302 entries, 303 were signed"):
        Sequencer(db, log).run_once()
    assert audit(db, log).verdict is not Verdict.VALID
    shutil.copy(log.dir / "checkpoint", tmp_path / "keys" / HEAD_FILE)  # the key's memory rolled back too
    with pytest.raises(LogForkError, match="the database knows 303 entries, 302 were signed"):
        Sequencer(db, log).run_once()
    assert audit(db, log).verdict is Verdict.TAMPERED
    with db.write() as session:  # and the database as well: only a checkpoint kept elsewhere still knows
        session.delete(session.scalar(select(CustodyEvent).where(CustodyEvent.log_index == 302)))
    assert audit(db, log).verdict is Verdict.VALID
    assert [problem.code for problem in audit(db, log, kept=[kept]).problems] == ["rolled_back"]


@pytest.mark.usefixtures("sealed")
def test_older_tiles_put_back_and_asked_to_sign_a_fork_are_refused(db, log, sequencer, tmp_path):
    shutil.copytree(log.dir, tmp_path / "older")
    record_now(db, "recording.viewed", object_id="rec")
    sequencer.run_once()
    shutil.rmtree(log.dir)
    shutil.copytree(tmp_path / "older", log.dir)
    with (
        db.write() as session
    ):  # the database is made to fit the older tiles, so that another history could go on from there
        session.delete(session.scalar(select(CustodyEvent).where(CustodyEvent.log_index == 302)))
    record_now(db, "recording.read", object_id="rec")
    with pytest.raises(LogForkError, match="the log has 302 entries, 303 were signed"):
        Sequencer(db, log).run_once()
    writer = TileWriter(log.tiles, 302)
    for entry in (b"{}", b"{}"):
        writer.append(entry)
    writer.flush()
    with pytest.raises(LogForkError, match="doesn't begin with"):
        log.sign(writer.size, writer.root())
    assert log.checkpoint().size == 302


@pytest.mark.usefixtures("sealed")
def test_a_log_forked_with_copies_of_everything_shows_to_whoever_holds_a_head_of_the_other_branch(db, log, tmp_path):
    shutil.copytree(log.dir, tmp_path / "fork" / "log")
    shutil.copytree(tmp_path / "keys", tmp_path / "fork" / "keys")
    with closing(sqlite3.connect(db.engine.url.database)) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "fork.db"),))
    heads = {}
    forked, other = Database(f"sqlite:///{tmp_path}/fork.db"), tmp_path / "fork"
    for name, base, branch in (
        ("true", db, log),
        ("fork", forked, Log.open(other / "log", other / "keys", origin=log.origin)),
    ):
        record_now(base, "recording.viewed", object_id=name)
        Sequencer(base, branch).run_once()
        assert audit(base, branch).verdict is Verdict.VALID  # each by itself is whole
        heads[name] = branch.checkpoint().note
    [problem] = audit(db, log, kept=[heads["fork"]]).problems
    assert (problem.code, problem.where) == ("root", "kept checkpoint 1")
    assert audit(db, log, kept=[heads["true"]]).verdict is Verdict.VALID
    forked.close()


@pytest.mark.usefixtures("sealed")
def test_a_frozen_log_is_noticed_by_the_age_of_its_newest_entry(db, log, sequencer):
    assert audit(db, log, max_age=timedelta(minutes=5)).verdict is Verdict.VALID
    frozen_at = clock.now()
    clock.set_now(lambda: frozen_at + timedelta(minutes=6))
    report = audit(db, log, max_age=timedelta(minutes=5))
    assert [problem.code for problem in report.problems] == ["frozen"]
    assert audit(db, log).verdict is Verdict.VALID  # what is there is whole: only its age tells
    with db.read() as session:
        state = log_state(session, log)
    assert (state.pending, state.late) == (0, False)  # nothing waits, and yet it stands still
    assert state.stands_still(60)
    record_now(db, "log.tick", object_id="log", actor="system")
    sequencer.run_once()
    assert audit(db, log, max_age=timedelta(minutes=5)).verdict is Verdict.VALID


@pytest.mark.usefixtures("sealed")
def test_a_single_flipped_bit_anywhere_in_the_log_s_folder_is_found(db, log):
    take(db, log, [Held(f"{number:064x}", ("main",), None) for number in range(20)])
    Sequencer(db, log).run_once()
    shutil.rmtree(log.dir / "receipts")  # copies of rows that are checked themselves
    unread = {"sequencer.lock", "46"}  # "46": the right edge of a smaller tree, left over until its tile is full
    files = sorted(path for path in log.dir.rglob("*") if path.is_file() and path.name not in unread)
    chance = random.Random(11)
    for path in [*files, *chance.choices(files, k=40)]:
        good = path.read_bytes()
        flip(path, chance.randrange(len(good) * 8))
        assert _audit_afresh(db, log) in {"tampered", "refused"}, path
        path.write_bytes(good)
    assert _audit_afresh(db, log) == "valid"


def _audit_afresh(db, log):
    fresh = Log.open(log.dir, log._keys_dir, origin=log.origin)
    try:
        return audit(db, fresh).verdict.value
    except LogKeyError:  # the public key itself was flipped
        return "refused"


@pytest.mark.usefixtures("sealed")
def test_one_flipped_bit_of_a_database_row_is_found(db, log):
    chance = random.Random(5)
    columns = ("body", "openings", "kind", "object_id")
    with db.read() as session:
        rows = session.execute(select(CustodyEvent.id, *(getattr(CustodyEvent, name) for name in columns))).all()
    for row in chance.sample(rows, 25):
        name = chance.choice([name for name in columns if getattr(row, name)])
        good = getattr(row, name)
        at = chance.randrange(len(good))
        bad = good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :]
        for value, expected in ((bad, Verdict.TAMPERED), (good, Verdict.VALID)):
            with db.write() as session:
                session.execute(update(CustodyEvent).where(CustodyEvent.id == row.id).values({name: value}))
            assert audit(db, log).verdict is expected, (name, at)


@pytest.mark.usefixtures("sealed")
def test_a_log_whose_key_forgot_its_head_is_not_signed_on(db, log, tmp_path):
    (tmp_path / "keys" / HEAD_FILE).unlink()
    with pytest.raises(LogForkError, match="not beside the key"):
        Sequencer(db, log).run_once()


@pytest.mark.usefixtures("sealed")
def test_a_signed_log_never_gets_a_new_key(log, tmp_path):
    (tmp_path / "keys" / KEY_FILE).unlink()
    with pytest.raises(LogKeyError, match="missing"):
        Log.open(log.dir, tmp_path / "keys", origin="bodycam.test/log").unlock()
    (tmp_path / "keys" / KEY_FILE).write_text(Signer.generate("bodycam.test/log").private_text())
    with pytest.raises(LogKeyError, match="not the public half"):
        Log.open(log.dir, tmp_path / "keys", origin="bodycam.test/log").unlock()
    with pytest.raises(LogKeyError, match="elsewhere"):
        Log.open(log.dir, tmp_path / "keys", origin="elsewhere/log").unlock()


@pytest.mark.usefixtures("sealed")
def test_a_log_rewritten_and_signed_by_a_key_of_the_attacker_s_own_is_caught(db, log, sealed, tmp_path):
    root = rewrite(db, log, sealed)
    own = Signer.generate(log.origin)
    (log.dir / "checkpoint").write_text(Checkpoint.sign(own, 302, root).note)
    (log.dir / "log.vkey").write_text(f"{own.verifier}\n")
    fresh = Log.open(log.dir, tmp_path / "keys", origin=log.origin)
    assert [(problem.code, problem.where) for problem in audit(db, fresh).problems] == [("signature", "log-head")]
    with pytest.raises(LogKeyError, match="not the public half"):
        Sequencer(db, fresh).run_once()


@pytest.mark.usefixtures("sealed")
def test_an_earlier_checkpoint_of_the_same_log_still_fits(db, log, sequencer):
    kept = log.checkpoint().note
    record_now(db, "recording.viewed", object_id="rec")
    sequencer.run_once()
    assert audit(db, log, kept=[kept]).verdict is Verdict.VALID
    assert audit(db, log, kept=["not a note"]).verdict is Verdict.TAMPERED


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_spoils_a_receipt(db, log, sealed, data):
    good = receipt_text(db, sealed).encode()
    bit = data.draw(st.integers(0, len(good) * 8 - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ReceiptError, UnicodeDecodeError)):
        verify_receipt(bytes(bad).decode(), log.verifier)


def test_every_flipped_bit_of_the_first_receipt_s_opening_and_proof_is_found(db, log, sealed):
    good = receipt_text(db, sealed)
    for line in good.split("\n")[-25:-1]:
        start = good.index(line)
        for at in range(start, start + len(line)):
            bad = good[:at] + chr(ord(good[at]) ^ 1) + good[at + 1 :]
            with pytest.raises(ReceiptError):
                verify_receipt(bad, log.verifier)


def test_a_receipt_of_another_log_is_refused(db, sealed):
    with pytest.raises(ReceiptError, match="didn't sign"):
        verify_receipt(receipt_text(db, sealed), Signer.generate("bodycam.test/log").verifier)


def test_a_receipt_never_opens_private_values(db, log, sequencer):
    event_id = record_now(db, "submission.received", object_id="s", private={"name": "Trần Thị B"})
    sequencer.run_once()
    text = receipt_text(db, event_id)
    assert "Trần" not in text
    assert json.loads(text)["openings"] == {}
    assert verify_receipt(text, log.verifier).sha256 is None


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_foreign_text_is_a_refused_receipt_and_never_a_crash(text):
    verifier = Signer.generate("x").verifier
    with pytest.raises(ReceiptError):
        verify_receipt(text, verifier)
    with pytest.raises(NoteError):
        parse_proof(text).check(b"", verifier)


@pytest.mark.parametrize(
    "value",
    [
        {"schema": "bodycam/receipt/1"},
        {"schema": "bodycam/receipt/1", "event": {}, "openings": {"content": 3}, "proof": []},
        {"schema": "bodycam/receipt/1", "event": {}, "openings": {}, "proof": [1]},
        {"schema": "bodycam/receipt/1", "event": [], "openings": {}, "proof": []},
        {"schema": "bodycam/receipt/2", "event": {}, "openings": {}, "proof": []},
    ],
)
def test_a_receipt_of_another_shape_is_refused(value):
    with pytest.raises(ReceiptError):
        verify_receipt(json.dumps(value, indent=1) + "\n", Signer.generate("x").verifier)


@pytest.mark.usefixtures("sealed")
def test_a_proof_reads_back_and_proves_only_its_own_entry(log):
    checkpoint = log.checkpoint()
    for index in (0, 255, 256, 301):
        entry = log.tiles.entry(index, checkpoint.size)
        proof = parse_proof(prove(log, index, checkpoint, entry=entry))
        assert proof.check(entry, log.verifier) == checkpoint
        with pytest.raises(NoteError):
            proof.check(entry + b" ", log.verifier)

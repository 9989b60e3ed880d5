"""Destroying what opens the commitments: gone for good, and nothing proves less."""

from bodycam.custody import destroy_openings, history, receipt_for, record_now
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.models import CustodyEvent
from bodycam.custody.receipts import receipt_path, verify_receipt
from bodycam.custody.report import Verdict
from bodycam.custody.service import openings_of


def seal(db, object_id="rec"):
    return record_now(
        db, "recording.sealed", object_id=object_id, sha256="ab" * 32, size=7, private={"name": "MOVI0001.MP4"}
    )


def test_destroyed_openings_are_gone_and_every_proof_still_verifies(db, log, sequencer):
    sealed, other = seal(db), seal(db, "other")
    sequencer.run_once()
    with db.write() as session:
        assert destroy_openings(session, "rec", actor="acc") == 1
    sequencer.run_once()
    with db.read() as session:
        assert [event.openings for event in history(session, "rec")] == [None, None]
        told = history(session, "rec")[-1]
        assert (told.kind, told.actor, parse(told.body)["details"]) == ("openings.destroyed", "acc", {"events": 1})
        assert openings_of(session.get(CustodyEvent, other))["content"]["sha256"] == "ab" * 32
        receipt = receipt_for(session, sealed).body
    assert receipt_path(log, sealed).read_text() == receipt
    assert verify_receipt(receipt, log.verifier).sha256 is None
    report = audit(db, log)
    assert report.verdict is Verdict.VALID
    assert report.receipts == 2


def test_destroying_twice_says_so_once(db, sequencer):
    seal(db)
    sequencer.run_once()
    for expected in (1, 0):
        with db.write() as session:
            assert destroy_openings(session, "rec") == expected
    with db.read() as session:
        assert [event.kind for event in history(session, "rec")] == ["recording.sealed", "openings.destroyed"]


def test_openings_of_an_event_that_still_waits_for_the_log_are_destroyed_too(db, log, sequencer):
    sealed = seal(db)
    with db.write() as session:
        destroy_openings(session, "rec")
    sequencer.run_once()
    with db.read() as session:
        assert verify_receipt(receipt_for(session, sealed).body, log.verifier).sha256 is None
    assert audit(db, log).verdict is Verdict.VALID


def test_a_destroyed_salt_is_not_left_behind_in_the_database_s_file(db, tmp_path):
    sealed = seal(db)
    with db.read() as session:
        salt = str(openings_of(session.get(CustodyEvent, sealed))["name"]["salt"]).encode()
    with db.write() as session:
        destroy_openings(session, "rec")
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(salt not in path.read_bytes() for path in tmp_path.glob("test.db*"))

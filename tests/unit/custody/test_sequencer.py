import threading
import time

import pytest
from sqlalchemy import select

from bodycam.custody import history, merkle, receipt_for, record, record_now
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.queries import log_state
from bodycam.custody.receipts import receipt_path, verify_receipt
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.db import Base, Database
from bodycam.process import AlreadyRunningError


def rows(db):
    with db.read() as session:
        return list(session.scalars(select(CustodyEvent).order_by(CustodyEvent.log_index)))


def seal(db, object_id="rec"):
    return record_now(db, "recording.sealed", object_id=object_id, sha256="ab" * 32, size=7)


def test_events_get_their_index_a_checkpoint_and_the_receipts_they_earn(db, log, sequencer):
    sealed = seal(db)
    viewed = record_now(db, "recording.viewed", object_id="rec", actor="acc")
    assert sequencer.run_once() == 3  # the first event of a log names its key
    assert [row.log_index for row in rows(db)] == [0, 1, 2]
    assert rows(db)[2].kind == "key.created"
    checkpoint = log.checkpoint()
    assert checkpoint.size == 3
    assert log.head() == checkpoint
    with db.read() as session:
        assert receipt_for(session, viewed) is None
        receipt = receipt_for(session, sealed)
        assert receipt.object_id == "rec"
    assert receipt_path(log, sealed).read_text() == receipt.body
    verified = verify_receipt(receipt.body, log.verifier)
    assert (verified.sha256, verified.size, verified.index) == ("ab" * 32, 7, 0)
    assert verified.leaf_hash == merkle.leaf_hash(rows(db)[0].body.encode()).hex()
    assert len(receipt.body.encode()) <= 4096
    assert sequencer.run_once() == 0


def test_events_that_commit_out_of_id_order_are_all_taken(db, log, sequencer):
    with db.write() as session:
        record(session, "recording.read", object_id="late", event_id="0002")
    sequencer.run_once()
    with db.write() as session:  # began earlier, commits later
        record(session, "recording.read", object_id="early", event_id="0001")
    assert sequencer.run_once() == 1
    with db.read() as session:
        assert history(session, "early")[0].log_index == 2
    assert audit(db, log).verdict is Verdict.VALID


def test_a_large_log_grows_in_batches_and_audits_clean(db, log, sequencer):
    for batch in (1, 254, 2, 600):
        with db.write() as session:
            for _ in range(batch):
                record(session, "recording.read", object_id="r")
        sequencer.run_once()
    seen = []
    report = audit(db, log, progress=lambda done, size: seen.append((done, size)))
    assert report.verdict is Verdict.VALID
    assert report.events == report.size == 858
    assert seen[-1] == (858, 858)
    assert not list((log.dir / "tile/0").glob("000.p"))


def test_a_second_sequencer_is_refused_and_a_single_run_waits_for_the_first(db, log, sequencer):
    stop = threading.Event()
    first = threading.Thread(target=sequencer.run_forever, args=(stop,))
    first.start()
    try:
        deadline = time.monotonic() + 5
        while not log.checkpoint_at() and time.monotonic() < deadline:
            time.sleep(0.02)
        with pytest.raises(AlreadyRunningError):
            Sequencer(db, log).run_forever(threading.Event(), wait_s=0.1)
        sealed = seal(db)
        assert Sequencer(db, log).run_once() == 0
        with db.read() as session:
            assert receipt_for(session, sealed) is not None
    finally:
        stop.set()
        first.join()


def test_an_idle_log_ticks_so_that_a_checkpoint_is_never_old(db, log, sequencer):
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run_forever, args=(stop,), kwargs={"checkpoint_s": 0.2})
    thread.start()
    deadline = time.monotonic() + 10
    while (log.checkpoint().size if log.checkpoint_at() else 0) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join()
    assert [row.kind for row in rows(db)][:4] == ["key.created", "log.tick", "log.tick", "log.tick"]
    assert audit(db, log).verdict is Verdict.VALID


def test_the_state_says_what_waits_and_for_how_long(db, log, sequencer):
    with db.read() as session:
        assert log_state(session, log).size == 0
        assert log_state(session, log).checkpoint_at is None
    seal(db)
    time.sleep(0.01)
    with db.read() as session:
        state = log_state(session, log)
    assert (state.pending, state.late) == (1, False)
    assert state.oldest_pending_s > 0
    sequencer.run_once()
    with db.read() as session:
        state = log_state(session, log)
    assert (state.size, state.pending, state.oldest_pending_s) == (2, 0, 0.0)
    assert state.checkpoint_at is not None


def test_a_database_from_an_older_backup_is_brought_forward(db, log, sequencer, tmp_path):
    old, sealed = seal(db), seal(db, "rec2")
    sequencer.run_once()
    older = Database(f"sqlite:///{tmp_path}/older.db")
    Base.metadata.create_all(older.engine)
    with older.write() as session, db.read() as full:
        for model in (CustodyEvent, Receipt):
            row = full.get(model, old)
            session.add(model(**{column.key: getattr(row, column.key) for column in model.__table__.columns}))
            session.flush()
    Sequencer(older, log).run_once()
    assert [row.body for row in rows(older)][:3] == [row.body for row in rows(db)]
    assert rows(older)[3].kind == "log.rows_restored"
    assert parse(rows(older)[3].body)["details"] == {"mended": 0, "rows": 2}
    with older.read() as session:
        assert receipt_for(session, sealed) is not None  # without the lost salt, but proven
    assert audit(older, log).verdict is Verdict.VALID
    older.close()


def test_a_row_deleted_from_the_middle_is_made_again(db, log, sequencer):
    seal(db)
    sequencer.run_once()
    with db.write() as session:
        session.delete(session.scalar(select(CustodyEvent).where(CustodyEvent.kind == "key.created")))
    record_now(db, "recording.read", object_id="r")
    Sequencer(db, log).run_once()
    assert [row.log_index for row in rows(db)] == [0, 1, 2, 3]
    assert [row.kind for row in rows(db)][1] == "key.created"


def test_a_lost_receipt_row_is_issued_again_when_the_sequencer_starts(db, log, sequencer):
    sealed = seal(db)
    sequencer.run_once()
    with db.write() as session:
        session.delete(receipt_for(session, sealed))
    stop = threading.Event()
    stop.set()
    sequencer.run_forever(stop)
    with db.read() as session:
        assert verify_receipt(receipt_for(session, sealed).body, log.verifier).sha256 == "ab" * 32


def test_an_audit_beside_a_living_sequencer_finds_nothing(db, log, sequencer):
    stop = threading.Event()
    thread = threading.Thread(target=sequencer.run_forever, args=(stop,))
    thread.start()
    try:
        least, most = time.monotonic() + 1.5, time.monotonic() + 60
        report = audit(db, log)
        while time.monotonic() < least or (report.size <= 256 and time.monotonic() < most):
            time.sleep(0.01)  # SQLite's lock isn't fair: without a pause the writer in this loop may keep it
            with db.write() as session:
                for _ in range(40):
                    record(session, "recording.read", object_id="r")
            seal(db)
            report = audit(db, log)
            assert report.verdict is Verdict.VALID, report.problems[:3]
    finally:
        stop.set()
        thread.join()
    assert report.size > 256


@pytest.mark.postgres
def test_on_postgresql_it_works_the_same_and_the_advisory_lock_makes_it_one(postgres_url, tmp_path):
    db = Database(postgres_url)
    Base.metadata.create_all(db.engine)
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")
    elsewhere = Log.open(tmp_path / "log2", tmp_path / "keys2", origin="bodycam.test/log")
    with db.write() as session:
        for _ in range(300):
            record(session, "recording.read", object_id="r")
    sealed = seal(db)
    with Sequencer(db, log).hold(), pytest.raises(AlreadyRunningError):
        Sequencer(db, elsewhere).run_once(wait_s=0.1)
    assert Sequencer(db, log).run_once() == 302
    with db.read() as session:
        assert receipt_for(session, sealed) is not None
        assert log_state(session, log).pending == 0
    assert audit(db, log).verdict is Verdict.VALID
    db.close()

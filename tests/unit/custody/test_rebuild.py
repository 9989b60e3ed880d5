"""The table of events is an index: lost, emptied, older or altered, it comes back from the tiles, which are never touched."""

import hashlib

import pytest
from sqlalchemy import delete, select, text, update

from bodycam.custody import history, merkle, receipt_for, record, record_now
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.errors import LogDamagedError, LogForkError
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.rebuild import rebuild
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.custody.service import openings_of


@pytest.fixture
def sealed(db, sequencer):
    """A log of 602 entries; returns the id of the event that has a receipt."""
    with db.write() as session:
        for number in range(600):
            record(session, "camera.reported_broken", object_id=f"r{number}", private={"note": "màn hình vỡ"})
    event_id = record_now(db, "recording.sealed", object_id="rec", sha256="cd" * 32, size=99, private={"name": "a.mp4"})
    sequencer.run_once()
    return event_id


def on_disk(log):
    files = sorted(path for path in log.dir.rglob("*") if path.is_file())
    return {
        path.name if path.parent == log.dir else str(path): hashlib.sha256(path.read_bytes()).digest() for path in files
    }


def bodies(db):
    with db.read() as session:
        query = select(CustodyEvent.log_index, CustodyEvent.body).where(CustodyEvent.log_index.is_not(None))
        return list(session.execute(query.order_by(CustodyEvent.log_index)))


def check_rebuilt(db, log, before, **told):
    assert bodies(db)[: len(before)] == before
    Sequencer(db, log).run_once()
    with db.read() as session:
        last = history(session, "log", limit=1000)[-1]
    assert (last.kind, parse(last.body)["details"]) == ("log.rows_restored", told)
    assert audit(db, log).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "how", ["DELETE FROM custody_event", "DROP TABLE custody_event", "DELETE FROM custody_event WHERE log_index > 300"]
)
def test_a_table_that_is_lost_emptied_or_older_comes_back_whole(db, log, sealed, how):
    before, files, receipt = bodies(db), on_disk(log), receipt_body(db, sealed)
    with db.write() as session:
        session.execute(delete(Receipt))
        session.execute(text(how))
    seen = []
    brought = rebuild(db, log, lambda done, size: seen.append((done, size)))
    missing = 301 if "WHERE" in how else 602
    assert (brought.made, brought.mended) == (missing, 0)
    assert seen == [(256, 602), (512, 602), (602, 602)]
    assert on_disk(log) == files  # receipts too: the very ones that were given
    assert receipt_body(db, sealed) == receipt
    check_rebuilt(db, log, before, rows=missing, mended=0)


def receipt_body(db, event_id):
    with db.read() as session:
        return receipt_for(session, event_id).body


def test_openings_that_are_there_stay_and_lost_ones_are_counted(db, log, sealed):
    with db.write() as session:
        session.execute(delete(Receipt))
        session.execute(delete(CustodyEvent).where(CustodyEvent.log_index >= 300))
    brought = rebuild(db, log)
    with db.read() as session:
        kept = session.scalar(select(CustodyEvent).where(CustodyEvent.log_index == 10))
        assert openings_of(kept)["note"]["value"] == "màn hình vỡ"
        # the receipt's own file still opens the content; the name is gone
        assert openings_of(session.get(CustodyEvent, sealed)).keys() == {"content"}
    assert brought.unopened == brought.made - 1  # all but the key's event, which hides nothing


def test_altered_rows_are_replaced_by_what_was_signed_and_said(db, log, sealed):
    before = bodies(db)
    with db.write() as session:
        session.execute(
            update(CustodyEvent).where(CustodyEvent.id == sealed).values(kind="recording.viewed", actor="somebody")
        )
        session.execute(update(CustodyEvent).where(CustodyEvent.log_index == 5).values(body='{"id":"x"}'))
        session.execute(update(CustodyEvent).where(CustodyEvent.log_index == 7).values(id="slipped-in"))
        session.execute(update(CustodyEvent).where(CustodyEvent.log_index == 20).values(log_index=9000))
        session.execute(update(CustodyEvent).where(CustodyEvent.log_index == 21).values(log_index=20))
        session.execute(update(CustodyEvent).where(CustodyEvent.log_index == 9000).values(log_index=21))
    assert audit(db, log).verdict is Verdict.TAMPERED
    brought = rebuild(db, log)
    assert (brought.made, brought.mended) == (1, 5)
    check_rebuilt(db, log, before, rows=1, mended=5)


@pytest.mark.usefixtures("sealed")
def test_broken_off_it_goes_on_and_nothing_is_written_twice(db, log):
    before = bodies(db)
    with db.write() as session:
        session.execute(delete(Receipt))
        session.execute(delete(CustodyEvent))

    def stop(done, _size):
        if done == 512:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(db, log, stop)
    assert bodies(db) == before[:512]
    assert rebuild(db, log).made == 90
    check_rebuilt(db, log, before, rows=90, mended=0)


@pytest.mark.usefixtures("sealed")
def test_events_that_still_wait_are_left_waiting(db, log):
    waiting = record_now(db, "recording.viewed", object_id="rec")
    with db.write() as session:
        session.execute(delete(CustodyEvent).where(CustodyEvent.log_index.between(100, 200)))
    rebuild(db, log)
    with db.read() as session:
        assert session.get(CustodyEvent, waiting).log_index is None
    Sequencer(db, log).run_once()
    assert audit(db, log).verdict is Verdict.VALID


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("name", ["tile/entries/001", "tile/0/001", "tile/0/002.p/90"])
def test_an_altered_tile_is_never_believed(db, log, name):
    with db.write() as session:
        session.execute(delete(Receipt))
        session.execute(delete(CustodyEvent))
    path = log.dir / name
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises((LogDamagedError, LogForkError)):
        rebuild(db, log)
    assert len(bodies(db)) <= 256  # the bundle before it


@pytest.mark.usefixtures("sealed")
def test_an_entry_rewritten_together_with_its_own_tile_is_not_believed(db, log):
    with db.write() as session:
        session.execute(delete(Receipt))
        session.execute(delete(CustodyEvent))
    entries = log.dir / "tile/entries/000"
    first = log.tiles.entries(0, 602)[0]
    altered = first.replace(b"reported_broken", b"reported_brokem")
    entries.write_bytes(entries.read_bytes().replace(first, altered))
    tile = log.dir / "tile/0/000"
    tile.write_bytes(merkle.leaf_hash(altered) + tile.read_bytes()[32:])
    with pytest.raises(LogDamagedError, match="don't lead to the signed root"):
        rebuild(db, log)
    assert bodies(db) == []


@pytest.mark.usefixtures("sealed")
def test_a_database_that_knows_more_than_was_signed_is_refused(db, log):
    with db.write() as session:
        record(session, "recording.viewed", object_id="rec").log_index = 602
    with pytest.raises(LogForkError, match="603 entries, 602 were signed"):
        rebuild(db, log)


def test_a_log_that_nothing_was_signed_for_has_nothing_to_give(db, tmp_path):
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")
    assert rebuild(db, log).made == 0

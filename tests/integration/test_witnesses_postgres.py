"""The log's witnesses on PostgreSQL: cosignatures, receipts written anew, the alarm and the timestamps' queue."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from witness_world import made, policy_of, served

from bodycam import clock
from bodycam.custody import receipt_for, record_now, witnessing
from bodycam.custody.gathering import Gatherer
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, TimestampToken
from bodycam.custody.sequencer import Sequencer
from bodycam.custody.stamping import Stamper
from bodycam.custody.timestamps import authorities
from bodycam.custody.witness_state import witnesses_state
from bodycam.db import Database
from bodycam.migrations.runner import upgrade_to_head

pytestmark = pytest.mark.postgres
LATE = timedelta(minutes=15)


def test_a_quorum_a_receipt_and_an_alarm_on_postgresql(postgres_url, tmp_path):
    upgrade_to_head(postgres_url)
    db = Database(postgres_url)
    log = Log.open(tmp_path / "log", tmp_path / "keys", origin="bodycam.test/log")
    event_id = record_now(db, "recording.sealed", object_id="rec", sha256="ab" * 32, size=7)
    Sequencer(db, log).run_once()
    witness = made(tmp_path / "w", 1, logs=[str(log.verifier)])
    with served(witness) as url:
        policy = policy_of(log.verifier, [(witness.vkey, url)], 1)
        asking = Gatherer(db, log, policy, timeout_s=3, late=LATE)
        assert asking.round(log.checkpoint())
        assert asking.round(log.checkpoint())  # the same again changes nothing
    with db.read() as session:
        assert receipt_for(session, event_id).witnessed_at is not None
        state = witnesses_state(session, log, policy, LATE)
        assert (state.size, state.behind, state.late, state.needed) == (2, 0, False, (1, 1))
    record_now(db, "recording.read", object_id="rec")
    Sequencer(db, log).run_once()
    later = clock.now() + timedelta(hours=1)
    clock.set_now(lambda: later)
    assert witnessing.watch_quorum(db, log, policy, LATE)
    assert witnessing.watch_quorum(db, log, policy, LATE)
    assert witnessing.forget_old(db) == 0
    dated = authorities([("http://127.0.0.1:9/", tmp_path / "none.pem")])
    assert Stamper(db, log, dated, every=LATE, timeout_s=1).run_once() == 0
    with db.read() as session:
        assert session.scalars(select(CustodyEvent).where(CustodyEvent.kind == witnessing.LATE)).one()
        assert session.scalars(select(TimestampToken)).one().token_at is None
    db.close()

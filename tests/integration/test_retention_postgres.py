"""Retention on PostgreSQL: the whole way of a batch, a hold that comes meanwhile, and a negative that reopens."""

from datetime import timedelta
from pathlib import Path

import pytest
from retention_world import START, opened

from bodycam import clock
from bodycam.recordings.models import Recording
from bodycam.retention import holds, negatives, queries
from bodycam.retention.negatives import Asked
from bodycam.retention.targets import Target


@pytest.mark.postgres
def test_the_whole_way_of_a_batch_with_a_hold_in_between(tmp_path: Path, postgres_url: str, monkeypatch) -> None:
    with opened(tmp_path, url=postgres_url) as world:
        monkeypatch.setattr(clock, "boot_id", lambda: world.boot)
        monkeypatch.setattr(clock, "monotonic", lambda: world.now.timestamp())
        world.people()
        free, held = world.seal(), world.seal()
        with world.rt.db.write() as session:
            asked = Asked(
                starts_at=START - timedelta(hours=2), ends_at=START - timedelta(hours=1), everything=True, plate="29A1"
            )
            row = negatives.sign(session, asked, actor=world.accounts["monitor"], unit_id=world.units["a"])
        late = world.seal(kind="video")
        with world.rt.db.write() as session:
            assert negatives.appeared(session, late) == [row.id]
        world.later(days=100)
        batch = world.approved()
        assert batch.items == 3
        with world.rt.db.write() as session:
            holds.place_for_complaint(session, Target(recording_id=held), submission_id="s1")
        world.cool_off()
        assert world.run(batch) == "done"
        with world.rt.db.read() as session:
            there = [world.rt.vault.holds(session.get_one(Recording, one).object_id) for one in (free, held, late)]
            stones = queries.list_tombstones(session)
            older = queries.list_tombstones(session, before=(stones[0].destroyed_at, stones[0].leaf_index))
            assert queries.counts_of(session, batch.id) == {"destroyed": 2, "kept": 1}
        assert there == [False, True, False]
        assert older == stones[1:]

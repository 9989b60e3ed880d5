"""What the hourly inventory shows: a deletion nobody decided, a list altered or taken away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bodycam import clock
from bodycam.custody import history, merkle, record_now
from bodycam.custody.audit import audit
from bodycam.custody.canonical import parse
from bodycam.custody.inventory import Held, compare, inventories, kept, list_path, read_list, take
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer

START = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
VAULT = [Held(f"{number:064x}", ("main", "second"), START) for number in range(300)]


@pytest.fixture
def hours():
    """Move the clock by hours."""
    moment = START

    def go(count):
        nonlocal moment
        moment += timedelta(hours=count)
        clock.set_now(lambda: moment)

    go(0)
    return go


def codes(db, log):
    Sequencer(db, log).run_once()
    return [problem.code for problem in audit(db, log).problems]


@pytest.mark.usefixtures("hours")
def test_the_root_in_the_log_is_the_rfc_6962_root_over_the_lines(db, log, sequencer):
    taken = take(db, log, VAULT)
    sequencer.run_once()
    lines = list_path(log, taken.event_id).read_bytes().split(b"\n")[:-1]
    assert lines[0] == b'{"copies":["main","second"],"object":"%064x","verified":"2026-11-01T00:30:00.000000Z"}' % 0
    assert list(read_list(log, taken.event_id)) == VAULT

    def root(leaves):  # RFC 6962, 2.1
        if len(leaves) == 1:
            return merkle.leaf_hash(leaves[0])
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return merkle.node_hash(root(leaves[:split]), root(leaves[split:]))

    with db.read() as session:
        event = history(session, "log")[0]
        [told] = inventories(session)
    details = {"root": root(lines).hex(), "objects": 300, "copies": 600}
    assert (event.kind, parse(event.body)["details"]) == ("log.inventory", details)
    assert (told.root, told.index) == (taken.root, event.log_index)
    assert codes(db, log) == []


def test_a_silently_deleted_object_shows_between_two_inventories(db, log, hours):
    older = take(db, log, VAULT)
    hours(1)
    newer = take(db, log, [*VAULT[:7], *VAULT[8:]])
    with db.read() as session:
        [loss] = compare(session, log, older, newer)
        told = history(session, "log")[-1]
    assert (loss.object_id, loss.is_gone, loss.places) == (VAULT[7].object_id, True, ("main", "second"))
    assert (told.kind, parse(told.body)["details"]["named"]) == ("log.objects_gone", [VAULT[7].object_id])
    assert codes(db, log) == ["object_gone"]


def test_an_object_destroyed_by_a_disposition_is_explained(db, log, hours):
    take(db, log, VAULT)
    hours(1)
    record_now(db, "recording.destroyed", object_id="rec", details={"objects": [VAULT[299].object_id]})
    take(db, log, VAULT[:299])
    with db.read() as session:
        assert "log.objects_gone" not in {event.kind for event in history(session, "log")}
    assert codes(db, log) == []


def test_a_lost_copy_and_a_lost_last_copy_show(db, log, hours):
    take(db, log, VAULT)
    hours(1)
    take(db, log, [replace(VAULT[0], copies=("main",)), replace(VAULT[1], copies=()), *VAULT[2:]])
    assert codes(db, log) == ["copy_gone", "object_gone"]


def test_an_altered_list_is_found_and_a_missing_one_is_missed(db, log, hours):
    first = take(db, log, VAULT)
    hours(1)
    second = take(db, log, VAULT)
    path = list_path(log, first.event_id)
    good = path.read_bytes()
    for bad in (
        good.replace(b"main", b"mine", 1),
        good[:-1],
        b"".join(good.splitlines(keepends=True)[:-1]),
        b"\xff\n",
        b"",
    ):
        path.write_bytes(bad)
        assert codes(db, log) == ["inventory"]
    path.write_bytes(good)
    list_path(log, second.event_id).unlink()
    assert codes(db, log) == ["inventory_missing"]
    assert audit(db, log).verdict is Verdict.INCOMPLETE


def test_lists_are_kept_two_days_then_one_a_day_then_one_a_month(db, log, hours):
    for _ in range(100 * 4):
        take(db, log, VAULT[:3])
        hours(6)
    take(db, log, VAULT[:3])
    with db.read() as session:
        wanted = kept(session)
    assert {path.stem for path in (log.dir / "inventories").iterdir()} == {one.event_id for one in wanted}
    ages = [(clock.now() - one.taken_at) / timedelta(days=1) for one in wanted]
    assert sum(age < 2 for age in ages) == 8
    assert sum(2 <= age < 90 for age in ages) in {87, 88, 89}
    assert [f"{one.taken_at:%m-%d}" for one in wanted if clock.now() - one.taken_at > timedelta(days=90)] == ["11-01"]
    assert codes(db, log) == []


@pytest.mark.usefixtures("hours")
def test_an_empty_vault_has_an_inventory_too(db, log):
    assert take(db, log, []).root == merkle.EMPTY_ROOT.hex()
    assert codes(db, log) == []


@pytest.mark.usefixtures("hours")
def test_a_place_taken_twice_or_out_of_order_is_no_list(db, log):
    taken = take(db, log, [VAULT[1], VAULT[0]])
    with pytest.raises(ValueError, match="not in order"):
        list(read_list(log, taken.event_id))

"""The log and its witnesses: honest ones, slow ones, lying ones, and logs that lie to witnesses."""

import json
import shutil
import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import func, select, update
from witness_world import Liar, Tree, answering, cosigning, made, policy_of, reply, served

from bodycam import clock
from bodycam.custody import merkle, receipt_for, record_now, witnessing
from bodycam.custody.audit import audit
from bodycam.custody.canonical import canonical
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import ReceiptError
from bodycam.custody.gathering import Gatherer
from bodycam.custody.log import Log
from bodycam.custody.models import Cosignature, CustodyEvent, Receipt, WitnessStanding
from bodycam.custody.note import encode
from bodycam.custody.receipts import receipt_path, upgrade, verify_receipt
from bodycam.custody.report import Verdict
from bodycam.custody.sequencer import Sequencer
from bodycam.custody.witness_client import Trouble
from bodycam.db import Database

LATE = timedelta(minutes=15)


def seal(db, sequencer, name="rec"):
    event_id = record_now(db, "recording.sealed", object_id=name, sha256="ab" * 32, size=7)
    sequencer.run_once()
    return event_id


def gatherer(db, log, policy, timeout_s=2.0):
    return Gatherer(db, log, policy, timeout_s=timeout_s, late=LATE)


def receipt_text(db, event_id):
    with db.read() as session:
        return receipt_for(session, event_id).body


def kinds(db, kind):
    with db.read() as session:
        query = select(CustodyEvent.body).where(CustodyEvent.kind == kind).order_by(CustodyEvent.id)
        return [json.loads(body) for body in session.scalars(query)]


def troubles(db):
    with db.read() as session:
        return {row.witness.split(".")[0]: row.trouble for row in session.scalars(select(WitnessStanding))}


@pytest.fixture
def three(tmp_path, log, db, sequencer):
    """Three honest witnesses on sockets and the policy that wants two of them; the log has one receipt."""
    seal(db, sequencer, "first")
    with ExitStack() as stack:
        witnesses = [made(tmp_path / f"w{n}", n, logs=[str(log.verifier)]) for n in (1, 2, 3)]
        pairs = [(witness.vkey, stack.enter_context(served(witness))) for witness in witnesses]
        yield policy_of(log.verifier, pairs)


def test_every_checkpoint_is_cosigned_and_published_with_its_quorum(db, log, sequencer, three):
    asking = gatherer(db, log, three)
    for number in range(4):
        seal(db, sequencer, f"rec{number}")
        assert asking.round(log.checkpoint())
        judged = three.judge(log.witnessed_checkpoint().note)
        assert judged.checkpoint.size == log.checkpoint().size
        assert [name for name, _ in judged.witnesses] == ["w1", "w2", "w3"]
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Cosignature)) == 12
    assert troubles(db) == {}


def test_a_receipt_is_given_at_once_and_written_anew_when_a_quorum_came(db, log, sequencer, three):
    event_id = seal(db, sequencer)
    before = receipt_text(db, event_id)
    assert verify_receipt(before, three).judged.quorum is False
    seal(db, sequencer, "another")
    gatherer(db, log, three).round(log.checkpoint())
    after = receipt_text(db, event_id)
    old, new = verify_receipt(before, log.verifier), verify_receipt(after, three)
    assert new.judged.quorum
    assert (new.leaf_hash, new.event, new.sha256) == (old.leaf_hash, old.event, old.sha256)
    assert new.checkpoint.size > old.checkpoint.size
    assert receipt_path(log, event_id).read_text() == after
    assert len(after.encode()) <= 4096
    with db.read() as session:
        assert receipt_for(session, event_id).witnessed_at is not None
    assert audit(db, log).verdict is Verdict.VALID
    assert upgrade(db, log, log.witnessed_checkpoint()) == 0


def test_an_altered_receipt_row_is_not_written_anew_and_holds_no_other_up(db, log, sequencer, three):
    altered, good = seal(db, sequencer, "a"), seal(db, sequencer, "b")
    with db.write() as session:
        session.execute(update(Receipt).where(Receipt.event_id == altered).values(body="{}"))
    gatherer(db, log, three).round(log.checkpoint())
    with db.read() as session:
        assert receipt_for(session, altered).witnessed_at is None
        assert receipt_for(session, good).witnessed_at is not None


def test_dead_and_hanging_witnesses_delay_neither_appends_nor_the_others(db, log, sequencer, tmp_path):
    seal(db, sequencer)
    released = threading.Event()
    with ExitStack() as stack:
        stack.callback(released.set)
        good = made(tmp_path / "w", 1, logs=[str(log.verifier)])
        hanging = stack.enter_context(answering(lambda *_: released.wait(20)))
        policy = policy_of(
            log.verifier,
            [
                (Liar(2).vkey, hanging),
                (Liar(3).vkey, "http://127.0.0.1:9/"),
                (good.vkey, stack.enter_context(served(good))),
            ],
            least=1,
        )
        asking = gatherer(db, log, policy, timeout_s=1.0)
        started = time.monotonic()
        thread = threading.Thread(target=asking.round, args=(log.checkpoint(),))
        thread.start()
        seal(db, sequencer, "meanwhile")
        assert time.monotonic() - started < 1.0
        thread.join()
        assert time.monotonic() - started < 4
        assert log.witnessed_checkpoint().size == 2
        assert troubles(db) == {"liar2": "away", "liar3": "away"}


def drip(handler, _request):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(200):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def endless(handler, _request):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    block = b"\xe2\x80\x94 " + b"x" * 2**20
    for _ in range(1000):
        handler.wfile.write(block)


OTHER_KEY = Liar(9).key
LIES = {
    "signs another root": (
        lambda liar: cosigning(liar, body="bodycam.test/log\n2\n" + "A" * 43 + "=\n"),
        Trouble.FALSE,
    ),
    "signs with another key": (lambda liar: cosigning(liar, key=OTHER_KEY), Trouble.FALSE),
    "signs for another witness": (lambda _: cosigning(Liar(8)), Trouble.FALSE),
    "says a time in the future": (lambda liar: cosigning(liar, at=time.time() + 86400), Trouble.WRONG_TIME),
    "says a time long past": (lambda liar: cosigning(liar, at=time.time() - 86400), Trouble.WRONG_TIME),
    "returns nothing": (lambda _: reply(200, ""), Trouble.FALSE),
    "returns garbage": (lambda _: reply(200, bytes(range(256)) * 20), Trouble.FALSE),
    "returns a redirect": (lambda _: reply(302, "elsewhere"), Trouble.AWAY),
    "answers a gigabyte": (lambda _: endless, Trouble.FALSE),
    "drips a byte at a time": (lambda _: drip, Trouble.AWAY),
    "breaks off": (lambda _: lambda handler, _request: handler.wfile.write(b"HTTP/1.1 20"), Trouble.AWAY),
    "is no web server": (lambda _: lambda handler, _request: handler.wfile.write(b"SSH-2.0-x\r\n"), Trouble.AWAY),
    "claims a size beyond the log": (lambda _: reply(409, "999\n"), Trouble.AHEAD),
    "claims another size each time": (lambda _: reply(409, "1\n"), Trouble.OTHER_ROOT),
    "claims a size that is none": (lambda _: reply(409, "-1\n"), Trouble.REFUSED),
    "refuses the log": (lambda _: reply(404, "no"), Trouble.REFUSED),
    "calls the proof false": (lambda _: reply(422, "no"), Trouble.REFUSED),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_witness_that_lies_counts_for_nothing_and_is_told(db, log, sequencer, tmp_path, lie):
    seal(db, sequencer)
    liar, (make, trouble) = Liar(1), LIES[lie]
    with ExitStack() as stack:
        good = made(tmp_path / "w", 2, logs=[str(log.verifier)])
        pairs = [
            (liar.vkey, stack.enter_context(answering(make(liar)))),
            (good.vkey, stack.enter_context(served(good))),
        ]
        started = time.monotonic()
        assert not gatherer(db, log, policy_of(log.verifier, pairs), timeout_s=1.0).round(log.checkpoint())
        assert time.monotonic() - started < 5
    assert log.witnessed_checkpoint() is None
    assert troubles(db) == {"liar1": trouble.value}
    told = kinds(db, "witness.contradicted")
    assert [event["details"]["trouble"] for event in told] == ([trouble.value] if trouble.contradicts else [])
    with db.read() as session:
        assert [row.witness.split(".")[0] for row in session.scalars(select(Cosignature))] == ["w2"]


def test_a_witness_that_was_rolled_back_is_told_and_still_helps(db, log, sequencer, tmp_path):
    seal(db, sequencer)
    folder = tmp_path / "w"
    witness = made(folder, 1, logs=[str(log.verifier)])
    backup = (folder / "journal").read_bytes()
    with served(witness) as url:
        assert gatherer(db, log, policy_of(log.verifier, [(witness.vkey, url)], 1)).round(log.checkpoint())
    (folder / "journal").write_bytes(backup)
    seal(db, sequencer, "later")
    forgetful = made(folder, 1, logs=[str(log.verifier)])  # no second journal: it can't tell by itself
    with served(forgetful) as url:
        assert gatherer(db, log, policy_of(log.verifier, [(witness.vkey, url)], 1)).round(log.checkpoint())
    assert troubles(db) == {"w1": "rolled_back"}
    assert [event["details"]["trouble"] for event in kinds(db, "witness.contradicted")] == ["rolled_back"]


def test_a_stale_size_is_taken_from_the_409_and_costs_one_more_question(db, log, sequencer, three):
    gatherer(db, log, three).round(log.checkpoint())
    with db.write() as session:  # a database put back from before: it knows of no cosignature
        session.execute(Cosignature.__table__.delete())
    seal(db, sequencer)
    assert gatherer(db, log, three).round(log.checkpoint())
    assert troubles(db) == {}


def test_a_log_that_forks_towards_two_witnesses_gets_a_quorum_for_one_history_only(db, log, sequencer, tmp_path):
    seal(db, sequencer)
    vkey = str(log.verifier)
    witnesses = [made(tmp_path / f"w{n}", n, logs=[vkey]) for n in (1, 2, 3)]
    # the insider copies log and keys, and writes another history with the copy
    shutil.copytree(log.dir, tmp_path / "other-log")
    shutil.copytree(tmp_path / "keys", tmp_path / "other-keys")
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        connection.execute(f"VACUUM INTO '{tmp_path / 'other.db'}'")
    other = Log.open(tmp_path / "other-log", tmp_path / "other-keys", origin=log.origin)
    other_db = Database(f"sqlite:///{tmp_path / 'other.db'}")
    seal(db, sequencer, "the truth")
    seal(other_db, Sequencer(other_db, other), "a lie")
    with ExitStack() as stack:
        urls = [stack.enter_context(served(witness)) for witness in witnesses]
        vkeys = [witness.vkey for witness in witnesses]
        everybody = policy_of(vkey, list(zip(vkeys, urls, strict=True)))
        nobody = "http://127.0.0.1:9/"
        truth = policy_of(vkey, [(vkeys[0], urls[0]), (vkeys[1], nobody), (vkeys[2], urls[2])])
        lie = policy_of(vkey, [(vkeys[0], nobody), (vkeys[1], urls[1]), (vkeys[2], nobody)])
        assert not gatherer(other_db, other, lie).round(other.checkpoint())
        assert gatherer(db, log, truth).round(log.checkpoint())
        # whoever of them is asked for the other history refuses it, now and after it has grown
        assert not gatherer(other_db, other, everybody).round(other.checkpoint())
        seal(other_db, Sequencer(other_db, other), "more of it")
        assert not gatherer(other_db, other, everybody).round(other.checkpoint())
    assert other.witnessed_checkpoint() is None
    assert {event["details"]["trouble"] for event in kinds(other_db, "witness.contradicted")} <= {
        "refused",
        "other_root",
        "ahead",
    }
    assert len(kinds(other_db, "witness.contradicted")) >= 2
    other_db.close()


def test_a_log_put_back_from_a_backup_is_told_by_its_witnesses(db, log, sequencer, three, tmp_path):
    for path in (log.dir, tmp_path / "keys"):
        shutil.copytree(path, tmp_path / f"old-{path.name}")
    older = Log.open(tmp_path / "old-log", tmp_path / "old-keys", origin=log.origin)
    seal(db, sequencer)
    gatherer(db, log, three).round(log.checkpoint())
    assert not gatherer(db, older, three).round(older.checkpoint())
    assert set(troubles(db).values()) == {"ahead"}


def test_a_cosignature_row_altered_in_the_database_spoils_no_quorum(db, log, three):
    asking = gatherer(db, log, three)
    asking.round(log.checkpoint())
    (log.dir / "witnessed").unlink()
    with db.write() as session:
        row = session.scalars(select(Cosignature).limit(1)).one()
        row.line = row.line[:-6] + ("A" if row.line[-6] != "A" else "B") + row.line[-5:]
    published = witnessing.publish(db, log, three, log.checkpoint())
    assert len(three.judge(published.note).witnesses) == 2


def test_a_late_quorum_is_an_alarm_once_and_its_return_too(db, log, sequencer, three):
    asking = gatherer(db, log, three)
    asking.round(log.checkpoint())
    assert not witnessing.watch_quorum(db, log, three, LATE)
    seal(db, sequencer, "while the line is cut")
    start = clock.now()
    clock.set_now(lambda: start + timedelta(minutes=20))
    assert witnessing.watch_quorum(db, log, three, LATE)
    assert witnessing.watch_quorum(db, log, three, LATE)
    clock.set_now(None)
    sequencer.run_once()
    asking.round(log.checkpoint())
    clock.set_now(lambda: start + timedelta(minutes=10))
    assert not witnessing.watch_quorum(db, log, three, LATE)
    assert (len(kinds(db, witnessing.LATE)), len(kinds(db, witnessing.BACK))) == (1, 1)


def test_a_running_gatherer_waits_for_a_slow_witness_and_publishes_what_it_signs(db, log, sequencer):
    seal(db, sequencer)
    liar = Liar(1)

    def late(handler, request):
        time.sleep(0.6)
        cosigning(liar)(handler, request)

    with answering(late) as url:
        policy = policy_of(log.verifier, [(liar.vkey, url)], 1)
        asking = gatherer(db, log, policy, timeout_s=3)
        stop = threading.Event()
        thread = threading.Thread(target=asking.run_forever, args=(stop,), kwargs={"ask_s": 0.1})
        thread.start()
        deadline = time.monotonic() + 10
        while log.witnessed_checkpoint() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        stop.set()
        thread.join()
    assert log.witnessed_checkpoint() is not None


def test_a_bit_flipped_in_a_receipts_cosignature_lines_never_proves_a_quorum(db, log, sequencer, tmp_path):
    event_id = seal(db, sequencer)
    with ExitStack() as stack:
        pairs = []
        for number in (1, 2):
            witness = made(tmp_path / f"w{number}", number, logs=[str(log.verifier)])
            pairs.append((witness.vkey, stack.enter_context(served(witness))))
        policy = policy_of(log.verifier, pairs)
        gatherer(db, log, policy).round(log.checkpoint())
    text = receipt_text(db, event_id).encode()
    assert verify_receipt(text.decode(), policy).judged.quorum
    start = text.index("— w1.example".encode())
    for bit in range(start * 8, (len(text) - 6) * 8):
        data = bytearray(text)
        data[bit // 8] ^= 1 << bit % 8
        try:
            assert not verify_receipt(data.decode(), policy).judged.quorum
        except (ReceiptError, UnicodeDecodeError):
            continue


def test_the_policy_in_force_is_recorded_when_it_changes(db, tmp_path):
    path = tmp_path / "policy"
    for text in ("a", "a", "b"):
        path.write_text(text)
        witnessing.note_policy(db, path)
    assert len(kinds(db, "witness.policy_set")) == 2


def test_a_receipt_with_three_cosignatures_fits_4_kb_in_a_log_of_sixteen_million(db, log, sequencer):
    event_id = record_now(
        db,
        "recording.sealed",
        object_id="0" * 36,
        actor="station:" + "0" * 36,
        device="0" * 36,
        device_time="2026-11-22T07:00:00+07:00",
        details={"object": "a" * 64, "origin": "dock", "visit": "0" * 36},
        private={"name": "x.mp4", "serial": "1"},
        sha256="ab" * 32,
        size=2**33,
    )
    sequencer.run_once()
    issued = json.loads(receipt_text(db, event_id))
    size, index = 2**24, 2**23 + 4_711
    hashes = [sha256(str(level).encode()).digest() for level in range(24)]
    root = merkle.leaf_hash(canonical(issued["event"]).encode())
    for level, sibling in enumerate(hashes):
        root = merkle.node_hash(sibling, root) if index >> level & 1 else merkle.node_hash(root, sibling)
    head = Checkpoint.sign(log.unlock(), size, root)
    liars = [Liar(number) for number in (101, 102, 103)]
    note = head.note + "".join(liar.line(head.body) for liar in liars)
    proof = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(encode, hashes), *note.removesuffix("\n").split("\n")]
    proof.insert(2 + len(hashes), "")
    text = json.dumps(issued | {"proof": proof}, ensure_ascii=False, indent=1) + "\n"
    verified = verify_receipt(text, policy_of(log.verifier, [(liar.vkey, "") for liar in liars], 3))
    assert verified.judged.quorum
    assert verified.index == index
    assert len(text.encode()) <= 4096
    print(len(text.encode()), "bytes")  # noqa: T201


def test_the_audit_holds_the_log_against_its_witnessed_head(db, log, three):
    assert [problem.code for problem in audit(db, log, policy=three).problems] == ["unwitnessed"]
    gatherer(db, log, three).round(log.checkpoint())
    assert audit(db, log, policy=three).verdict is Verdict.VALID
    path = log.dir / "witnessed"
    good = path.read_text()
    for spoilt in (good[:-40] + ("A" if good[-40] != "A" else "B") + good[-39:], good[:-200], "", "garbage"):
        path.write_text(spoilt)
        assert audit(db, log, policy=three).verdict is Verdict.TAMPERED
    fork = Tree.of(2, signer=log.unlock()).head(2)
    path.write_text(fork.note)  # the insider's own signature over another tree of that size
    assert "root" in {problem.code for problem in audit(db, log).problems}
    longer = Tree.of(9, signer=log.unlock()).head(9)
    path.write_text(longer.note)
    assert "rolled_back" in {problem.code for problem in audit(db, log).problems}


def test_old_cosignatures_go_and_each_witness_keeps_its_newest(db, log, sequencer, three):
    asking = gatherer(db, log, three)
    for number in range(3):
        seal(db, sequencer, f"rec{number}")
        asking.round(log.checkpoint())
    assert witnessing.forget_old(db) == 0
    start = clock.now()
    clock.set_now(lambda: start + timedelta(days=31))
    assert witnessing.forget_old(db) == 6
    with db.read() as session:
        assert set(session.scalars(select(Cosignature.size))) == {log.checkpoint().size}
    assert upgrade(db, log, log.witnessed_checkpoint()) == 0

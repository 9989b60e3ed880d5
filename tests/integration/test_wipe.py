"""Wiping a virtual camera: only by an order that stands in the log, each file checked again, nothing lost by a pull or a kill."""

import io
import os
import random

import pytest
import wipe_story
from sqlalchemy import delete, select, update
from wipe_dock import Story

from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.sequencer import Sequencer
from bodycam.fleet.docking import ensure_station
from bodycam.recordings.models import CameraFile, Recording
from bodycam.settings import load_settings
from bodycam.wipes import service, signed
from bodycam.wipes.listing import items_of, list_sha256
from bodycam.wipes.models import OrderState, WipeItem, WipeOrder
from dock_service.cameras.folder import FolderCamera
from dock_service.cameras.mtp import MtpCamera
from dock_service.wipe import Watch as WipeWatch
from dock_service.wipe import run_orders

make = random.Random(21).randbytes


@pytest.fixture
def rt(tmp_path):
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as opened:
        yield opened


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def files(*names):
    return {f"DCIM/{name}.mp4": make(3000 + n) for n, name in enumerate(names)}


def test_an_order_empties_the_camera_file_by_file_and_every_step_is_written_down(rt, story):
    story.tell(rt, files("a", "b"))
    camera, visit = story.docked()
    order = story.ordered()
    said = []
    done = run_orders(rt, camera, visit, WipeWatch(say=said.append))
    assert (done.wiped, done.kept, story.on_card()) == (2, 0, [])
    assert story.kinds() == ["wiping", "wiped"] * 2
    assert said == [f"{order.number} · 1/2", f"{order.number} · 2/2", ""]
    assert (story.state(order), story.kinds("wipe.")[-1]) == ("done", "done")
    with rt.db.read() as session:
        assert set(session.scalars(select(CameraFile.state))) == {"wiped"}
        recordings = list(session.scalars(select(Recording).where(Recording.camera_id == story.camera_id)))
    assert len(recordings) == 2
    assert all(rt.vault.verify(recording.object_id).ok for recording in recordings)
    assert run_orders(rt, camera, visit, WipeWatch()) == type(done)()  # a replay finds nothing to do
    camera.close()
    camera, visit = story.docked()  # and the empty camera docks as ever
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0


def test_nothing_is_deleted_before_the_signed_copy_is_attached_nor_after_a_withdrawal(rt, story):
    story.tell(rt, files("a"))
    camera, visit = story.docked()

    def run():
        assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0
        assert story.on_card() == ["DCIM/a.mp4"]

    run()
    order = story.raised()
    run()
    with rt.db.write() as session:
        service.refuse(session, order.id, actor=story.unit.approver, reason="chưa đủ")
    run()
    order = story.approved()
    run()
    signed.attach(rt, order.id, io.BytesIO(wipe_story.PDF), actor=story.unit.commander)
    with rt.db.write() as session:
        service.withdraw(session, order.id, actor=story.unit.commander, reason="nhầm máy")
    run()
    assert story.kinds() == []
    assert story.items(order) == {"DCIM/a.mp4": ("kept", "withdrawn")}


def row(**values):
    def change(session, order):
        session.execute(update(WipeOrder).where(WipeOrder.id == order.id).values(**values))

    return change


def approve_own(session, order):
    row(approved_by=order.raised_by)(session, order)


def drop_a_file(session, order):
    first = session.scalars(select(WipeItem.id).where(WipeItem.order_id == order.id).order_by(WipeItem.id)).first()
    session.execute(delete(WipeItem).where(WipeItem.id == first))


def swap_the_hash(session, order):
    session.execute(update(WipeItem).where(WipeItem.order_id == order.id).values(sha256="0" * 64))


def swap_the_scan(session, order):
    other = session.scalars(select(Recording.id).where(Recording.camera_id.is_not(None))).first()
    row(signed_recording_id=other)(session, order)


def forget_the_scan(session, order):
    row(signed_recording_id=None)(session, order)


def forge(session, order):
    """Let the plan approver have approved another list: the row fits the order, the log's leaf doesn't."""
    drop_a_file(session, order)
    [left] = items_of(session, order.id)
    told = list_sha256(order, [left])
    row(list_sha256=told)(session, order)
    for event in session.scalars(select(CustodyEvent).where(CustodyEvent.object_id == order.id)):
        event.body = event.body.replace(order.list_sha256, told)


def by_another(session, order):
    event = session.scalars(
        select(CustodyEvent).where(CustodyEvent.kind == "wipe.approved", CustodyEvent.object_id == order.id)
    ).one()
    event.body = event.body.replace(order.approved_by, order.raised_by)


def test_an_order_that_the_log_does_not_know_deletes_nothing(rt, story):
    """Rows changed by hand, one order after another on the same camera; each ends with its file kept, and the reason."""
    story.tell(rt, files("a", "b"))
    camera, visit = story.docked()
    for change, reason in (
        (approve_own, "own_order"),
        (drop_a_file, "list_changed"),
        (swap_the_hash, "list_changed"),
        (row(day="2026-01-01"), "list_changed"),
        (row(list_sha256="0" * 64), "list_changed"),
        (swap_the_scan, "order_not_in_log"),
        (forget_the_scan, "order_not_in_log"),
        (by_another, "order_not_in_log"),
        (forge, "order_not_in_log"),
    ):
        order = story.ordered()
        with rt.db.write() as session:
            change(session, order)
        assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0
        assert story.on_card() == ["DCIM/a.mp4", "DCIM/b.mp4"]
        assert set(story.items(order).values()) == {("kept", reason)}
    order = story.raised()
    with rt.db.write() as session:  # the state alone, without anybody's approval or signature
        row(state=OrderState.ORDERED, list_sha256=list_sha256(order, items_of(session, order.id)))(session, order)
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0
    order = story.ordered()
    with rt.db.read() as session:
        scan = session.get_one(Recording, session.get_one(WipeOrder, order.id).signed_recording_id)
    damage(rt, scan.object_id)
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0
    assert set(story.items(order).values()) == {("kept", "no_signed_copy")}
    assert story.on_card() == ["DCIM/a.mp4", "DCIM/b.mp4"]
    assert story.kinds() == ["kept"] * 20
    order = story.ordered()
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 2  # and an honest one goes through


def damage(rt, object_id):
    path = rt.vault.root / "objects" / object_id[:2] / object_id
    path.chmod(0o600)
    data = path.read_bytes()
    path.write_bytes(data[:600] + bytes([data[600] ^ 1]) + data[601:])


def test_a_file_that_is_not_what_was_sealed_is_kept_and_the_others_go(rt, story):
    reasons = {
        "damaged": "vault", "missing": "vault", "no_receipt": "receipt", "bad_receipt": "receipt",
        "other_receipt": "receipt", "same_size": "other_bytes", "other_time": "changed",
        "grown": "changed", "gone": "not_listed",
    }  # fmt: skip
    story.tell(rt, files("honest", *reasons))
    camera, visit = story.docked()
    order = story.ordered()

    def recording(name):
        with rt.db.read() as session:
            return session.scalars(select(Recording).where(Recording.name == f"DCIM/{name}.mp4")).one()

    damage(rt, recording("damaged").object_id)
    lost = recording("missing").object_id
    (rt.vault.root / "objects" / lost[:2] / lost).unlink()
    with rt.db.write() as session:
        honest = session.get_one(Receipt, recording("honest").sealed_event_id).body
        for name in ("no_receipt", "bad_receipt", "other_receipt"):
            receipt = session.get_one(Receipt, recording(name).sealed_event_id)
            if name == "no_receipt":
                session.delete(receipt)
            else:
                receipt.body = (
                    honest if name == "other_receipt" else receipt.body.replace("recording.sealed", "recording.viewed")
                )
    card = story.virtual.card / "DCIM"
    when = (card / "same_size.mp4").stat()
    (card / "same_size.mp4").write_bytes(make(when.st_size))
    os.utime(card / "same_size.mp4", (when.st_mtime, when.st_mtime))
    os.utime(card / "other_time.mp4", (1_790_000_600, 1_790_000_600))
    with (card / "grown.mp4").open("ab") as grown:
        grown.write(b"!")
    os.utime(card / "grown.mp4", (when.st_mtime, when.st_mtime))
    (card / "gone.mp4").unlink()
    before = story.on_card()
    done = run_orders(rt, camera, visit, WipeWatch())
    found = {path[5:-4]: told for path, told in story.items(order).items()}
    assert found.pop("honest") == ("wiped", "")
    assert found == {name: ("kept", reason) for name, reason in reasons.items()}
    assert set(before) - set(story.on_card()) == {"DCIM/honest.mp4"}
    assert (done.wiped, done.kept, story.state(order)) == (1, 9, "done")


def test_an_order_waits_until_the_logs_signed_head_covers_it(rt, story):
    story.tell(rt, files("a"))
    camera, visit = story.docked()
    order = signed.attach(rt, story.approved().id, io.BytesIO(wipe_story.PDF), actor=story.unit.commander)
    done = run_orders(rt, camera, visit, WipeWatch())
    assert (done.wiped, done.kept, story.items(order)) == (0, 0, {"DCIM/a.mp4": ("waiting", "")})
    Sequencer(rt.db, rt.log).run_once()
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 1


def test_an_order_is_carried_out_at_its_own_station_only(rt, story):
    story.tell(rt, files("a"))
    camera, _ = story.docked()
    order = story.ordered()
    camera.close()
    with rt.db.write() as session:
        other = ensure_station(session, name="Trạm cắm 02", slots=4, unit_id=story.unit.unit_id).id
    camera, visit = story.docked(other)
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 0
    camera.close()
    assert (story.on_card(), story.state(order)) == (["DCIM/a.mp4"], "ordered")
    camera, visit = story.docked()
    assert run_orders(rt, camera, visit, WipeWatch()).wiped == 1


@pytest.mark.parametrize(("case", "reason"), [("read_only", "camera_refused"), ("lying", "still_listed")])
def test_a_camera_that_does_not_delete_is_not_believed(rt, story, monkeypatch, case, reason):
    story.tell(rt, files("a"), read_only=case == "read_only")
    camera, visit = story.docked()
    order = story.ordered()
    if case == "lying":
        monkeypatch.setattr(MtpCamera, "delete", lambda *_: None)
    done = run_orders(rt, camera, visit, WipeWatch())
    assert (done.wiped, done.kept) == (0, 1)
    assert story.items(order) == {"DCIM/a.mp4": ("kept", reason)}
    with rt.db.read() as session:
        assert session.scalars(select(CameraFile.state)).one() == "on_camera"
    assert story.raised()  # it may be listed again


def test_a_card_that_is_only_read_keeps_its_files_and_is_not_read_in_vain(rt, story, tmp_path, monkeypatch):
    story.tell(rt, {})
    card = tmp_path / "card"
    card.mkdir()
    (card / "ID.txt").write_text("S-1\n")
    for name in "abc":
        (card / f"{name}.mp4").write_bytes(make(1000))
    camera, visit = story.docked(camera=FolderCamera(card))
    order = story.ordered()
    read, original = [], FolderCamera.read
    monkeypatch.setattr(
        FolderCamera, "read", lambda self, file, offset=0: read.append(file) or original(self, file, offset)
    )
    assert run_orders(rt, camera, visit, WipeWatch()).kept == 3
    assert set(story.items(order).values()) == {("kept", "camera_read_only")}
    assert len(read) == 1
    assert len(list(card.glob("*.mp4"))) == 3

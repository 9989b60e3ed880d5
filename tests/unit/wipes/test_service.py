"""Orders to wipe: who may do which step when, what may be listed, and a card that fills."""

import io
import itertools

import pytest
from sqlalchemy import select
from wipe_story import PDF, make

from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.fleet.docking import ensure_station
from bodycam.fleet.models import Camera, CameraState
from bodycam.recordings.models import CameraFile, CameraFileState, Recording
from bodycam.wipes import service, signed
from bodycam.wipes.errors import (
    ListChangedError,
    NothingToWipeError,
    OwnOrderError,
    SignedCopyError,
    WipeStateError,
)
from bodycam.wipes.listing import items_of, list_sha256
from bodycam.wipes.minute import minute_of
from bodycam.wipes.models import OrderState, WipeItem, WipeOrder

FILES = {"DCIM/a.mp4": make(3000), "DCIM/b.mp4": make(5000)}


def raised(unit, **kwargs):
    with unit.rt.db.write() as session:
        return service.raise_order(session, unit.station_id, actor=unit.commander, **kwargs)


def shown(unit, order):
    with unit.rt.db.read() as session:
        return list_sha256(session.get_one(WipeOrder, order.id), items_of(session, order.id))


def approved(unit, order):
    with unit.rt.db.write() as session:
        return service.approve(session, order.id, actor=unit.approver, seen=shown(unit, order))


def kinds(unit, object_id):
    query = select(CustodyEvent.kind).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id)
    with unit.rt.db.read() as session:
        return list(session.scalars(query))


def test_an_order_goes_from_raised_to_ordered_and_each_step_is_an_event(unit):
    unit.visit(unit.camera(), FILES)
    order = raised(unit)
    assert (order.state, order.raised_by, order.number[-6:]) == ("raised", unit.commander, unit.station_id[-6:].upper())
    seen = shown(unit, order)
    order = approved(unit, order)
    assert (order.state, order.approved_by, order.list_sha256) == ("approved", unit.approver, seen)
    order = signed.attach(unit.rt, order.id, io.BytesIO(PDF), actor=unit.commander)
    assert (order.state, order.signed_by) == ("ordered", unit.commander)
    assert kinds(unit, order.id) == ["wipe.raised", "wipe.approved", "wipe.ordered"]
    with unit.rt.db.read() as session:
        scan = signed.signed_copy(session, order)
        assert [listed.file.path for _, listed in items_of(session, order.id)] == ["DCIM/a.mp4", "DCIM/b.mp4"]
    assert (scan.origin, scan.unit_id, signed.mime_of(scan)) == ("import", None, "application/pdf")
    with unit.rt.vault.open(scan.object_id) as reader:
        assert b"".join(reader.chunks()) == PDF


def test_nobody_approves_what_he_raised_or_added_to(unit):
    unit.visit(unit.camera(), FILES)
    order = raised(unit)
    with pytest.raises(OwnOrderError), unit.rt.db.write() as session:
        service.approve(session, order.id, actor=unit.commander, seen=shown(unit, order))
    unit.visit(unit.camera("S-2"), {"c.mp4": make(100)})
    with unit.rt.db.write() as session:
        assert service.raise_order(session, unit.station_id, actor=unit.approver).id == order.id
    with pytest.raises(OwnOrderError):
        approved(unit, order)


def test_the_approver_approves_only_the_list_he_was_shown(unit):
    unit.visit(unit.camera(), FILES)
    order = raised(unit)
    seen = shown(unit, order)
    unit.visit(unit.camera("S-2"), {"c.mp4": make(100)})
    assert raised(unit).id == order.id  # another camera joins the same day's batch
    with pytest.raises(ListChangedError), unit.rt.db.write() as session:
        service.approve(session, order.id, actor=unit.approver, seen=seen)
    assert approved(unit, order).state == "approved"
    assert "wipe.extended" in kinds(unit, order.id)


def test_a_closed_list_takes_nothing_more_and_the_next_batch_of_the_day_has_a_suffix(unit):
    unit.visit(unit.camera(), FILES)
    first = approved(unit, raised(unit))
    unit.visit(unit.camera("S-2"), {"c.mp4": make(100)})
    second = raised(unit)
    assert second.id != first.id
    assert second.number == f"{first.number}-2"
    with unit.rt.db.read() as session:
        assert len(items_of(session, first.id)) == 2
        assert len(items_of(session, second.id)) == 1


def test_an_order_holds_only_so_many_files_and_the_rest_goes_into_the_next(unit, monkeypatch):
    for module in ("service", "listing"):
        monkeypatch.setattr(f"bodycam.wipes.{module}.MAX_FILES", 2)
    unit.visit(unit.camera(), {f"{n}.mp4": make(100) for n in range(3)})
    first = raised(unit)
    second = raised(unit)
    assert second.number == f"{first.number}-2"
    with unit.rt.db.read() as session:
        assert [len(items_of(session, order.id)) for order in (first, second)] == [2, 1]


def test_a_step_in_the_wrong_state_is_refused_by_name_and_changes_nothing(unit):
    unit.visit(unit.camera(), {"a.mp4": make(100)})
    order = raised(unit)
    allowed = {
        "approve": {OrderState.RAISED},
        "attach": {OrderState.APPROVED},
        "refuse": {OrderState.RAISED, OrderState.APPROVED},
        "withdraw": {OrderState.RAISED, OrderState.APPROVED, OrderState.ORDERED},
    }

    def take(step):
        if step == "attach":
            return signed.attach(unit.rt, order.id, io.BytesIO(PDF), actor=unit.commander)
        with unit.rt.db.write() as session:
            if step == "approve":
                return service.approve(session, order.id, actor=unit.approver, seen=shown(unit, order))
            decide = service.refuse if step == "refuse" else service.withdraw
            return decide(session, order.id, actor=unit.approver, reason="thử")

    for state, step in itertools.product(OrderState, allowed):
        with unit.rt.db.write() as session:
            session.get_one(WipeOrder, order.id).state = state
        if state in allowed[step]:
            assert take(step).state != state
            continue
        before = kinds(unit, order.id)
        with pytest.raises(WipeStateError) as told:
            take(step)
        assert order.number in told.value.text("vi")
        assert kinds(unit, order.id) == before
        with unit.rt.db.read() as session:
            assert session.get_one(WipeOrder, order.id).state == state


def test_what_is_no_scan_is_not_taken_for_the_signed_minute(unit):
    unit.visit(unit.camera(), FILES)
    order = approved(unit, raised(unit))
    page = b"<html>" + b" " * 5000
    for data in (b"", b"%PDF-1.7", b"MZ" + bytes(5000), b"PK\x03\x04" + bytes(5000), page):
        with pytest.raises(SignedCopyError):
            signed.attach(unit.rt, order.id, io.BytesIO(data), actor=unit.commander)
    with unit.rt.db.read() as session:
        assert session.get_one(WipeOrder, order.id).state == OrderState.APPROVED
    assert kinds(unit, order.id)[-1] == "wipe.approved"


def test_the_unsigned_print_and_another_orders_copy_are_not_taken(unit):
    unit.visit(unit.camera(), FILES)
    first = approved(unit, raised(unit))
    with unit.rt.db.read() as session:
        prints = [minute_of(session, first.id, language).pdf() for language in ("vi", "en")]
    for data in prints:
        with pytest.raises(SignedCopyError, match="nobody signed"):
            signed.attach(unit.rt, first.id, io.BytesIO(data), actor=unit.commander)
    signed.attach(unit.rt, first.id, io.BytesIO(PDF), actor=unit.commander)
    unit.visit(unit.camera("S-2"), {"c.mp4": make(100)})
    second = approved(unit, raised(unit))
    with pytest.raises(SignedCopyError, match=first.number):
        signed.attach(unit.rt, second.id, io.BytesIO(PDF), actor=unit.commander)
    with unit.rt.db.read() as session:
        assert session.get_one(WipeOrder, second.id).state == OrderState.APPROVED


def test_attaching_goes_on_after_a_crash_between_the_seal_and_the_order(unit, monkeypatch):
    unit.visit(unit.camera(), FILES)
    order = approved(unit, raised(unit))
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(signed, "mark_ordered", lambda *_, **__: (_ for _ in ()).throw(RuntimeError))
        signed.attach(unit.rt, order.id, io.BytesIO(PDF), actor=unit.commander)
    order = signed.attach(unit.rt, order.id, io.BytesIO(PDF), actor=unit.commander)
    assert order.state == "ordered"
    with unit.rt.db.read() as session:
        assert len(session.scalars(select(Recording).where(Recording.origin == "import")).all()) == 1


def test_a_refusal_and_a_withdrawal_need_a_reason_that_stays_out_of_the_leaf(unit):
    unit.visit(unit.camera(), FILES)
    order = raised(unit)
    with pytest.raises(InvalidInputError), unit.rt.db.write() as session:
        service.refuse(session, order.id, actor=unit.approver, reason="  ")
    with unit.rt.db.write() as session:
        ended = service.refuse(session, order.id, actor=unit.approver, reason="Chưa đối chiếu sổ")
    assert (ended.state, ended.reason) == ("refused", "Chưa đối chiếu sổ")
    with unit.rt.db.read() as session:
        event = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == "wipe.refused")).one()
    assert "sổ" not in event.body
    assert raised(unit).id != order.id  # a person may raise the same files again


def change(unit, table, **values):
    with unit.rt.db.write() as session:
        for row in session.scalars(select(table)):
            for name, value in values.items():
                setattr(row, name, value)


def test_only_what_is_safe_elsewhere_may_be_listed(unit):
    camera_id = unit.camera()
    with pytest.raises(NothingToWipeError):
        raised(unit)
    unit.visit(camera_id, {"a.mp4": make(100)})
    for table, values, back in (
        (CameraFile, {"state": CameraFileState.GONE}, {"state": CameraFileState.ON_CAMERA}),
        (CameraFile, {"size": 99}, {"size": 100}),
        (Camera, {"state": CameraState.QUARANTINED}, {"state": CameraState.IN_SERVICE}),
        (Camera, {"state": CameraState.LOST}, {"state": CameraState.IN_SERVICE}),
        (Camera, {"unit_id": unit.other_unit_id}, {"unit_id": unit.unit_id}),
        (Camera, {"unit_id": None}, {"unit_id": unit.unit_id}),
    ):
        change(unit, table, **values)
        with pytest.raises(NothingToWipeError):
            raised(unit)
        change(unit, table, **back)
    with unit.rt.db.read() as session:
        recording_id = session.scalars(select(CameraFile.recording_id)).one()
    change(unit, CameraFile, recording_id=None)  # never sealed
    with pytest.raises(NothingToWipeError):
        raised(unit)
    change(unit, CameraFile, recording_id=recording_id)
    assert raised(unit)
    with pytest.raises(NothingToWipeError):  # it's in an open order now
        raised(unit)


def test_a_file_without_its_receipt_waits(unit, monkeypatch):
    monkeypatch.setattr(Sequencer, "run_once", lambda _: None)
    unit.visit(unit.camera(), FILES)
    with pytest.raises(NothingToWipeError):
        raised(unit)
    monkeypatch.undo()
    Sequencer(unit.rt.db, unit.rt.log).run_once()
    assert raised(unit)


def test_an_order_needs_a_station_that_somebody_answers_for(unit):
    with unit.rt.db.write() as session:
        nobodys = ensure_station(session, name="Trạm cắm 02", slots=8).id
    for station_id in (nobodys, "nowhere"):
        with pytest.raises(NotFoundError), unit.rt.db.write() as session:
            service.raise_order(session, station_id, actor=unit.commander)


def considered(unit, camera_id, visit_id):
    with unit.rt.db.write() as session:
        return service.consider_filling_card(session, camera_id, visit_id)


def test_a_card_that_fills_within_two_shifts_raises_the_batch_by_itself(unit):
    camera_id = unit.camera(free=20_000)
    visit_id = unit.visit(camera_id, {"a.mp4": make(9_000)})
    assert considered(unit, camera_id, visit_id) is None  # two shifts take 18 kB
    visit_id = unit.visit(camera_id, {"b.mp4": make(11_000)})
    assert considered(unit, camera_id, visit_id) is None  # the pace is the median: one long shift changes little
    with unit.rt.db.write() as session:
        session.get_one(Camera, camera_id).storage_free_bytes = 17_000
    order = considered(unit, camera_id, visit_id)
    assert (order.cause, order.raised_by, order.state) == ("card_filling", None, "raised")
    assert "camera.filling" in kinds(unit, camera_id)
    assert considered(unit, camera_id, visit_id) is None  # everything is listed
    assert kinds(unit, camera_id).count("camera.filling") == 1
    with unit.rt.db.read() as session:
        assert len(items_of(session, order.id)) == 2
    assert approved(unit, order).state == "approved"


def test_an_order_that_was_refused_is_not_raised_by_itself_again_the_same_day(unit):
    camera_id = unit.camera(free=0)
    visit_id = unit.visit(camera_id, {"a.mp4": make(9_000)})
    order = considered(unit, camera_id, visit_id)
    with unit.rt.db.write() as session:
        service.refuse(session, order.id, actor=unit.approver, reason="giữ lại")
    assert considered(unit, camera_id, visit_id) is None


def test_a_camera_that_says_nothing_of_its_space_raises_nothing(unit):
    camera_id = unit.camera(free=None)
    assert considered(unit, camera_id, unit.visit(camera_id, FILES)) is None
    assert considered(unit, camera_id, "no-such-visit") is None
    with unit.rt.db.read() as session:
        assert session.scalars(select(WipeItem)).all() == []

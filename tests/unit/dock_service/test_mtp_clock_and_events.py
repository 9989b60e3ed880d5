"""What the client changes on a camera (its clock, and files under a wipe order) and what it hears from it by events."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bodycam import clock
from dock_service.cameras.folder import FolderCamera
from dock_service.cameras.mtp import MtpCamera
from dock_service.errors import CameraGoneError, CameraReadOnlyError, CameraRefusedError, FileReplacedError
from dock_service.ptp.codes import Event, Operation, Response
from dock_service.ptp.containers import pack
from dock_service.ptp.datasets import write_date_time


@pytest.mark.parametrize("zone_hours", [None, 0, -3.5, 7])
def test_a_clock_that_was_set_reads_the_dock_s_time_afterwards_whatever_its_zone(dock, zone_hours):
    virtual = dock.add({}, clock_offset_s=20 * 3600, zone_hours=zone_hours)
    camera = dock.open()
    assert camera.clock().offset_s == pytest.approx(20 * 3600, abs=1)
    assert camera.set_clock(clock.now()) is True
    assert abs(camera.clock().offset_s) < 1.6
    assert abs(virtual.clock_offset_s()) < 1.1
    virtual.unplug()
    dock.bus.poll()
    virtual.plug()
    assert abs(dock.open().clock().offset_s) < 1.6  # it keeps the time


def test_a_camera_that_keeps_utc_without_saying_so_is_set_in_its_zone(dock):
    dock.add({}, clock_offset_s=0)
    found = dock.bus.devices()[0]
    camera = MtpCamera(found.device, found.port, found.serial, timeout_s=0.4, zone=UTC)
    assert camera.clock().offset_s == pytest.approx(7 * 3600, abs=1)  # it tells Vietnam's time, its profile says UTC
    assert camera.set_clock(clock.now())
    assert abs(camera.clock().offset_s) < 1.6


@pytest.mark.parametrize("profile", [{"date_time": False}, {"date_time_set": False}], ids=str)
def test_a_clock_that_can_not_be_set_is_said_and_left_alone(dock, profile):
    virtual = dock.add({}, clock_offset_s=500, **profile)
    assert dock.open().set_clock(clock.now()) is False
    assert virtual.clock_offset_s() == 500


def test_a_set_only_property_is_checked_by_its_description_before_anything_is_written(dock, monkeypatch):
    dock.add({}, clock_offset_s=500)
    camera = dock.open()
    sent = []
    monkeypatch.setattr(camera._session, "send", lambda *given, **_: sent.append(given))
    [device] = dock.backend.enumerate_devices()
    read_only = device.profile.model_copy(update={"date_time_set": False})
    monkeypatch.setattr(device.responder, "_profile", read_only)  # it offers the operation and says "get only"
    assert camera.set_clock(clock.now()) is False
    assert sent == []


def test_data_that_end_exactly_on_a_packet_are_ended_by_an_empty_one(dock, monkeypatch):
    dock.add({})
    camera = dock.open()
    wrote = []
    real = type(camera._link._device).write
    monkeypatch.setattr(
        type(camera._link._device),
        "write",
        lambda self, pipe, data, timeout: wrote.append(len(data)) or real(self, pipe, data, timeout),
    )
    with pytest.raises(CameraRefusedError):
        camera._session.send(Operation.SET_DEVICE_PROP_VALUE, 0x5011, data=bytes(512 - 12))
    assert wrote[1:] == [512, 0]
    assert camera.clock() is not None


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ("20260101T000000", "20261122T101231"),
        ("20260101T000000.5", "20261122T101231"),
        ("20260101T000000Z", "20261122T031231Z"),
        ("20260101T000000-0330", "20261121T234231-0330"),
        ("20260101T000000+9900", "20261122T101231"),  # there is no such zone
        ("nonsense", "20261122T101231"),
    ],
)
def test_a_time_is_written_in_the_camera_s_own_form_to_the_nearest_second(like, expected):
    moment = datetime(2026, 11, 22, 3, 12, 30, 600_000, tzinfo=UTC)
    written = write_date_time(moment, like, timezone(timedelta(hours=7)))
    assert written == expected


def test_one_file_is_deleted_and_only_that_one(dock):
    virtual = dock.add({"DCIM/a.mp4": b"a", "DCIM/b.mp4": b"b"})
    camera = dock.open()
    [first, _] = camera.list_files()
    camera.delete(first)
    assert [file.path for file in camera.list_files()] == ["DCIM/b.mp4"]
    assert not (virtual.card / "DCIM/a.mp4").exists()


def test_a_file_that_changed_since_it_was_listed_is_not_deleted(dock):
    virtual = dock.add({"a.mp4": b"one"})
    camera = dock.open()
    [file] = camera.list_files()
    (virtual.card / "a.mp4").write_bytes(b"three")
    with pytest.raises(FileReplacedError):
        camera.delete(file)
    assert (virtual.card / "a.mp4").read_bytes() == b"three"
    (virtual.card / "a.mp4").unlink()
    camera.list_files()
    with pytest.raises(FileReplacedError):
        camera.delete(file)


def test_a_card_that_is_locked_refuses_by_name(dock):
    virtual = dock.add({"a.mp4": b"one"}, read_only=True)
    camera = dock.open()
    [file] = camera.list_files()
    with pytest.raises(CameraRefusedError) as refused:
        camera.delete(file)
    assert refused.value.is_response(Response.STORE_READ_ONLY)
    assert (virtual.card / "a.mp4").exists()


def test_a_deletion_whose_answer_is_lost_is_looked_up_and_never_sent_blindly_again(dock, monkeypatch):
    virtual = dock.add({"a.mp4": b"a", "b.mp4": b"b"})
    camera = dock.open(timeout_s=0.05)
    [first, _] = camera.list_files()
    [device] = dock.backend.enumerate_devices()
    asked = []
    real = device.responder._delete

    def delete_and_be_silent(transaction, handle, *rest):
        asked.append(handle)
        real(transaction, handle, *rest)
        device._hung = True
        return Response.OK

    monkeypatch.setattr(device.responder, "_delete", delete_and_be_silent)
    camera.delete(first)
    assert asked == [first.key]
    assert [path.name for path in virtual.card.iterdir()] == ["b.mp4"]


def test_a_camera_that_says_ok_and_keeps_the_file_is_not_believed(dock, monkeypatch):
    dock.add({"a.mp4": b"a"})
    camera = dock.open()
    [file] = camera.list_files()
    [device] = dock.backend.enumerate_devices()
    monkeypatch.setattr(device.responder, "_delete", lambda *_: Response.OK)
    with pytest.raises(CameraRefusedError):
        camera.delete(file)


def test_handles_given_out_anew_after_a_recovery_never_lead_to_another_file(dock):
    dock.add({"a.mp4": b"a" * 9, "b.mp4": b"b" * 9})
    camera = dock.open()
    [first, second] = camera.list_files()
    [device] = dock.backend.enumerate_devices()
    camera._session._recover()
    assert b"".join(camera.read(first)) == b"a" * 9
    objects = device.responder._objects
    objects[first.key], objects[second.key] = objects[second.key], objects[first.key]
    with pytest.raises(CameraGoneError):
        b"".join(camera.read(second))


def test_a_folder_is_never_written(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"a")
    camera = FolderCamera(tmp_path)
    [file] = camera.list_files()
    with pytest.raises(CameraReadOnlyError):
        camera.delete(file)
    assert camera.set_clock(clock.now()) is False
    assert camera.changed() is False
    assert (tmp_path / "a.mp4").exists()


def test_what_comes_goes_or_grows_on_the_card_is_heard_once(dock):
    virtual = dock.add({"a.mp4": b"a"})
    camera = dock.open()
    camera.list_files()
    assert camera.changed() is False
    (virtual.card / "b.mp4").write_bytes(b"b")
    assert camera.changed() is True
    assert camera.changed() is False
    (virtual.card / "b.mp4").write_bytes(b"bb")
    assert camera.changed() is True
    (virtual.card / "a.mp4").unlink()
    assert camera.changed() is True
    camera.delete(camera.list_files()[0])
    assert camera.changed() is False  # our own deletion is no news


def test_a_full_card_is_heard(dock):
    virtual = dock.add({"a.mp4": b"a"}, capacity=10)
    camera = dock.open()
    (virtual.card / "b.mp4").write_bytes(bytes(10))
    [device] = dock.backend.enumerate_devices()
    assert device.responder.event()[6:8] == int(Event.STORE_FULL).to_bytes(2, "little")
    (virtual.card / "c.mp4").write_bytes(b"c")
    assert camera.changed() is True


def test_a_camera_without_an_interrupt_pipe_says_nothing(dock):
    virtual = dock.add({}, events=False)
    camera = dock.open()
    (virtual.card / "b.mp4").write_bytes(b"b")
    assert camera.changed() is False


@pytest.mark.parametrize(
    "event",
    [b"x", bytes(24), pack(4, Event.DEVICE_INFO_CHANGED, 1), pack(3, Event.OBJECT_ADDED, 1), pack(4, 0x4001, 1)],
)
def test_an_event_that_is_nonsense_or_about_something_else_is_no_change_and_never_hangs(dock, monkeypatch, event):
    dock.add({})
    camera = dock.open()
    [device] = dock.backend.enumerate_devices()
    monkeypatch.setattr(device.responder, "event", lambda: event)  # without end
    assert camera.changed() is False


def test_a_camera_that_is_pulled_while_it_is_listened_to_is_gone_by_name(dock):
    virtual = dock.add({})
    camera = dock.open()
    virtual.unplug()
    with pytest.raises(CameraGoneError):
        camera.changed()

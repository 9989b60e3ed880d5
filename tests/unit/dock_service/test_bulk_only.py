"""Bulk-only transport and the DV16's answers against a wire that lies."""

import struct
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import usb.core
from hypothesis import given
from hypothesis import strategies as st
from virtual_dock import VirtualDock

from dock_service.cameras.bulk_only import BulkOnly
from dock_service.cameras.dv16 import Dv16, is_dv16, read_info
from dock_service.errors import CameraError, CameraRefusedError, CameraStalledError, ProtocolError


class Wire:
    """A device's pipes: gives what it was told to give, whatever it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.tags = []
        self.cleared, self.resets = [], 0

    def write(self, _, data, __):
        if len(data) == 31:
            self.tags.append(struct.unpack_from("<I", data, 4)[0])
        return len(data)

    def read(self, _, buffer, __):
        answer = self.answers.pop(0) if self.answers else usb.core.USBTimeoutError("timed out", -7, 110)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(self.tags[-1])
        memoryview(buffer)[: len(answer)] = answer
        return len(answer)

    def clear_halt(self, endpoint):
        self.cleared.append(endpoint)

    def ctrl_transfer(self, kind, request, *_):
        self.resets += (kind, request) == (0x21, 0xFF)


def status(code=0, residue=0, signature=b"USBS", tag=None):
    return lambda sent: struct.pack("<4sIIB", signature, sent if tag is None else tag, residue, code)


def drive_on(wire):
    drive = BulkOnly(SimpleNamespace(), "1-1")
    drive._device, drive._in, drive._out, drive._interface = wire, 0x81, 0x02, 0
    return drive


HALT = usb.core.USBError("Pipe error", -9, 32)


def test_a_halted_data_phase_is_cleared_and_its_status_read():
    wire = Wire(HALT, status(1, 36))
    with pytest.raises(CameraRefusedError):
        drive_on(wire).ask(bytes(6), 36)
    assert (wire.cleared, wire.resets) == ([0x81], 0)


def test_a_halted_status_is_asked_for_once_more():
    wire = Wire(b"data", HALT, status())
    assert drive_on(wire).ask(bytes(6), 4) == b"data"


def test_what_the_status_says_was_not_sent_is_not_believed():
    assert drive_on(Wire(b"dataJUNK", status(residue=4))).ask(bytes(6), 8) == b"data"


@pytest.mark.parametrize(
    "bad", [status(2), status(signature=b"XXXX"), status(tag=99), status(7), lambda _: b"USBS", lambda _: b""]
)
def test_a_bad_status_ends_in_a_reset_recovery(bad):
    wire = Wire(b"data", bad)
    with pytest.raises(ProtocolError):
        drive_on(wire).ask(bytes(6), 4)
    assert wire.resets == 1
    assert wire.cleared == [0x81, 0x02]


def test_silence_ends_in_a_reset_recovery_and_a_named_error():
    wire = Wire()
    with pytest.raises(CameraStalledError):
        drive_on(wire).tell(bytes(6))
    assert wire.resets == 1


@given(st.lists(st.one_of(st.binary(max_size=64), st.sampled_from([HALT])), max_size=8))
def test_whatever_a_drive_sends_ends_in_an_answer_or_a_named_error(answers):
    drive = drive_on(Wire(*answers))
    try:
        assert is_dv16(drive) in {True, False}
        Dv16(drive).before(None)
    except CameraError:
        pass


@given(st.binary(max_size=200))
def test_any_record_gives_an_identity_or_none(raw):
    record = read_info(raw)
    assert record is None or (record.serial and not set("\0\n") & set(record.serial + record.officer_name))


def test_both_lengths_of_the_record_are_read_in_gbk():
    texts = ("JL00042", "123456", "张三", "PC08", "一中队")
    long = b"".join(text.encode("gbk").ljust(size, b"\0") for text, size in zip(texts, (8, 7, 33, 13, 33), strict=True))
    short = b"".join(
        text.encode("gbk").ljust(size, b"\0") for text, size in zip(texts, (7, 6, 32, 12, 32), strict=True)
    )
    for raw in (long, short, short.ljust(94, b"\0")):
        record = read_info(raw)
        assert (record.serial, record.officer, record.officer_name, record.unit, record.unit_name) == texts
    assert read_info(short[:80]) is None


def test_a_dv16s_clock_is_set_in_its_own_zone(tmp_path):
    dock = VirtualDock(tmp_path / "bus")
    virtual = dock.add({}, serial="JL1", model="DV16", kind="mass-storage", switch="dv16", battery=61)
    [found] = dock.bus.devices()
    moment = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    with BulkOnly(found.device, found.port) as drive:
        assert is_dv16(drive)
        camera = Dv16(drive)
        camera.begin()
        assert (camera.id_code(), camera.battery(), camera.has_card()) == ("JL0016", 61, True)
        assert camera.info().serial == "JL1"
        assert camera.set_clock(moment)
    assert dock.backend.device(virtual.folder).drive.clock_set == moment

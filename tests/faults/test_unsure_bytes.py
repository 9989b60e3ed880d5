"""Bytes that a camera takes back with its answer are not kept for the resume: the file is read anew from its first byte."""

import random

import pytest
from sqlalchemy import select
from virtual_dock import VirtualDock

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings
from dock_service.offload import Offload, Watch
from dock_service.ptp.codes import ContainerType, Operation, Response
from dock_service.ptp.containers import pack
from dock_service.simulator.transfers import Packed
from dock_service.visit import Place

DATA = random.Random(6).randbytes(300_000)


def offload(rt, dock):
    camera = dock.open()
    watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
    outcome = Offload(rt, camera, Place("usb:1-1"), watch).run()
    camera.close()
    return outcome


@pytest.mark.parametrize("response", [Response.GENERAL_ERROR, Response.INCOMPLETE_TRANSFER, None], ids=str)
def test_data_whose_answer_is_an_error_or_nonsense_are_read_again_from_the_start(tmp_path, response):
    dock = VirtualDock(tmp_path / "bus")
    dock.add({"a.bin": DATA})
    [device] = dock.backend.enumerate_devices()
    real = device.responder._range

    def garbage(code, transaction, *_):
        device.responder.queue.append(Packed(pack(ContainerType.DATA, code, transaction, b"\xee" * 150_000)))
        if response is not None:
            return response
        device.responder.queue.append(Packed(pack(ContainerType.DATA, Operation.GET_OBJECT, transaction, b"?")))
        return Response.OK

    device.responder._range = garbage
    with standalone(load_settings({"BODYCAM_DATA_DIR": str(tmp_path / "data")})) as rt:
        outcome = offload(rt, dock)
        [problem] = outcome.problems
        assert problem.error.code in {"camera_refused", "camera_protocol"}
        assert not outcome.recordings
        device.responder._range = real
        outcome = offload(rt, dock)
        assert outcome.is_complete
        with rt.db.read() as session:
            [row] = session.scalars(select(Recording))
        assert b"".join(rt.vault.open(row.object_id).chunks()) == DATA

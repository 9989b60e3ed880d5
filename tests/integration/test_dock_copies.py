"""A dock whose second copy can't be made: said on the tile, nothing released, and gone on with by itself."""

import random

import pytest
from sqlalchemy import select

from bodycam.cli.standalone import standalone
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings


@pytest.fixture
def rt(tmp_path):
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_VAULT__COPIES": f"file://{tmp_path / 'second'}",
        "BODYCAM_VAULT__REQUIRED_COPIES": "2",
    }
    with standalone(load_settings(environment)) as opened:
        yield opened


def test_a_dock_waits_for_an_unplugged_second_disk_and_turns_green_when_it_is_back(
    rt, dock, working, monkeypatch, tmp_path
):
    monkeypatch.setattr("dock_service.slot._COPIES_AGAIN_S", 0.3)
    (tmp_path / "second").rename(tmp_path / "unplugged")
    dock.add({"a.bin": random.Random(4).randbytes(3_000_000)}, serial="BWC-7", port=1)
    tiles = working.until({1: "error"})
    assert tiles[1]["error_code"] == "copies_missing"
    assert "Mới có 1 trên 2 bản sao" in tiles[1]["message_vi"]
    assert "Mount its disk" in tiles[1]["message_en"]
    with rt.db.read() as session:
        assert session.scalars(select(Recording)).all() == session.scalars(select(Receipt)).all() == []
    (tmp_path / "unplugged").rename(tmp_path / "second")
    working.until({1: "done"})
    with rt.db.read() as session:
        [recording] = session.scalars(select(Recording)).all()
        [event] = session.scalars(select(CustodyEvent).where(CustodyEvent.kind == "recording.sealed")).all()
    assert '"copies":["main","second"]' in event.body
    assert rt.vault.verify_copy(recording.object_id, "second").ok

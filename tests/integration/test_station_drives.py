"""The station with mass-storage cameras: beside MTP ones, changing over in their slot, pulled while they are read."""

import random

import pytest
from sqlalchemy import select

from bodycam.cli.standalone import standalone
from bodycam.fleet.models import Camera, DockingVisit
from bodycam.recordings.models import Recording
from bodycam.settings import load_settings

make = random.Random(5).randbytes


@pytest.fixture
def rt(tmp_path):
    environment = {
        "BODYCAM_DATA_DIR": str(tmp_path / "data"),
        "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}",
        "BODYCAM_DOCK__SLOTS": "4",
    }
    with standalone(load_settings(environment)) as opened:
        yield opened


def sealed(rt):
    with rt.db.read() as session:
        return sorted(session.scalars(select(Recording.name)))


def test_a_drive_beside_an_mtp_camera_is_read_to_green(rt, dock, working):
    dock.add({"a.bin": make(300_000)}, serial="MTP-1", port=1)
    dock.add({"DCIM/b.bin": make(300_000), "ID.txt": b"BWC-2"}, serial="USB-2", port=2, kind="mass-storage")
    tiles = working.until({1: "done", 2: "done"})
    assert (tiles[2]["camera"], tiles[2]["receipts"]) == ("BWC-2", 1)
    assert sealed(rt) == ["DCIM/b.bin", "a.bin"]


def test_a_camera_that_changes_over_stays_itself_in_its_slot_and_never_looks_gone(rt, dock, working):
    virtual = dock.add(
        {"DCIM/c.bin": make(300_000)}, serial="JL0042", model="DV16", port=3, kind="mass-storage", switch="dv16"
    )
    tiles = working.until({3: "done"})
    assert (tiles[3]["camera"], tiles[3]["battery"]) == ("JL0042", 80)
    shown = working.seen[3][working.seen[3].index("uploading") :]
    assert not {"empty", "lost", "error"} & set(shown)
    virtual.unplug()
    working.until({3: "empty"})
    with rt.db.read() as session:
        assert session.scalars(select(Camera.serial)).all() == ["JL0042"]
        assert session.scalars(select(DockingVisit.state)).all() == ["done"]


def test_a_drive_pulled_while_it_is_read_is_lost_and_ends_with_the_same_bytes_in_another_slot(rt, dock, working):
    dock.add(
        {"DCIM/a.bin": make(9_000_000), "DCIM/b.bin": make(1000)},
        serial="USB-4",
        port=1,
        kind="mass-storage",
        faults={"unplug_after_bytes": 4_300_000, "replug_after_s": 1.0, "replug_port": 2},
    )
    working.until({1: "lost"})
    working.until({1: "empty", 2: "done"})
    assert "done" not in working.seen[1]
    assert sealed(rt) == ["DCIM/a.bin", "DCIM/b.bin"]


def test_a_file_bigger_than_its_card_is_named_and_the_others_and_the_other_slots_go_on(rt, dock, working):
    virtual = dock.add({"DCIM/b.bin": make(1000)}, serial="USB-5", port=1, kind="mass-storage")
    with (virtual.card / "DCIM/a.bin").open("wb") as file:
        file.truncate(2 << 40)
    dock.add({"c.bin": make(1000)}, serial="USB-6", port=2, kind="mass-storage")
    tiles = working.until({1: "error", 2: "done"})
    assert tiles[1]["error_code"] == "size_impossible"
    assert "DCIM/a.bin" in tiles[1]["message_vi"]
    assert sealed(rt) == ["DCIM/b.bin", "c.bin"]


def test_a_hub_that_resets_takes_all_its_cameras_away_for_a_moment_and_nothing_more(rt, dock, working):
    kinds = {1: "mass-storage", 2: "mtp", 3: "mass-storage"}
    cameras = [
        dock.add({f"{port}.bin": make(3_000_000)}, serial=f"HUB-{port}", port=port, kind=kind, rate=1_500_000)
        for port, kind in kinds.items()
    ]
    working.until(dict.fromkeys(kinds, "uploading"))
    for camera in cameras:
        camera.unplug(1.0)
    working.until(dict.fromkeys(kinds, "done"))
    assert sealed(rt) == ["1.bin", "2.bin", "3.bin"]


def test_a_card_that_is_put_in_later_is_read_by_itself(rt, dock, working):
    virtual = dock.add({"a.bin": make(1000)}, serial="JL0077", model="DV16", port=1, kind="mass-storage", switch="dv16")
    out = virtual.card.rename(virtual.folder / "card-taken-out")
    tiles = working.until({1: "error"})
    assert tiles[1]["error_code"] == "storage_not_ready"
    out.rename(virtual.card)
    working.until({1: "done"})
    assert sealed(rt) == ["a.bin"]

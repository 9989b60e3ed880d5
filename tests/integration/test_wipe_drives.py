"""A drive wiped by an order: what was ordered is gone, the rest stays, and its card is only read again afterwards."""

import random

import pytest
from wipe_dock import Story

from bodycam.cli.standalone import standalone
from bodycam.settings import load_settings
from dock_service.cameras.opening import match_device, open_camera
from dock_service.profiles import profiles_of
from dock_service.wipe import Watch as WipeWatch
from dock_service.wipe import run_orders

make = random.Random(22).randbytes


@pytest.fixture
def rt(tmp_path):
    environment = {"BODYCAM_DATA_DIR": str(tmp_path / "data"), "BODYCAM_DOCK__BUS": f"sim:{tmp_path / 'bus'}"}
    with standalone(load_settings(environment)) as opened:
        yield opened


def drive_of(rt, story):
    [device] = story.dock.bus.devices()
    return open_camera(device, match_device(profiles_of(rt.settings), device), rt.settings)


def test_an_order_empties_a_drive_and_leaves_what_came_later(rt, tmp_path):
    story = Story(tmp_path)
    story.tell(rt, {"DCIM/a.mp4": make(3000), "DCIM/b.mp4": make(3001)}, kind="mass-storage")
    camera, visit = story.docked(camera=drive_of(rt, story))
    order = story.ordered()
    (story.virtual.card / "DCIM/c.mp4").write_bytes(make(100))
    done = run_orders(rt, camera, visit, WipeWatch())
    assert (done.wiped, done.kept, story.on_card()) == (2, 0, ["DCIM/c.mp4"])
    assert story.state(order) == "done"
    camera.close()


def test_a_drives_file_that_can_not_be_read_again_stays(rt, tmp_path):
    story = Story(tmp_path)
    story.tell(rt, {"DCIM/a.mp4": make(3000), "DCIM/b.mp4": make(3001)}, kind="mass-storage")
    camera, _ = story.docked(camera=drive_of(rt, story))
    camera.close()
    order = story.ordered()
    story.virtual.unplug()
    assert story.dock.bus.devices() == []
    story.dock.add({}, serial="S-1", kind="mass-storage", faults={"bad_sectors": {"DCIM/a.mp4": 1000}})
    story.virtual.plug()
    camera, visit = story.docked(camera=drive_of(rt, story))
    done = run_orders(rt, camera, visit, WipeWatch())
    assert (done.wiped, done.kept, story.on_card()) == (1, 1, ["DCIM/a.mp4"])
    assert story.items(order)["DCIM/a.mp4"] == ("kept", "file_unreadable")
    camera.close()

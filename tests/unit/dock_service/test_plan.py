"""The order in which a camera's files come."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dock_service import plan
from dock_service.cameras.camera import CameraFile
from dock_service.plan import in_order
from dock_service.profiles import load_profiles

DSJ = load_profiles().get("dsj")
GENERIC = load_profiles().get("generic-mtp")
START = datetime(2026, 11, 21, 1, tzinfo=UTC)


def file(path: str, minutes: int | None = 0) -> CameraFile:
    at = None if minutes is None else START + timedelta(minutes=minutes)
    return CameraFile(path, 100, at.isoformat() if at else "", at, 1)


def paths(files: list[CameraFile]) -> list[str]:
    return [found.path for found in files]


def test_what_was_marked_by_hand_comes_first_then_the_newest_each_with_its_sidecars():
    old, new = "DCIM/DSJ_0000001_123456_20260921_080000", "DCIM/DSJ_0000001_123456_20260921_200000"
    marked = "DCIM/DSJ_0000001_123456_20260101_080000_IMP"
    listed = [f"{old}.mp4", f"{new}.gpx", f"{new}.mp4", f"{marked}.log", f"{marked}.mp4", "DCIM/system.dat"]
    assert paths(in_order([file(path) for path in listed], DSJ)) == [
        f"{marked}.mp4",
        f"{marked}.log",
        f"{new}.mp4",
        f"{new}.gpx",
        f"{old}.mp4",
        "DCIM/system.dat",
    ]


def test_without_times_in_names_the_time_of_writing_counts_and_files_without_any_come_last():
    listed = [file("a.mp4", 1), file("b.mp4", 3), file("c.mp4", None), file("d.mp4", 2)]
    assert paths(in_order(listed, GENERIC)) == ["b.mp4", "d.mp4", "a.mp4", "c.mp4"]


NAMES = st.sampled_from(["a", "b", "DSJ_1_2_20260921_080000", "DSJ_1_2_20260921_080000_IMP", "IMP/x"])
FILES = st.lists(
    st.tuples(NAMES, st.sampled_from(["mp4", "MP4", "gpx", "jpg", "dat", "mp4.gpx"]), st.none() | st.integers(0, 9)),
    max_size=12,
    unique_by=lambda item: f"{item[0]}.{item[1]}",
)


@given(FILES, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_every_file_comes_once_in_an_order_that_only_what_the_camera_says_decides(drawn, dice: random.Random):
    listed = [file(f"{stem}.{suffix}", minutes) for stem, suffix, minutes in drawn]
    ordered = in_order(listed, DSJ)
    assert sorted(paths(ordered)) == sorted(paths(listed))
    shuffled = list(listed)
    dice.shuffle(shuffled)
    assert in_order(shuffled, DSJ) == ordered


def test_the_plan_can_know_no_hold_complaint_or_case():
    assert not [
        name
        for name in vars(plan).values()
        if getattr(name, "__module__", "").startswith(("bodycam.cases", "bodycam.petitions", "bodycam.retention"))
    ]
    assert set(in_order.__annotations__) == {"files", "profile", "return"}

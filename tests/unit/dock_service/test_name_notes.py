"""Names that say another camera or officer than the books are told together, and only when they really differ."""

import pytest

from dock_service.profiles.notes import is_same, other_cameras, other_officers
from dock_service.profiles.said import FileName


def cameras(*said, known_as=("A1B2C3", "BWC-0412"), before=()):
    names = [FileName(f"{n}.mp4", camera=camera) for n, camera in enumerate(said)]
    found = other_cameras(names, known_as, [FileName("old.mp4", camera=camera) for camera in before])
    return [(one.named, one.booked, one.paths) for one in found]


@pytest.mark.parametrize(
    ("named", "booked", "same"),
    [
        ("0412", "BWC-0412", True),
        ("184221", "184-221", True),
        ("030577", "30577", True),
        ("bwc0412", "BWC-0412", True),
        ("0412", "BWC-0413", False),
        ("12", "BWC-0412", False),
        ("7", "007", True),
    ],
)
def test_numbers_are_compared_by_their_letters_and_digits(named, booked, same):
    assert is_same(named, booked) is same


def test_another_camera_is_told_once_with_all_its_files():
    assert cameras("0412", "0999", "0999", None) == [("0999", "A1B2C3", ("1.mp4", "2.mp4"))]


def test_a_number_of_its_own_in_names_is_no_other_camera():
    assert cameras("7654321", "7654321") == []
    assert cameras("7654321", "7654321", "2345678") == [("2345678", "A1B2C3", ("2.mp4",))]
    assert cameras("2345678", before=["7654321"]) == [("2345678", "A1B2C3", ("0.mp4",))]
    assert cameras("7654321", "2345678", before=["7654321"]) == [("2345678", "A1B2C3", ("1.mp4",))]


def test_a_placeholder_says_nothing():
    assert cameras("0412", "0000000", "XXXX", "1234567") == []


def test_another_officer_is_told_only_where_somebody_held_the_camera():
    names = [FileName("a", officer="184221"), FileName("b", officer="030577"), FileName("c", officer="030577")]
    held = zip(names, ("184-221", "184-221", None), strict=True)
    assert [(one.named, one.booked, one.paths) for one in other_officers(held)] == [("030577", "184-221", ("b",))]

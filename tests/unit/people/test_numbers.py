import pytest

from bodycam.errors import InvalidInputError
from bodycam.people.numbers import check_number, compact_number, number_label, team_label
from bodycam.settings import load_settings

SETTINGS = load_settings({})


def test_labels_follow_the_force_and_the_language():
    assert number_label(SETTINGS.labels, "customs", "vi") == "Số hiệu công chức hải quan"
    assert number_label(SETTINGS.labels, "customs", "en") == "Customs officer number"
    assert team_label("traffic_police", "vi") == "Tổ công tác"
    assert team_label("tax", "vi") == "Đoàn kiểm tra"


@pytest.mark.parametrize("text", ["123-456", "123456", "123-4567"])
def test_the_police_number_has_a_shape(text):
    assert check_number(SETTINGS.number_patterns, "traffic_police", f" {text} ") == text


@pytest.mark.parametrize("text", ["", "12-3456", "ABC", "123-45678"])
def test_a_number_out_of_shape_says_what_to_do(text):
    with pytest.raises(InvalidInputError, match="correct it in the file"):
        check_number(SETTINGS.number_patterns, "traffic_police", text)


def test_other_forces_write_what_they_like():
    assert check_number(SETTINGS.number_patterns, "tax", "CT/79-0012") == "CT/79-0012"


def test_spellings_of_one_number_are_one():
    assert compact_number("123-456") == compact_number("123.456") == compact_number(" 123 456") == "123456"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.cases.spelling import spelling_of


@pytest.mark.parametrize(
    ("number", "apart", "following"),
    [
        ("0231/BB-VPHC", ("", "0231", "/BB-VPHC"), "0232/BB-VPHC"),
        ("99/BB-VPHC", ("", "99", "/BB-VPHC"), "100/BB-VPHC"),
        ("BB 7/2026/QĐ-TTr", ("BB ", "7", "/2026/QĐ-TTr"), "BB 8/2026/QĐ-TTr"),
        ("/BB-VPHC", ("", "", "/BB-VPHC"), ""),
        ("", ("", "", ""), ""),
    ],
)
def test_only_the_first_digits_change_from_one_minute_to_the_next(number, apart, following):
    spelling = spelling_of(number)
    assert (spelling.prefix, spelling.digits, spelling.suffix) == apart
    assert spelling.following == following


@given(st.text(max_size=60))
def test_any_text_comes_apart_and_together_again(text):
    spelling = spelling_of(text)
    assert spelling_of(spelling.whole(spelling.digits)) == spelling
    assert isinstance(spelling.following, str)

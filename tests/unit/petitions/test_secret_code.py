import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.petitions import secret_code

CODE = "0123456789ABCDEFGHJKMNPQRS" + secret_code.check_symbol("0123456789ABCDEFGHJKMNPQRS")


def test_a_made_code_reads_back_and_can_be_typed_on_a_phone() -> None:
    code = secret_code.make()
    assert len(code) == 27
    assert code.isalnum()
    assert secret_code.read(code) == code
    assert [len(group) for group in secret_code.groups(code)] == [4, 4, 4, 4, 4, 4, 3]


def test_no_two_codes_are_alike() -> None:
    assert len({secret_code.make() for _ in range(50)}) == 50


def test_a_typed_code_may_have_spaces_hyphens_small_letters_and_lookalikes() -> None:
    code = secret_code.make()
    typed = " - ".join(secret_code.groups(code)).lower().replace("0", "o").replace("1", "l")
    assert secret_code.read(typed) == code


@given(position=st.integers(0, 25), shift=st.integers(1, 31))
def test_one_wrong_character_is_always_noticed(position: int, shift: int) -> None:
    letters = list(CODE)
    letters[position] = secret_code.ALPHABET[(secret_code.ALPHABET.index(letters[position]) + shift) % 32]
    assert secret_code.read("".join(letters)) is None


@given(position=st.integers(0, 24))
def test_two_swapped_neighbours_are_noticed(position: int) -> None:
    letters = list(CODE)
    letters[position], letters[position + 1] = letters[position + 1], letters[position]
    assert secret_code.read("".join(letters)) is None


@pytest.mark.parametrize("typed", ["", "ABC", CODE[:-1], CODE + "0", "Đ" * 27, CODE.replace("A", "!")])
def test_what_cannot_be_a_code_is_no_code(typed: str) -> None:
    assert secret_code.read(typed) is None


def test_only_the_holder_of_the_code_can_sign() -> None:
    keys = secret_code.keys(CODE)
    assert secret_code.verifies(keys.sign_in_public, secret_code.sign(CODE, b"challenge"), b"challenge")
    assert not secret_code.verifies(keys.sign_in_public, secret_code.sign(CODE, b"challenge"), b"another")
    assert not secret_code.verifies(keys.sign_in_public, secret_code.sign("0" * 27, b"challenge"), b"challenge")
    assert not secret_code.verifies(keys.sign_in_public, b"short", b"challenge")

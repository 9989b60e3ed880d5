import unicodedata

import pytest

from bodycam.errors import InvalidInputError
from bodycam.people import accounts, units
from bodycam.people.errors import NameTakenError, WeakPasswordError

GOOD = "mật khẩu dài"


def make(session, cheap, username="minh", password=GOOD):
    return accounts.create_account(session, username=username, display_name="Minh", password=password, settings=cheap)


@pytest.mark.parametrize("password", ["ngắn", "x" * 201, "minh-12345678"])
def test_a_weak_password_is_refused(db, cheap, password):
    with db.write() as session, pytest.raises(WeakPasswordError):
        make(session, cheap, password=password)


@pytest.mark.parametrize("username", ["", "a b", "x" * 65])
def test_a_username_has_no_spaces(db, cheap, username):
    with db.write() as session, pytest.raises(InvalidInputError):
        make(session, cheap, username=username)


def test_a_username_is_taken_in_any_case(db, cheap):
    with db.write() as session:
        make(session, cheap)
        with pytest.raises(NameTakenError):
            make(session, cheap, username="MINH")


def test_granting_twice_is_one_grant_and_withdrawing_takes_it(db, cheap):
    with db.write() as session:
        account = make(session, cheap)
        unit = units.create_unit(session, name="Đội 1", force="tax")
        accounts.grant(session, account.id, "commander", unit.id)
        accounts.grant(session, account.id, "commander", unit.id)
        assert accounts.grants_of(session, account.id) == [("commander", unit)]
        accounts.withdraw(session, account.id, "commander", unit.id)
        assert accounts.grants_of(session, account.id) == []


def test_a_generated_password_is_good_enough_and_never_the_same(db, cheap):
    first, second = accounts.new_password(), accounts.new_password()
    assert first != second
    with db.write() as session:
        make(session, cheap, password=first)


def test_a_password_typed_in_another_unicode_form_matches(cheap):
    stored = accounts.hash_password("x", "mật khẩu dài", cheap)
    decomposed = unicodedata.normalize("NFD", "mật khẩu dài")
    assert accounts.password_matches(stored, decomposed, cheap)
    assert not accounts.password_matches(stored, "mat khau dai", cheap)
    assert not accounts.password_matches(None, "mật khẩu dài", cheap)
    assert not accounts.password_matches("not a hash", "mật khẩu dài", cheap)

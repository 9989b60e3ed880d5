import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodycam.people import passes, units
from bodycam.people.errors import CardInUseError, CardUnreadableError, PinLockedError, WeakPinError, WrongPinError
from bodycam.people.models import OfficerPass

KEY = b"k" * 32


@pytest.fixture
def officers(db):
    with db.write() as session:
        unit = units.create_unit(session, name="Đội 1", force="traffic_police")
        return [
            units.create_officer(session, unit_id=unit.id, number=number, name="An", force="traffic_police").id
            for number in ("184-221", "184-222")
        ]


@given(st.text(max_size=400), st.text(max_size=5), st.text(max_size=5))
def test_whatever_a_reader_types_is_a_plain_number_or_unreadable(typed, prefix, suffix):
    try:
        number = passes.card_number(typed, prefix, suffix)
    except CardUnreadableError:
        return
    assert number.isascii()
    assert number.isalnum()
    assert passes.LEAST_CARD <= len(number) <= passes.MOST_CARD
    assert passes.card_number(number) == number


def test_marks_case_and_the_sites_own_additions_do_not_count():
    typed = [";0012345678?", "\x02 0012345678\r\n", "%0012345678?", "0012-345-678"]
    assert {passes.card_number(text) for text in typed} == {"0012345678"}
    assert passes.card_number("FC17:04a1b2c3#", "FC17", "#") == "04A1B2C3"


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567", "12345a", "１２３４５６", "111111", "121212", "123456", "654321", "184221"]
)
def test_a_pin_that_is_guessed_first_is_no_pin(db, cheap, officers, pin):
    with db.write() as session, pytest.raises(WeakPinError):
        passes.change_pin(session, officers[0], pin, settings=cheap)


def test_a_random_pin_is_never_weak():
    assert not any(passes.is_weak(passes.new_pin("184-221"), "184-221") for _ in range(300))


def test_nothing_kept_tells_the_pin_or_the_card(db, cheap, officers):
    with db.write() as session:
        passes.change_pin(session, officers[0], "135791", settings=cheap)
        passes.give_card(session, officers[0], "0012345678", key=KEY, actor=None)
        held = session.get_one(OfficerPass, officers[0])
        kept = f"{held.pin_hash} {held.card_key}"
    assert "135791" not in kept
    assert "12345678" not in kept
    assert passes.card_key("0012345678", b"another key") not in kept  # useless without the installation's key


def test_a_card_belongs_to_one_officer_and_a_new_one_voids_the_old(db, officers):
    with db.write() as session:
        passes.give_card(session, officers[0], "0012345678", key=KEY, actor=None)
        with pytest.raises(CardInUseError):
            passes.give_card(session, officers[1], "0012345678", key=KEY, actor=None)
        passes.give_card(session, officers[0], "0099999999", key=KEY, actor=None)
        passes.give_card(session, officers[1], "0012345678", key=KEY, actor=None)


def test_pauses_are_by_officer_and_a_new_pin_ends_them(db, cheap, officers):
    with db.write() as session:
        for officer_id in officers:
            passes.change_pin(session, officer_id, "135791", settings=cheap)
    for _ in range(passes.PIN_ATTEMPTS):
        with pytest.raises(WrongPinError):
            passes.check_pin(db, officers[0], "000000", station_id="s", settings=cheap)
    with pytest.raises(PinLockedError):
        passes.check_pin(db, officers[0], "135791", station_id="s", settings=cheap)
    passes.check_pin(db, officers[1], "135791", station_id="s", settings=cheap)
    with db.write() as session:
        given_pin = passes.give_pin(session, officers[0], settings=cheap, kind="officer.pin_given", actor=None)
    passes.check_pin(db, officers[0], given_pin, station_id="s", settings=cheap)


def test_one_kiosk_has_a_limit_over_all_officers(db, cheap, officers):
    for n in range(passes.KIOSK_ATTEMPTS):
        with pytest.raises((WrongPinError, PinLockedError)):
            passes.check_pin(db, f"nobody-{n}", "135791", station_id="s", settings=cheap)
    with pytest.raises(PinLockedError):
        passes.check_pin(db, officers[0], "135791", station_id="s", settings=cheap)
    with pytest.raises(PinLockedError):
        passes.officer_of_card(db, "0012345678", station_id="s", key=KEY, settings=cheap)
    with pytest.raises(WrongPinError):
        passes.check_pin(db, officers[0], "135791", station_id="another", settings=cheap)


def test_the_card_key_is_made_once_and_for_its_owner_alone(tmp_path: Path):
    passes.open_card_key.cache_clear()
    key = passes.open_card_key(tmp_path / "keys")
    passes.open_card_key.cache_clear()
    assert passes.open_card_key(tmp_path / "keys") == key
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "keys" / passes.KEY_FILE).stat().st_mode) == 0o600

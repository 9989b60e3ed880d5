from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bodycam import clock
from bodycam.custody.models import CustodyEvent
from bodycam.db import Database
from bodycam.people import accounts, sessions
from bodycam.people.errors import SignInLockedError, WrongSignInError
from bodycam.people.models import Account, SignInThrottle
from bodycam.people.sign_in import SignedIn, confirm_password, sign_in, unlock
from bodycam.people.throttle import LONGEST_PAUSE_S, pause_seconds, throttle_key
from bodycam.sections import SignInSettings

START = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("time", "lan")
GOOD = "mật khẩu dài đủ"


class Moving:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def time() -> Iterator[Moving]:
    moving = Moving()
    clock.set_now(moving)
    yield moving
    clock.set_now(None)


@pytest.fixture
def lan(db: Database, cheap: SignInSettings) -> str:
    with db.write() as session:
        return accounts.create_account(
            session, username="Lan.CSGT", display_name="Lan", password=GOOD, settings=cheap
        ).id


def attempt(
    db: Database, settings: SignInSettings, password: str, username: str = "lan.csgt", source: str = "a"
) -> SignedIn:
    return sign_in(db, username=username, password=password, source=source, settings=settings, hours=12)


def kinds(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(CustodyEvent.kind).order_by(CustodyEvent.created_at, CustodyEvent.id)))


def test_a_right_password_opens_a_session_whatever_the_case_of_the_name(db, cheap, lan):
    signed = attempt(db, cheap, GOOD, username=" LAN.csgt ")
    with db.read() as session:
        found = sessions.find_session(session, signed.token, idle_minutes=60)
    assert found is not None
    assert found[1].id == lan
    assert kinds(db) == ["account.created", "account.signed_in"]


def test_the_token_and_the_password_are_not_in_the_database(db, cheap):
    signed = attempt(db, cheap, GOOD)
    with db.read() as session:
        row, account = sessions.find_session(session, signed.token, idle_minutes=60) or pytest.fail("no session")
        assert signed.token not in row.token_hash
        assert account.password_hash.startswith("$argon2id$")


def test_a_wrong_password_and_an_unknown_name_get_the_same_words(db, cheap):
    texts = set()
    for name in ("lan.csgt", "nobody"):
        with pytest.raises(WrongSignInError) as error:
            attempt(db, cheap, "sai", username=name)
        texts.add((error.value.text("vi"), error.value.text("en")))
    assert len(texts) == 1
    assert kinds(db)[1:] == ["account.sign_in_failed"] * 2


def test_a_password_typed_into_the_name_field_is_kept_nowhere(db, cheap):
    typed = "toi-go-nham-mat-khau"
    with pytest.raises(WrongSignInError):
        attempt(db, cheap, "sai", username=typed)
    with db.read() as session:
        event = session.scalars(select(CustodyEvent).order_by(CustodyEvent.id.desc())).first()
        assert event is not None
    kept = f"{event.object_id} {event.body} {event.openings}"
    assert typed not in kept
    assert throttle_key("name", typed)[:16] not in kept


def test_a_stolen_session_cannot_guess_the_password(db, cheap, lan):
    for _ in range(10):
        with pytest.raises(WrongSignInError):
            confirm_password(db, lan, "sai", settings=cheap)
    with pytest.raises(SignInLockedError):
        confirm_password(db, lan, GOOD, settings=cheap)
    assert kinds(db).count("account.throttled") == 1
    assert attempt(db, cheap, GOOD).account_id == lan, "its owner signs in all the same"


def test_ten_wrong_sign_ins_lock_even_the_right_password_and_the_pause_grows(db, cheap, lan, time):
    for source in range(10):
        with pytest.raises(WrongSignInError):
            attempt(db, cheap, "sai", source=f"s{source}")
    with pytest.raises(SignInLockedError) as locked:
        attempt(db, cheap, GOOD, source="other")
    assert "30 giây" in locked.value.text("vi")
    assert "30 seconds" in locked.value.text("en")
    time.at += timedelta(seconds=31)
    with pytest.raises(WrongSignInError):
        attempt(db, cheap, "sai", source="other")
    time.at += timedelta(seconds=31)
    with pytest.raises(SignInLockedError):
        attempt(db, cheap, GOOD, source="other")
    time.at += timedelta(seconds=31)
    assert attempt(db, cheap, GOOD, source="other").account_id == lan
    assert kinds(db).count("account.throttled") == 2


def test_an_unknown_name_is_locked_like_a_known_one(db, cheap):
    for source in range(10):
        with pytest.raises(WrongSignInError):
            attempt(db, cheap, "sai", username="nobody", source=f"s{source}")
    with pytest.raises(SignInLockedError):
        attempt(db, cheap, "sai", username="nobody", source="other")


def test_one_source_trying_many_names_is_locked(db, cheap):
    for number in range(10):
        with pytest.raises(WrongSignInError):
            attempt(db, cheap, "sai", username=f"name{number}")
    with pytest.raises(SignInLockedError):
        attempt(db, cheap, GOOD)


def test_success_forgets_the_names_failures_but_not_the_sources(db, cheap):
    for _ in range(9):
        with pytest.raises(WrongSignInError):
            attempt(db, cheap, "sai")
    attempt(db, cheap, GOOD)
    with db.read() as session:
        assert [row.failures for row in session.scalars(select(SignInThrottle))] == [9]


def test_peace_forgets_everything(db, cheap, time):
    for _ in range(10):
        with pytest.raises(WrongSignInError):
            attempt(db, cheap, "sai")
    time.at += timedelta(hours=2, seconds=1)
    attempt(db, cheap, GOOD)
    with db.read() as session:
        assert session.scalars(select(SignInThrottle).where(SignInThrottle.failures > 0)).all() == []


def test_pauses_double_up_to_an_hour(cheap):
    assert [pause_seconds(n, cheap) for n in (9, 10, 11, 12)] == [0, 30, 60, 120]
    assert pause_seconds(10_000, cheap) == LONGEST_PAUSE_S


def test_an_account_switched_off_cannot_sign_in_and_loses_its_sessions(db, cheap, lan):
    signed = attempt(db, cheap, GOOD)
    with db.write() as session:
        accounts.set_active(session, lan, active=False)
    with db.read() as session:
        assert sessions.find_session(session, signed.token, idle_minutes=60) is None
    with pytest.raises(WrongSignInError):
        attempt(db, cheap, GOOD)


def test_a_session_ends_when_idle_expired_signed_out_or_revoked(db, cheap, lan, time):
    signed = attempt(db, cheap, GOOD)

    def alive(token: str) -> bool:
        with db.read() as session:
            return sessions.find_session(session, token, idle_minutes=60) is not None

    time.at = START + timedelta(minutes=61)
    assert not alive(signed.token)
    with db.write() as session:
        sessions.touch_session(session, signed.session_id)
    assert alive(signed.token)
    time.at = START + timedelta(hours=12)
    assert not alive(signed.token)
    second, third = attempt(db, cheap, GOOD), attempt(db, cheap, GOOD)
    with db.write() as session:
        sessions.sign_out(session, second.session_id)
    assert [alive(second.token), alive(third.token)] == [False, True]
    with db.write() as session:
        assert sessions.revoke_all(session, lan, actor="boss") == 1
    assert not alive(third.token)


def test_a_new_password_ends_every_session_and_opens_the_door(db, cheap, lan):
    signed = attempt(db, cheap, GOOD)
    with db.write() as session:
        accounts.set_password(session, lan, "a new one, long", settings=cheap, actor="boss")
        unlock(session, "Lan.CSGT")
    with db.read() as session:
        assert sessions.find_session(session, signed.token, idle_minutes=60) is None
    assert attempt(db, cheap, "a new one, long").account_id == lan


def test_a_hash_made_with_other_parameters_is_renewed_at_sign_in(db, cheap, lan):
    dearer = cheap.model_copy(update={"argon2_time_cost": 2})
    attempt(db, dearer, GOOD)
    with db.read() as session:
        assert ",t=2," in session.get_one(Account, lan).password_hash
    attempt(db, dearer, GOOD)

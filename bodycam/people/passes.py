"""What an officer shows at a kiosk: a PIN of six digits, a card, or both.

A PIN is kept as its argon2id hash; a card's number is never kept, only a keyed hash of what its reader types (the key lies in the
keys folder: a stolen database alone names no card). Guessing is slowed in the database by officer and by kiosk. An officer without
a PIN and a wrong PIN get one answer, in one time. A PIN somebody else gave is for one use: it has to be changed then.
"""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.clock import now
from bodycam.custody.durable import make_folder, write_durably
from bodycam.db import Database, nfc
from bodycam.errors import NotFoundError
from bodycam.people.accounts import hash_secret, password_matches
from bodycam.people.errors import (
    CardInUseError,
    CardUnreadableError,
    PinLockedError,
    UnknownCardError,
    WeakPinError,
    WrongPinError,
)
from bodycam.people.models import Officer, OfficerPass
from bodycam.people.numbers import compact_number
from bodycam.people.throttle import count, forget, forget_old, locked_row, seconds_left, take_back, throttle_key
from bodycam.sections import SignInSettings

PIN_DIGITS = 6
PIN_ATTEMPTS = 5  # of one officer before a pause; a kiosk as a whole has several officers, and gets as many times more
KIOSK_ATTEMPTS = 20
LEAST_CARD, MOST_CARD = 6, 64  # characters of a card's number
DEMO_PIN = "246810"  # every officer's in a demo, and said on its screens
DEMO_DUTY_NUMBER = "184-100"  # the demo's duty officer
KEY_FILE = "kiosk-card.key"
_RUNS = "01234567890123456789", "98765432109876543210"

log = structlog.get_logger()


def check_pin(db: Database, officer_id: str, pin: str, *, station_id: str, settings: SignInSettings) -> None:
    """Check an officer's PIN at a station's kiosk; raises `WrongPinError` or `PinLockedError`.

    It takes the database, not a session: a failure must outlive its refusal, and no transaction is open while argon2 works.
    """
    own, desk = throttle_key("pin", officer_id), throttle_key("kiosk", station_id)
    limits = {own: _limit(settings, PIN_ATTEMPTS), desk: _limit(settings, KIOSK_ATTEMPTS)}
    with db.write() as session:
        forget_old(session)
        rows = {key: locked_row(session, key) for key in sorted(limits)}  # one order: no deadlock
        seconds = max(seconds_left(row) for row in rows.values())
        paused = seconds == 0 and sum(count(row, limits[key]) for key, row in rows.items()) > 0
        officer = session.get(Officer, officer_id)
        held = session.get(OfficerPass, officer_id)
    if seconds:
        raise PinLockedError(seconds=seconds)
    good = password_matches(held.pin_hash if held else None, pin, settings)
    if not good or officer is None or not officer.active:
        kind = "kiosk.throttled" if paused else "kiosk.sign_in_failed"
        custody.record_now(db, kind, object_id=officer_id, actor=f"station:{station_id}", details={"way": "pin"})
        raise WrongPinError
    with db.write() as session:
        forget(session, own)
        take_back(session, desk, limits[desk])


def officer_of_card(db: Database, number: str, *, station_id: str, key: bytes, settings: SignInSettings) -> Officer:
    """Return whose card (`card_number`) was shown at a kiosk; raises `UnknownCardError` or `PinLockedError`."""
    desk, limit = throttle_key("kiosk", station_id), _limit(settings, KIOSK_ATTEMPTS)
    card = card_key(number, key)
    with db.write() as session:
        forget_old(session)
        row = locked_row(session, desk)
        seconds = seconds_left(row)
        paused = seconds == 0 and count(row, limit)
        query = select(Officer).join(OfficerPass).where(OfficerPass.card_key == card, Officer.active)
        officer = None if seconds else session.scalar(query)
        if officer is not None:
            take_back(session, desk, limit)
    if seconds:
        raise PinLockedError(seconds=seconds)
    if officer is None:
        kind = "kiosk.throttled" if paused else "kiosk.sign_in_failed"
        custody.record_now(
            db, kind, object_id=f"station:{station_id}", actor=f"station:{station_id}", details={"way": "card"}
        )
        raise UnknownCardError
    return officer


def give_pin(session: Session, officer_id: str, *, settings: SignInSettings, kind: str, actor: str | None) -> str:
    """Give an officer a new PIN for one use and return it, to be said or shown once; his pauses are forgotten.

    `kind` is the event: `officer.pin_given` by whoever manages passes, `officer.pin_vouched` by a duty officer at a kiosk.
    """
    officer = _officer(session, officer_id)
    pin = new_pin(officer.number)
    _keep_pin(session, officer, pin, settings=settings, is_new=True)
    custody.record(session, kind, object_id=officer_id, actor=actor)
    return pin


def change_pin(session: Session, officer_id: str, pin: str, *, settings: SignInSettings) -> None:
    """Set the PIN an officer chose himself; raises `WeakPinError`."""
    officer = _officer(session, officer_id)
    if is_weak(pin, officer.number):
        raise WeakPinError(digits=PIN_DIGITS)
    _keep_pin(session, officer, pin, settings=settings, is_new=False)
    custody.record(session, "officer.pin_changed", object_id=officer_id, actor=officer_id)


def give_card(session: Session, officer_id: str, number: str, *, key: bytes, actor: str | None) -> None:
    """Tie a card (`card_number`) to an officer; his former card is void. Raises `CardInUseError` when it is another's."""
    officer, card = _officer(session, officer_id), card_key(number, key)
    other = session.scalar(select(OfficerPass.officer_id).where(OfficerPass.card_key == card))
    if other is not None and other != officer_id:
        raise CardInUseError
    held = _pass(session, officer)
    held.card_key, held.card_set_at = card, now()
    custody.record(session, "officer.card_given", object_id=officer_id, actor=actor)


def withdraw_card(session: Session, officer_id: str, *, actor: str | None) -> None:
    """Make an officer's card void; nothing happens when he has none."""
    held = session.get(OfficerPass, officer_id)
    if held is not None and held.card_key is not None:
        held.card_key, held.card_set_at = None, now()
        custody.record(session, "officer.card_withdrawn", object_id=officer_id, actor=actor)


def pass_of(session: Session, officer_id: str) -> OfficerPass | None:
    """Return what an officer has been given, None when nothing."""
    return session.get(OfficerPass, officer_id)


def new_pin(number: str) -> str:
    """Return a random PIN that isn't easily guessed."""
    while True:
        pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
        if not is_weak(pin, number):
            return pin


def is_weak(pin: str, number: str) -> bool:
    """Tell whether a text is no PIN, or one that is tried first: few different digits, a run, or the officer's own number."""
    if len(pin) != PIN_DIGITS or not (pin.isascii() and pin.isdigit()):
        return True
    own = "".join(c for c in compact_number(number) if c.isdigit())
    return len(set(pin)) < 3 or any(pin in run for run in _RUNS) or (bool(own) and pin in own.zfill(PIN_DIGITS))  # noqa: PLR2004


@dataclass(frozen=True)
class Cards:
    """How a site's cards are read and kept: what its readers type around a number, and where the key lies."""

    keys_dir: Path
    prefix: str = ""
    suffix: str = ""

    def number(self, typed: str) -> str:
        """Return a card's number; raises `CardUnreadableError`."""
        return card_number(typed, self.prefix, self.suffix)

    @property
    def key(self) -> bytes:
        """Return the key under which cards are hashed."""
        return open_card_key(self.keys_dir)


def card_number(typed: str, prefix: str = "", suffix: str = "") -> str:
    """Return a card's number out of what a reader typed: without the site's prefix and suffix, marks and spaces.

    Readers put marks around the number (";0012345678?", "%…?", control characters); letters are compared in upper case.
    Raises `CardUnreadableError` when no number of 6 to 64 letters and digits is left.
    """
    text = "".join(c for c in nfc(typed[: 4 * MOST_CARD]) if c.isprintable()).strip()
    text = text.removeprefix(prefix).removesuffix(suffix)
    number = "".join(c for c in text.upper() if c.isascii() and c.isalnum())
    if not LEAST_CARD <= len(number) <= MOST_CARD:
        raise CardUnreadableError
    return number


def card_key(number: str, key: bytes) -> str:
    """Return what is kept of a card: the HMAC-SHA-256 of its number under the installation's card key."""
    return hmac.new(key, number.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def open_card_key(keys_dir: Path) -> bytes:
    """Return the key under which cards are hashed, made on first use (0600); of several first starts at once one wins."""
    path = keys_dir / KEY_FILE
    if not path.exists():
        aside = path.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
        make_folder(path.parent)
        write_durably(aside, secrets.token_bytes(32))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_bytes()


def _limit(settings: SignInSettings, attempts: int) -> SignInSettings:
    return settings.model_copy(update={"attempts": attempts})


def _officer(session: Session, officer_id: str) -> Officer:
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NotFoundError(what="officer")
    return officer


def _pass(session: Session, officer: Officer) -> OfficerPass:
    held = session.get(OfficerPass, officer.id)
    if held is None:
        held = OfficerPass(officer_id=officer.id, pin_is_new=False)
        session.add(held)
        session.flush()
    return held


def _keep_pin(session: Session, officer: Officer, pin: str, *, settings: SignInSettings, is_new: bool) -> None:
    held = _pass(session, officer)
    held.pin_hash, held.pin_set_at, held.pin_is_new = hash_secret(pin, settings), now(), is_new
    forget(session, throttle_key("pin", officer.id))

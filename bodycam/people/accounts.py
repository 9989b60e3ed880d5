"""Accounts: made, changed, granted roles; passwords hashed with argon2id (RFC 9106).

Every change is a custody event in the same transaction. A password is never logged, stored or sent back; the hash is
renewed at sign-in when the settings ask for more work than it was made with.
"""

import secrets
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.db import new_id, nfc
from bodycam.errors import InvalidInputError, NotFoundError
from bodycam.people import sessions
from bodycam.people.errors import NameTakenError, WeakPasswordError
from bodycam.people.models import Account, Grant, Role, Unit
from bodycam.sections import SignInSettings

LEAST_PASSWORD = 10
MOST_PASSWORD = 200
MAX_USERNAME = 64
MOST_GRANTS = 2000  # of one page of accounts together


def username_form(text: str) -> str:
    """Return a username as it is stored and compared: NFC, trimmed, lower case."""
    return nfc(text).replace("\0", "").strip().lower()  # PostgreSQL takes no NUL


def create_account(
    session: Session,
    *,
    username: str,
    display_name: str,
    password: str,
    settings: SignInSettings,
    officer_id: str | None = None,
    language: str = "vi",
    actor: str | None = None,
) -> Account:
    """Make an account without any role; raises `NameTakenError` or `WeakPasswordError`."""
    name = username_form(username)
    if not name or len(name) > MAX_USERNAME or any(c.isspace() for c in name):
        raise InvalidInputError(
            field="username",
            reason=f"needs 1 to {MAX_USERNAME} characters without spaces",
            reason_vi=f"cần 1 đến {MAX_USERNAME} ký tự, không có dấu cách",
        )
    if account_by_username(session, name):
        raise NameTakenError(what_vi="Tên đăng nhập", what_en="Username", name=name)
    account = Account(
        id=new_id(),
        username=name,
        display_name=nfc(display_name).strip() or name,
        password_hash=hash_password(name, password, settings),
        officer_id=officer_id,
        language="en" if language == "en" else "vi",
    )
    session.add(account)
    session.flush()
    custody.record(session, "account.created", object_id=account.id, actor=actor, private={"username": name})
    return account


def account_by_username(session: Session, username: str) -> Account | None:
    """Return the account of this name."""
    return session.scalar(select(Account).where(Account.username == username_form(username)))


def get_account(session: Session, account_id: str) -> Account:
    """Return an account or raise `NotFoundError`."""
    account = session.get(Account, account_id)
    if account is None:
        raise NotFoundError(what="account")
    return account


def first_account_with_role(session: Session, role: str) -> Account | None:
    """Return the oldest active account that holds a role somewhere: whom a demo's one-click sign-in becomes."""
    query = select(Account).join(Grant, Grant.account_id == Account.id).where(Grant.role == role, Account.active)
    return session.scalar(query.order_by(Account.id).limit(1))


def list_accounts(session: Session, *, after: str | None = None, limit: int = 100) -> list[Account]:
    """Return accounts by username, the page after a username."""
    query = select(Account).order_by(Account.username).limit(limit)
    return list(session.scalars(query.where(Account.username > after) if after else query))


def set_password(
    session: Session, account_id: str, password: str, *, settings: SignInSettings, actor: str | None = None
) -> None:
    """Set a new password and end every session of the account."""
    account = get_account(session, account_id)
    account.password_hash = hash_password(account.username, password, settings)
    sessions.revoke_all(session, account_id, actor=actor)
    custody.record(session, "account.password_changed", object_id=account_id, actor=actor)


def set_active(session: Session, account_id: str, active: bool, *, actor: str | None = None) -> None:
    """Switch an account on or off; off ends its sessions at once."""
    account = get_account(session, account_id)
    account.active = active
    if not active:
        sessions.revoke_all(session, account_id, actor=actor)
    custody.record(session, "account.changed", object_id=account_id, actor=actor, details={"active": active})


def set_language(session: Session, account_id: str, language: str) -> None:
    """Remember the language a person chose ("vi" or "en"); no event, it opens nothing."""
    get_account(session, account_id).language = "en" if language == "en" else "vi"


def grant(session: Session, account_id: str, role: str, unit_id: str, *, actor: str | None = None) -> Grant:
    """Grant a role on a unit; granting twice is one grant."""
    role = Role(role).value
    if session.get(Unit, unit_id) is None:
        raise NotFoundError(what="unit")
    same = select(Grant).where(Grant.account_id == account_id, Grant.role == role, Grant.unit_id == unit_id)
    found = session.scalar(same)
    if found is not None:
        return found
    made = Grant(id=new_id(), account_id=get_account(session, account_id).id, role=role, unit_id=unit_id)
    session.add(made)
    session.flush()
    custody.record(
        session, "account.granted", object_id=account_id, actor=actor, details={"role": role, "unit": unit_id}
    )
    return made


def withdraw(session: Session, account_id: str, role: str, unit_id: str, *, actor: str | None = None) -> None:
    """Take a role on a unit away; nothing happens when it wasn't granted."""
    gone = delete(Grant).where(Grant.account_id == account_id, Grant.role == role, Grant.unit_id == unit_id)
    if session.execute(gone.returning(Grant.id)).first():
        custody.record(
            session,
            "account.role_withdrawn",
            object_id=account_id,
            actor=actor,
            details={"role": role, "unit": unit_id},
        )


def grants_of(session: Session, account_id: str) -> list[tuple[str, Unit]]:
    """Return an account's (role, unit) pairs, by role and unit name; an account has few."""
    query = select(Grant.role, Unit).join(Unit, Unit.id == Grant.unit_id).where(Grant.account_id == account_id)
    return [(role, unit) for role, unit in session.execute(query.order_by(Grant.role, Unit.name, Grant.id))]


def grants_by_account(session: Session, account_ids: Sequence[str]) -> dict[str, list[tuple[str, Unit]]]:
    """Return the (role, unit) pairs of several accounts in one query, for a list of them."""
    query = select(Grant.account_id, Grant.role, Unit).join(Unit, Unit.id == Grant.unit_id)
    query = query.where(Grant.account_id.in_(account_ids)).order_by(Grant.role, Unit.name, Grant.id).limit(MOST_GRANTS)
    found: dict[str, list[tuple[str, Unit]]] = {}
    for account_id, role, unit in session.execute(query):
        found.setdefault(account_id, []).append((role, unit))
    return found


def new_password() -> str:
    """Return a random password that can be read aloud: four groups of four, 80 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789x"  # no i, l, o, 0, 1
    text = "".join(secrets.choice(letters) for _ in range(16))
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


@cache
def _hasher(memory_kib: int, time_cost: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)


@cache
def _nobody(memory_kib: int, time_cost: int) -> str:
    return _hasher(memory_kib, time_cost).hash(secrets.token_hex(16))


def hash_password(username: str, password: str, settings: SignInSettings) -> str:
    """Return the argon2id hash of a good password; raises `WeakPasswordError`."""
    text = nfc(password)
    if not LEAST_PASSWORD <= len(text) <= MOST_PASSWORD or username in text.lower():
        raise WeakPasswordError(least=LEAST_PASSWORD, most=MOST_PASSWORD)
    return hash_secret(text, settings)


def hash_secret(text: str, settings: SignInSettings) -> str:
    """Return the argon2id hash of a text, whatever it is: whoever calls it has judged it already."""
    return _hasher(settings.argon2_memory_kib, settings.argon2_time_cost).hash(text)


def password_matches(stored: str | None, password: str, settings: SignInSettings) -> bool:
    """Whether the password is the hashed one; takes as long when there is no account (`stored` is None)."""
    memory_kib, time_cost = settings.argon2_memory_kib, settings.argon2_time_cost
    text = nfc(password[: 4 * MOST_PASSWORD])  # whatever is sent, the work is bounded
    try:
        _hasher(memory_kib, time_cost).verify(stored or _nobody(memory_kib, time_cost), text)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def needs_rehash(stored: str, settings: SignInSettings) -> bool:
    """Whether a hash was made with other parameters than the settings'."""
    return _hasher(settings.argon2_memory_kib, settings.argon2_time_cost).check_needs_rehash(stored)

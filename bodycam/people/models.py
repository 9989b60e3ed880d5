"""Tables of people: unit, officer, account, grant, staff session, sign-in throttle.

A unit's `path` is "/id/id/…/" from the root down to itself, so that "this unit and everything below" is one prefix. Names
are kept twice: as typed (NFC) and folded for search. A password or a session token is never stored, only its hash.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.clock import now
from bodycam.db import Base, new_id


class Force(StrEnum):
    """The services whose officers wear cameras; labels and number patterns differ by force (settings)."""

    TRAFFIC_POLICE = "traffic_police"
    CUSTOMS = "customs"
    TAX = "tax"
    MARKET = "market"
    INSPECTORATE = "inspectorate"
    OTHER = "other"


class Role(StrEnum):
    """The roles an account may be granted on a unit."""

    OFFICER = "officer"
    COMMANDER = "commander"
    HEAD = "head"
    PLAN_APPROVER = "plan_approver"
    MONITOR = "monitor"
    CASE_OFFICER = "case_officer"
    INTAKE = "intake"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Unit(Base):
    """A unit of the organisation; the tree may have any depth."""

    __tablename__ = "unit"
    __table_args__ = (
        Index("ix_unit_path", "path"),  # scope: every unit below a prefix
        Index("ix_unit_parent_folded", "parent_id", "folded"),  # a unit by name below its parent (import), child lists
        UniqueConstraint("code"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    code: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(200))
    force: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(Text)


class Officer(Base):
    """A person who wears a camera; the number is unique within the force, and is never used as a key."""

    __tablename__ = "officer"
    __table_args__ = (
        UniqueConstraint("force", "number"),  # import: the same number in the same force is the same person
        Index("ix_officer_unit_id", "unit_id", "id"),  # list of a unit's officers, keyset on id
        Index("ix_officer_folded", "folded"),  # search by name
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    number: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(260))
    force: Mapped[str] = mapped_column(String(20))
    team: Mapped[str | None] = mapped_column(String(100))
    active: Mapped[bool] = mapped_column(default=True)


class OfficerPass(Base):
    """What an officer shows at a kiosk: a PIN (argon2), a card (keyed hash of what its reader types), or both."""

    __tablename__ = "officer_pass"
    __table_args__ = (UniqueConstraint("card_key"),)  # a card names its officer

    officer_id: Mapped[str] = mapped_column(ForeignKey("officer.id"), primary_key=True)
    pin_hash: Mapped[str | None] = mapped_column(String(200))
    pin_set_at: Mapped[datetime | None]
    pin_is_new: Mapped[bool] = mapped_column(default=False)  # given by somebody else: to be changed at the next use
    card_key: Mapped[str | None] = mapped_column(String(64))
    card_set_at: Mapped[datetime | None]


class Account(Base):
    """A staff account; `officer_id` ties it to the officer whose recordings are its own."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("username"),  # sign-in
        Index("ix_account_officer_id", "officer_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(64))
    display_name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    officer_id: Mapped[str | None] = mapped_column(ForeignKey("officer.id"))
    active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(2), default="vi")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Grant(Base):
    """One role of one account on one unit; scopes are counted from that unit."""

    __tablename__ = "account_grant"
    __table_args__ = (
        UniqueConstraint("account_id", "role", "unit_id"),  # also serves: all grants of an account
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))


class StaffSession(Base):
    """A sign-in that can be revoked; the token itself lives only in the browser's cookie."""

    __tablename__ = "staff_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),  # every request
        Index("ix_staff_session_account_id", "account_id", "id"),  # list or revoke all of an account
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    token_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user_agent: Mapped[str | None] = mapped_column(String(200))


class SignInThrottle(Base):
    """Wrong sign-ins of one username or one source; the key is a hash, so no name typed by mistake is stored."""

    __tablename__ = "sign_in_throttle"
    __table_args__ = (
        Index("ix_sign_in_throttle_failed_at", "failed_at"),  # forget old rows
    )

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]

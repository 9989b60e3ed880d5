"""Recording what happened, and reading it back.

An event is a row in the caller's transaction, so a change and its event live or die together; the sequencer appends it to
the log later. The leaf (`body`) holds ids, codes and times only. File content, free text and personal values enter it as
salted SHA-256 commitments; what opens them lies in `openings`, apart, and can be destroyed without harming any proof.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.kinds import KINDS
from bodycam.custody.leaf import CONTENT, MAX_LEAF, SCHEMA, commitment
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.db import Database, new_id, nfc

_SALT_BYTES = 16
_EVENT_ID = re.compile(r"[0-9A-Za-z-]{1,36}")


class EventFields(TypedDict, total=False):
    """What `record` and `record_now` take besides the kind."""

    object_id: str
    actor: str | None
    device: str | None
    details: Mapping[str, JSON]
    private: Mapping[str, str]
    sha256: str | None
    size: int | None
    reason_code: str | None
    case_id: str | None
    device_time: str | None
    event_id: str | None


def record(
    session: Session,
    kind: str,
    *,
    object_id: str,
    actor: str | None = None,
    device: str | None = None,
    details: Mapping[str, JSON] | None = None,
    private: Mapping[str, str] | None = None,
    sha256: str | None = None,
    size: int | None = None,
    reason_code: str | None = None,
    case_id: str | None = None,
    device_time: str | None = None,
    event_id: str | None = None,
) -> CustodyEvent:
    """Add an event to the caller's transaction and return its row.

    `actor` is an account id, "station:<id>" or "system", never a name. `device_time` is the device's own text, raw.
    `details` may hold ids, codes and numbers; free text and personal values belong in `private` and enter the log only as
    H(salt‖value). `sha256` (hex) with `size` (bytes) name a file's content and enter as H(salt‖sha256‖size).

    Raises:
        ValueError: an unknown kind, `sha256` without `size`, or a leaf over 65,535 bytes: mistakes in the program.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown event kind {kind!r}: add it to bodycam/custody/kinds.py")
    if event_id is not None and not _EVENT_ID.fullmatch(event_id):
        raise ValueError("an event id is up to 36 letters, digits and hyphens: it names a receipt's file")
    if (sha256 is None) != (size is None):
        raise ValueError("sha256 and size go together")
    openings = _openings(private or {}, sha256, size)
    moment = clock.now()
    leaf: dict[str, JSON] = {
        "schema": SCHEMA,
        "id": event_id or new_id(),
        "kind": kind,
        "object": object_id,
        "previous": _previous(session, object_id),
        "actor": actor,
        "device": device,
        "device_time": device_time,
        "time": format_time(moment),
        "boot": clock.boot_id(),
        "monotonic_us": int(clock.monotonic() * 1_000_000),
        "reason": reason_code,
        "case": case_id,
        "commitments": {name: commitment(opening) for name, opening in openings.items()} or None,
        "details": dict(details) if details else None,
    }
    body = canonical({name: value for name, value in leaf.items() if value is not None})
    if len(body.encode()) > MAX_LEAF:
        raise ValueError(f"the event {kind} has {len(body.encode())} bytes, a leaf at most {MAX_LEAF}")
    event = CustodyEvent(
        id=str(leaf["id"]),
        kind=kind,
        object_id=object_id,
        actor=actor,
        body=body,
        openings=canonical(openings) if openings else None,
        created_at=moment,
    )
    session.add(event)
    session.flush()
    return event


def record_now(db: Database, kind: str, **fields: Unpack[EventFields]) -> str:
    """Record an event in a transaction of its own and return its id.

    For what must stay although the caller's work is rolled back (a refusal), or must be durable before the caller goes on (a
    viewing before its first byte). Never call it with a write session of the same thread open: SQLite has one writer.
    """
    with db.write() as session:
        return record(session, kind, **fields).id


def history(
    session: Session,
    object_id: str,
    after: str | None = None,
    limit: int = 100,
    *,
    only: ColumnElement[bool] | None = None,
) -> list[CustodyEvent]:
    """Return an object's events, oldest first, those after the event id `after`, at most `limit`; `only` those it names."""
    query = select(CustodyEvent).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id).limit(limit)
    if after is not None:
        query = query.where(CustodyEvent.id > after)
    if only is not None:
        query = query.where(only)
    return list(session.scalars(query))


def receipt_for(session: Session, event_id: str) -> Receipt | None:
    """Return the receipt of an event, or None while no checkpoint covers it."""
    return session.get(Receipt, event_id)


def openings_of(event: CustodyEvent) -> dict[str, dict[str, JSON]]:
    """Return what opens the event's commitments: name -> {salt, value} or, for content, {salt, sha256, size}."""
    value = parse(event.openings) if event.openings else {}
    return (
        {name: dict(item) for name, item in value.items() if isinstance(item, Mapping)}
        if isinstance(value, Mapping)
        else {}
    )


def opened(event: CustodyEvent) -> dict[str, JSON]:
    """Return the private values that the event's leaf commits to, by name; one that doesn't fit its commitment is left out."""
    leaf = parse(event.body)
    commitments = leaf.get("commitments") if isinstance(leaf, Mapping) else None
    if not isinstance(commitments, Mapping):
        return {}
    return {
        name: opening["value"]
        for name, opening in openings_of(event).items()
        if "value" in opening and commitments.get(name) == commitment(opening)
    }


def destroy_openings(session: Session, object_id: str, *, actor: str = "system") -> int:
    """Destroy the salts and hidden values of all an object's events, and return how many events had any.

    The leaves stay and every proof still verifies; what the commitments hid can't be confirmed by anybody any more. The object's
    receipts go too, since they open its content: the sequencer issues them again without. An `openings.destroyed` event in
    the same transaction says who and how many, so that an audit knows a destruction from a loss; when nothing is left to
    destroy there is none. Openings in backups live until the last backup does.
    """
    had = (CustodyEvent.object_id == object_id, CustodyEvent.openings.is_not(None))
    count = len(
        session.scalars(update(CustodyEvent).where(*had).values(openings=None).returning(CustodyEvent.id)).all()
    )
    if count:
        session.execute(delete(Receipt).where(Receipt.object_id == object_id))
        record(session, "openings.destroyed", object_id=object_id, actor=actor, details={"events": count})
    return count


def format_time(moment: datetime) -> str:
    """Return a time as the log writes it: UTC, microseconds, "Z"."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _openings(private: Mapping[str, str], sha256: str | None, size: int | None) -> dict[str, dict[str, JSON]]:
    if CONTENT in private:
        raise ValueError(f"{CONTENT!r} is the name of the file's own commitment")
    openings: dict[str, dict[str, JSON]] = {
        name: {"salt": secrets.token_hex(_SALT_BYTES), "value": nfc(value)} for name, value in private.items()
    }
    if sha256 is not None:
        openings[CONTENT] = {"salt": secrets.token_hex(_SALT_BYTES), "sha256": sha256.lower(), "size": size}
    return openings


def _previous(session: Session, object_id: str) -> str | None:
    # transactions running at once may name the same predecessor; the log's index is the order that counts
    query = select(CustodyEvent.id).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id.desc()).limit(1)
    return session.scalar(query)

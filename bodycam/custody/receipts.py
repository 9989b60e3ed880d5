"""Receipts (biên nhận): one event, what opens its content's commitment, and its proof under a signed checkpoint.

A receipt stands alone: with the log's public key anybody checks it offline. It never holds the openings of private values,
since it may be shown. Its text has one form only, so any altered bit is found. Under 4 kB when the leaf is under 1.5 kB.
It is issued at once under the log's own signature; when a quorum of witnesses cosigned a later checkpoint it is written anew
with that one: the same event and leaf, a stronger proof.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import write_durably
from bodycam.custody.errors import NoteError, ReceiptError
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.note import Verifier
from bodycam.custody.policy import Judged, Policy
from bodycam.custody.proof import parse_proof, prove
from bodycam.custody.service import CONTENT, commitment, openings_of
from bodycam.db import Database

SCHEMA = "bodycam/receipt/1"
_MAX_TEXT = 200_000
_PAGE = 200


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a checked receipt proves; `sha256` (hex) and `size` (bytes) when it opens a file's commitment."""

    event: Mapping[str, JSON]
    index: int
    leaf_hash: str
    checkpoint: Checkpoint
    sha256: str | None
    size: int | None
    judged: Judged | None = None  # what the policy says of the witnesses, when one was given


def issue(log: Log, events: Sequence[CustodyEvent], checkpoint: Checkpoint) -> list[Receipt]:
    """Make the receipts of events with an index that the checkpoint covers, and write their files.

    The files come first and the caller commits the rows, so a row's file is never missing.
    """
    receipts = []
    for event in events:
        if event.log_index is None:
            raise ValueError("only a sequenced event has a receipt")
        text = _render(event, prove(log, event.log_index, checkpoint))
        write_durably(receipt_path(log, event.id), text.encode())
        receipts.append(Receipt(event_id=event.id, object_id=event.object_id, body=text, issued_at=clock.now()))
    return receipts


def receipt_path(log: Log, event_id: str) -> Path:
    """Return the file of a receipt; spread by the random end of the id."""
    return log.dir / "receipts" / event_id[-2:] / f"{event_id}.json"


def upgrade(db: Database, log: Log, checkpoint: Checkpoint) -> int:
    """Write anew, under a cosigned checkpoint, the receipts that still wait for one, and return how many.

    Raises:
        LogDamagedError: a tile is missing or cut.
    """
    done, after = 0, ""
    waiting = (
        select(Receipt.event_id, Receipt.body, CustodyEvent.log_index)
        .join(CustodyEvent, CustodyEvent.id == Receipt.event_id)
        .where(Receipt.witnessed_at.is_(None), CustodyEvent.log_index < checkpoint.size)
        .order_by(Receipt.event_id)
        .limit(_PAGE)
    )
    while True:
        with db.read() as session:
            rows = session.execute(waiting.where(Receipt.event_id > after)).all()
        changed = []
        for event_id, body, index in rows:
            after = event_id
            try:
                event, openings, _ = _read(body)
            except (ReceiptError, ValueError):
                continue  # the row was altered, which the audit says
            text = _dump(event, openings, prove(log, index or 0, checkpoint).removesuffix("\n").split("\n"))
            write_durably(receipt_path(log, event_id), text.encode())
            changed.append({"event_id": event_id, "body": text, "witnessed_at": clock.now()})
        if changed:
            with db.write() as session:
                session.execute(update(Receipt), changed)
        done += len(changed)
        if len(rows) < _PAGE:
            return done


def verify_receipt(text: str, trusted: Verifier | Policy) -> VerifiedReceipt:
    """Check a receipt by itself, without database or network; with a policy, say too who witnessed it.

    Raises:
        ReceiptError: it was altered or cut, or is of another log; nothing in it may be believed.
    """
    try:
        event, openings, lines = _read(text)
        if _dump(event, openings, lines) != text:
            raise ReceiptError(reason="it is not written in its one form")
        leaf = canonical(event).encode()
        proof = parse_proof("\n".join(lines) + "\n")
        judged = None
        if isinstance(trusted, Policy):
            judged = proof.judge(leaf, trusted)
            checkpoint = judged.checkpoint
        else:
            checkpoint = proof.check(leaf, trusted)
        commitments = event.get("commitments", {})
        for name, opening in openings.items():
            if not isinstance(commitments, Mapping) or commitments.get(name) != commitment(opening):
                raise ReceiptError(reason=f"the opening {name!r} doesn't fit the event")
    except NoteError as error:
        raise ReceiptError(reason=error.values["reason"]) from None
    except (ValueError, TypeError) as error:
        raise ReceiptError(reason=str(error)) from None
    content = openings.get(CONTENT, {})
    sha256, size = content.get("sha256"), content.get("size")
    return VerifiedReceipt(
        event=event,
        index=proof.index,
        leaf_hash=merkle.leaf_hash(leaf).hex(),
        checkpoint=checkpoint,
        sha256=sha256 if isinstance(sha256, str) else None,
        size=size if isinstance(size, int) else None,
        judged=judged,
    )


def _render(event: CustodyEvent, proof: str) -> str:
    leaf = parse(event.body)
    if not isinstance(leaf, Mapping):
        raise TypeError("a leaf is an object")
    openings = {name: opening for name, opening in openings_of(event).items() if name == CONTENT}
    return _dump(leaf, openings, proof.removesuffix("\n").split("\n"))


def _dump(event: Mapping[str, JSON], openings: Mapping[str, JSON], proof: Sequence[str]) -> str:
    receipt = {"schema": SCHEMA, "event": event, "openings": openings, "proof": list(proof)}
    return json.dumps(receipt, ensure_ascii=False, indent=1) + "\n"


def _read(text: str) -> tuple[Mapping[str, JSON], dict[str, Mapping[str, JSON]], list[str]]:
    if len(text) > _MAX_TEXT:
        raise ReceiptError(reason="it is far too long")
    match parse(text):
        case {
            "schema": str() as schema,
            "event": dict() as event,
            "openings": dict() as openings,
            "proof": list() as proof,
        } if schema == SCHEMA:
            if not all(isinstance(item, dict) for item in openings.values()):
                raise ReceiptError(reason="an opening is malformed")
            if not all(isinstance(line, str) for line in proof):
                raise ReceiptError(reason="the proof is malformed")
            return event, openings, proof
    raise ReceiptError(reason=f"it is not a {SCHEMA}")

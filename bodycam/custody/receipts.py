"""Receipts (biên nhận): one event, what opens its content's commitment, and its proof under a signed checkpoint.

A receipt stands alone: with the log's public key anybody checks it offline. It never holds the openings of private values,
since it may be shown. Its text has one form only, so any altered bit is found. Under 4 kB when the leaf is under 1.5 kB.
It is issued at once under the log's own signature; when a quorum of witnesses cosigned a later checkpoint it is written anew
with that one: the same event and leaf, a stronger proof.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select, update

from bodycam import clock
from bodycam.custody.canonical import parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import write_durably
from bodycam.custody.errors import ReceiptError
from bodycam.custody.leaf import CONTENT
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.proof import prove
from bodycam.custody.receipt import VerifiedReceipt, dump_receipt, read_receipt, verify_receipt
from bodycam.custody.service import openings_of
from bodycam.db import Database

__all__ = ["VerifiedReceipt", "issue", "receipt_path", "upgrade", "verify_receipt"]

_PAGE = 200


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
                event, openings, _ = read_receipt(body)
            except (ReceiptError, ValueError):
                continue  # the row was altered, which the audit says
            text = dump_receipt(event, openings, prove(log, index or 0, checkpoint).removesuffix("\n").split("\n"))
            write_durably(receipt_path(log, event_id), text.encode())
            changed.append({"event_id": event_id, "body": text, "witnessed_at": clock.now()})
        if changed:
            with db.write() as session:
                session.execute(update(Receipt), changed)
        done += len(changed)
        if len(rows) < _PAGE:
            return done


def _render(event: CustodyEvent, proof: str) -> str:
    leaf = parse(event.body)
    if not isinstance(leaf, Mapping):
        raise TypeError("a leaf is an object")
    openings = {name: opening for name, opening in openings_of(event).items() if name == CONTENT}
    return dump_receipt(leaf, openings, proof.removesuffix("\n").split("\n"))

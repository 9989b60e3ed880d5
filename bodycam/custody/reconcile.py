"""What a sequencer does before its first append: the rows are brought to what was signed.

The tiles under the last signed head are the truth. A crash between signing and marking left events in the tiles whose rows
still wait: they get their index by event id and are never appended twice. A database put back from an older backup lacks
rows: they are made again from the leaves, without openings, and an event says how many.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import LogDamagedError, LogForkError
from bodycam.custody.kinds import RECEIPT_KINDS
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.receipts import issue
from bodycam.custody.service import record
from bodycam.custody.tiles import WIDTH
from bodycam.db import Database

_PAGE = 200
_logger = structlog.get_logger()


def reconcile(db: Database, log: Log, head: Checkpoint | None) -> None:
    """Give every signed leaf its row, its index and, when its kind earns one, its receipt.

    Raises:
        LogForkError: the database knows more than was signed, or says otherwise about a signed event.
        LogDamagedError: a tile is missing, cut or altered.
    """
    with db.read() as session:
        count, last = session.execute(
            select(func.count(CustodyEvent.log_index), func.max(CustodyEvent.log_index))
        ).one()
    known = 0 if last is None else last + 1
    signed = head.size if head else 0
    if known > signed:
        raise LogForkError(
            reason=f"the database knows {known} entries, {signed} were signed",
            reason_vi=f"cơ sở dữ liệu có {known} mục, đã ký {signed}",
        )
    if head is None:
        return
    start = known if count == known else 0  # rows are missing in the middle: go through all
    if start < head.size:
        _mark_from(db, log, head, start)


def reissue(db: Database, log: Log) -> None:
    """Issue the receipts whose rows were lost; a crash loses none, since index and receipt are committed together."""
    head = log.head()
    while head is not None:
        with db.read() as session:
            events = unissued(session, _PAGE)
        if not events:
            return
        receipts = issue(log, events, head)
        with db.write() as session:
            session.add_all(receipts)


def read_leaf(entry: bytes) -> Mapping[str, JSON]:
    """Return a leaf's event.

    Raises:
        ValueError: the entry isn't an event.
    """
    leaf = parse(entry.decode())
    if not isinstance(leaf, Mapping) or not all(
        isinstance(leaf.get(name), str) for name in ("id", "kind", "object", "time")
    ):
        raise ValueError("the entry is not an event")
    return leaf


def unissued(session: Session, limit: int) -> list[CustodyEvent]:
    """Return sequenced events whose kind earns a receipt and that have none, oldest first."""
    query = (
        select(CustodyEvent)
        .outerjoin(Receipt, Receipt.event_id == CustodyEvent.id)
        .where(CustodyEvent.log_index.is_not(None), CustodyEvent.kind.in_(RECEIPT_KINDS), Receipt.event_id.is_(None))
        .order_by(CustodyEvent.log_index)
        .limit(limit)
    )
    return list(session.scalars(query))


def _mark_from(db: Database, log: Log, head: Checkpoint, start: int) -> None:
    restored = 0
    for bundle, items in groupby(log.tiles.all_entries(head.size, start), lambda item: item[0] // WIDTH):
        leaves = list(items)
        hashes = log.tiles.hashes(0, bundle, head.size)
        for index, entry in leaves:
            if merkle.leaf_hash(entry) != hashes[index % WIDTH]:
                raise LogDamagedError(path=log.tiles.path("entries", bundle), reason=f"entry {index} was altered")
        with db.write() as session:
            found = [_mark(session, index, entry) for index, entry in leaves]
            session.flush()
            rows = [row for row, _ in found if row.kind in RECEIPT_KINDS and session.get(Receipt, row.id) is None]
            session.add_all(issue(log, rows, head))
        restored += sum(made for _, made in found)
    if restored:
        _logger.warning("log.rows_restored", rows=restored)
        with db.write() as session:
            record(session, "log.rows_restored", object_id="log", actor="system", details={"rows": restored})


def _mark(session: Session, index: int, entry: bytes) -> tuple[CustodyEvent, bool]:
    # returns the row and whether it had to be made again
    leaf = read_leaf(entry)
    row = session.get(CustodyEvent, str(leaf["id"]))
    if row is None:
        actor = leaf.get("actor")
        row = CustodyEvent(
            id=str(leaf["id"]),
            log_index=index,
            kind=str(leaf["kind"]),
            object_id=str(leaf["object"]),
            actor=actor if isinstance(actor, str) else None,
            body=entry.decode(),
            openings=None,
            created_at=datetime.fromisoformat(str(leaf["time"])),
        )
        session.add(row)
        return row, True
    if row.body.encode() != entry or row.log_index not in {None, index}:
        raise LogForkError(
            reason=f"the database says otherwise about event {row.id}, signed as entry {index}",
            reason_vi=f"cơ sở dữ liệu ghi khác về sự kiện {row.id}, đã ký ở mục {index}",
        )
    row.log_index = index
    return row, False

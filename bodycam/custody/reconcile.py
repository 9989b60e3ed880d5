"""What a sequencer does before its first append: the rows are brought to what was signed.

The tiles under the last signed head are the truth. A crash between signing and marking left events in the tiles whose rows
still wait: they get their index by event id and are never appended twice. A database put back from an older backup lacks
rows: they are made again from the leaves, without openings, and an event says how many.
"""

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.kinds import RECEIPT_KINDS
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.rebuild import bring_forward, check_surplus, note_brought
from bodycam.custody.receipts import issue
from bodycam.db import Database

_PAGE = 200
_FAR = 10_000  # leaves between two lines of a long way
_logger = structlog.get_logger()


def reconcile(db: Database, log: Log, head: Checkpoint | None) -> None:
    """Give every signed leaf its row, its index and, when its kind earns one, its receipt.

    Raises:
        LogForkError: the database knows more than was signed, or says otherwise about a signed event.
        LogDamagedError: a tile is missing, cut or altered.
    """
    count, known = check_surplus(db, head)
    if head is None:
        return
    start = known if count == known else 0  # rows are missing in the middle: go through all
    if start == head.size:
        return
    if head.size - start > _FAR:
        _logger.warning("log.database_behind", rows=start, signed=head.size)

    def tell(done: int, size: int) -> None:
        if done // _FAR != (done - 1) // _FAR and size - start > _FAR:
            _logger.info("log.rows_brought_forward", done=done, size=size)

    brought = bring_forward(db, log, head, start, progress=tell)
    if brought.made:
        _logger.warning("log.rows_restored", rows=brought.made, unopened=brought.unopened)
    note_brought(db, brought)
    reissue(db, log)  # those that were to be given anew when the sequencer died, since their openings were destroyed


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

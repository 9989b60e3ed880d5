"""The rows made again from the tiles, which are the truth; the tiles are only read.

Each bundle of 256 leaves is proven under the signed head before one row of it is written, and written in a transaction of its
own: broken off, it is simply begun again, and what stands already is only compared. What the tiles don't hold can't come back:
salts and hidden values. Those that are there stay, and a receipt still on the disk gives back what it opens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import LogDamagedError, LogForkError, ReceiptError
from bodycam.custody.kinds import RECEIPT_KINDS
from bodycam.custody.leaf import CONTENT
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.receipts import VerifiedReceipt, issue, receipt_path, verify_receipt
from bodycam.custody.service import openings_of, record
from bodycam.custody.tiles import WIDTH
from bodycam.db import Base, Database

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Brought:
    """How many rows were made again, and how many were replaced since they said otherwise than the log."""

    made: int = 0
    mended: int = 0
    unopened: int = 0  # of those made: events with a commitment that nothing opens any more


@dataclass(frozen=True, slots=True)
class _Leaf:
    index: int
    entry: bytes
    event: Mapping[str, JSON]

    @property
    def id(self) -> str:
        return str(self.event["id"])


def rebuild(db: Database, log: Log, progress: Progress | None = None) -> Brought:
    """Make the table of events again from the tiles; the caller holds the sequencer's lock.

    A table that is gone is created. `progress(done, size)` is called per 256 leaves. An event in the log says what was done.

    Raises:
        LogForkError: the log on disk isn't the one that was signed, or the database knows more than was signed.
        LogDamagedError: a tile is missing, cut or altered; nothing of that bundle was written.
    """
    tables = [Base.metadata.tables[model.__tablename__] for model in (CustodyEvent, Receipt)]
    Base.metadata.create_all(db.engine, tables=tables)
    head = log.check_head()
    check_surplus(db, head)
    if head is None:
        return Brought()
    brought = bring_forward(db, log, head, mend=True, progress=progress)
    note_brought(db, brought)
    return brought


def check_surplus(db: Database, head: Checkpoint | None) -> tuple[int, int]:
    """Return how many rows have an index and how many they should be at least, after a look that none lies beyond the head.

    Raises:
        LogForkError: the database knows more than was signed.
    """
    query = select(func.count(CustodyEvent.log_index), func.max(CustodyEvent.log_index))
    with db.read() as session:
        count, last = session.execute(query).one()
    known = 0 if last is None else last + 1
    signed = head.size if head else 0
    if known > signed:
        raise LogForkError(
            reason=f"the database knows {known} entries, {signed} were signed",
            reason_vi=f"cơ sở dữ liệu có {known} mục, đã ký {signed}",
        )
    return count, known


def bring_forward(
    db: Database, log: Log, head: Checkpoint, start: int = 0, *, mend: bool = False, progress: Progress | None = None
) -> Brought:
    """Give every leaf from `start` its row, its index and, when its kind earns one, its receipt.

    Rows that say otherwise than the log are replaced with `mend`, else refused.

    Raises:
        LogForkError: the database says otherwise about a signed event.
        LogDamagedError: a tile is missing, cut or altered.
    """
    brought = Brought()
    for leaves in _bundles(log, head, start):
        with db.write() as session:
            rows = _bring(session, log, leaves, brought, mend=mend)
            _bring_receipts(session, log, rows, head)
        if progress is not None:
            progress(leaves[-1].index + 1, head.size)
    return brought


def note_brought(db: Database, brought: Brought) -> None:
    """Say in the log what was made again, if anything was."""
    if brought.made or brought.mended:
        details: dict[str, JSON] = {"rows": brought.made, "mended": brought.mended}
        with db.write() as session:
            record(session, "log.rows_restored", object_id="log", actor="system", details=details)


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


def _bundles(log: Log, head: Checkpoint, start: int) -> Iterator[list[_Leaf]]:
    node = log.tiles.node(head.size)
    for bundle in range(start // WIDTH, -(-head.size // WIDTH)):
        path = log.tiles.path("entries", bundle)
        entries = log.tiles.entries(bundle, head.size)
        hashes = log.tiles.hashes(0, bundle, head.size)
        first = bundle * WIDTH
        # the first leaf's proof runs over all hashes of its tile, so that it vouches for the whole bundle
        proof = merkle.inclusion_proof(first, head.size, node)
        if not merkle.check_inclusion(hashes[0], first, head.size, proof, head.root):
            raise LogDamagedError(path=log.tiles.path(0, bundle), reason="its hashes don't lead to the signed root")
        leaves = []
        for index, (entry, hashed) in enumerate(zip(entries, hashes, strict=True), start=first):
            if merkle.leaf_hash(entry) != hashed:
                raise LogDamagedError(path=path, reason=f"entry {index} was altered")
            if index >= start:
                leaves.append(_Leaf(index, entry, read_leaf(entry)))
        yield leaves


def _bring(session: Session, log: Log, leaves: Sequence[_Leaf], brought: Brought, *, mend: bool) -> list[CustodyEvent]:
    wanted = {leaf.id: leaf for leaf in leaves}
    places = CustodyEvent.log_index.between(leaves[0].index, leaves[-1].index)
    rows = {
        row.id: row for row in session.scalars(select(CustodyEvent).where(or_(CustodyEvent.id.in_(wanted), places)))
    }
    false = {row.id for row in rows.values() if row.id not in wanted or not _fits(row, wanted[row.id])}
    if false and not mend:
        _refuse(rows, wanted, min(false))
    for row_id in false - wanted.keys():  # it holds an index that the log gives to another event
        session.execute(delete(Receipt).where(Receipt.event_id == row_id))
        session.delete(rows.pop(row_id))
    for row_id in false & wanted.keys():
        rows[row_id].log_index = None  # the index is unique: give it free before it is given anew
    session.flush()
    brought.mended += len(false)
    for leaf in leaves:
        row = rows.get(leaf.id)
        if row is None:
            row = rows[leaf.id] = CustodyEvent(id=leaf.id, openings=_still_opened(log, leaf))
            session.add(row)
            brought.made += 1
            commitments = leaf.event.get("commitments")
            brought.unopened += isinstance(commitments, Mapping) and commitments.keys() != openings_of(row).keys()
        _write(row, leaf)
    session.flush()
    return [rows[leaf.id] for leaf in leaves]


def _fits(row: CustodyEvent, leaf: _Leaf) -> bool:
    actor = leaf.event.get("actor")
    told = (row.kind, row.object_id, row.actor) == (leaf.event["kind"], leaf.event["object"], actor)
    return told and row.body.encode() == leaf.entry and row.log_index in {None, leaf.index}


def _write(row: CustodyEvent, leaf: _Leaf) -> None:
    actor = leaf.event.get("actor")
    row.log_index, row.body = leaf.index, leaf.entry.decode()
    row.kind, row.object_id = str(leaf.event["kind"]), str(leaf.event["object"])
    row.actor = actor if isinstance(actor, str) else None
    row.created_at = datetime.fromisoformat(str(leaf.event["time"]))


def _refuse(rows: Mapping[str, CustodyEvent], wanted: Mapping[str, _Leaf], row_id: str) -> None:
    index = wanted[row_id].index if row_id in wanted else rows[row_id].log_index
    raise LogForkError(
        reason=f"the database says otherwise about event {row_id}, signed as entry {index}",
        reason_vi=f"cơ sở dữ liệu ghi khác về sự kiện {row_id}, đã ký ở mục {index}",
    )


def _still_opened(log: Log, leaf: _Leaf) -> str | None:
    # what the receipt's file opens (a file's hash and size) is no secret to whoever can read that folder
    found = _kept_receipt(log, leaf.id, leaf.entry) if leaf.event["kind"] in RECEIPT_KINDS else None
    if found is None:
        return None
    opening = parse(found[0])
    openings = opening.get("openings") if isinstance(opening, Mapping) else None
    content = openings.get(CONTENT) if isinstance(openings, Mapping) else None
    return canonical({CONTENT: content}) if content else None


def _bring_receipts(session: Session, log: Log, rows: Sequence[CustodyEvent], head: Checkpoint) -> None:
    earning = [row for row in rows if row.kind in RECEIPT_KINDS]
    known = set(session.scalars(select(Receipt.event_id).where(Receipt.event_id.in_([row.id for row in earning]))))
    lost = []
    for row in earning:
        if row.id in known:
            continue
        kept = _kept_receipt(log, row.id, row.body.encode())
        if kept is None:
            lost.append(row)
        else:
            session.add(Receipt(event_id=row.id, object_id=row.object_id, body=kept[0], issued_at=clock.now()))
    session.add_all(issue(log, lost, head))


def _kept_receipt(log: Log, event_id: str, entry: bytes) -> tuple[str, VerifiedReceipt] | None:
    try:
        text = receipt_path(log, event_id).read_text("utf-8")
        receipt = verify_receipt(text, log.verifier)
    except (OSError, UnicodeDecodeError, ReceiptError):
        return None
    return (text, receipt) if canonical(receipt.event).encode() == entry else None

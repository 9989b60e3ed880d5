"""Recomputes the whole log and says what doesn't fit: every leaf, tile, root and signature, every row, receipt and catalogue.

It trusts only the log's public key and the checkpoints given to it (the head beside the key, and copies kept elsewhere); it writes
nothing and runs beside a living sequencer.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.canonical import canonical, parse
from bodycam.custody.catalogues import Catalogue, check_catalogue
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import LogDamagedError, NoteError, ReceiptError
from bodycam.custody.inventory import check_inventories
from bodycam.custody.leaf import commitment
from bodycam.custody.log import WITNESSED_FILE, Log
from bodycam.custody.models import CustodyEvent, Receipt
from bodycam.custody.policy import Policy
from bodycam.custody.rebuild import read_leaf
from bodycam.custody.receipts import verify_receipt
from bodycam.custody.reconcile import unissued
from bodycam.custody.report import Report
from bodycam.custody.service import openings_of
from bodycam.custody.tiles import WIDTH, Edge
from bodycam.db import Database

_PAGE = 200


Progress = Callable[[int, int], None]


def audit(
    db: Database,
    log: Log,
    *,
    kept: Sequence[str] = (),
    catalogues: Sequence[Catalogue] = (),
    policy: Policy | None = None,
    max_age: timedelta | None = None,
    progress: Progress | None = None,
) -> Report:
    """Recompute the log up to its last signed head and compare it with the database, and `catalogues` with its events.

    `kept` are checkpoint notes kept elsewhere: the log must begin with each, as with its own newest witnessed one; `policy` says
    whether that one's witnesses are a quorum. With `max_age` a newest entry older than that is a problem: an idle log ticks, so one
    without ticks was stopped or frozen. `progress(done, size)` is called per 256 leaves.
    """
    report = Report()
    notes = [(f"kept checkpoint {number}", note) for number, note in enumerate(kept, start=1)]
    notes += _witnessed(log, policy, report)  # before the published one, which goes ahead of it
    heads = _signed_heads(log, report)
    report.size = max((head.size for _, head in heads), default=0)
    heads += _kept_heads(log, notes, report)
    with db.read() as session:
        report.pending = _count(session, CustodyEvent.log_index.is_(None))
    _check_tree(db, log, heads, report, progress or (lambda _done, _size: None))
    _check_surplus(db, log, report)
    _check_receipts(db, log, report)
    for catalogue in catalogues:
        check_catalogue(db, catalogue, report)
    check_inventories(db, log, report)
    if max_age is not None:
        _check_age(report, max_age)
    return report


def _check_age(report: Report, max_age: timedelta) -> None:
    try:
        is_young = clock.now() - datetime.fromisoformat(report.newest_at) <= max_age
    except ValueError:
        is_young = False
    if not is_young:
        newest = report.newest_at or "—"
        vi = f"Mục mới nhất từ {newest}: nhật ký đứng yên, không có cả nhịp."
        en = f"The newest entry is of {newest}: the log stands still, without even a tick."
        report.add("frozen", "log", vi, en, missing=True)


def _signed_heads(log: Log, report: Report) -> list[tuple[str, Checkpoint]]:
    heads: list[tuple[str, Checkpoint]] = []
    # the published one first: the key's own memory may be one step ahead of it, never behind
    for name, read in (("checkpoint", log.checkpoint), ("log-head", log.head)):
        try:
            head = read()
        except LogDamagedError as error:
            report.add("signature", name, error.text("vi"), error.text("en"))
            continue
        if head is not None:
            heads.append((name, head))
    sizes = {name: head.size for name, head in heads}
    if len(sizes) == 1 and not report.problems:
        missing = "log-head" if "checkpoint" in sizes else "checkpoint"
        report.add("head_missing", missing, f"Thiếu {missing}.", f"{missing} is missing.", missing=True)
    if sizes.get("checkpoint", 0) > sizes.get("log-head", sizes.get("checkpoint", 0)):
        report.add(
            "head_older",
            "log-head",
            "Điểm đã công bố mới hơn điểm khóa đã nhớ: khóa hoặc nhật ký không phải bản gốc.",
            "The published head is newer than the one the key remembers: the key or the log isn't the original.",
        )
    return heads


def _witnessed(log: Log, policy: Policy | None, report: Report) -> list[tuple[str, str]]:
    path = log.dir / WITNESSED_FILE
    note = path.read_text("utf-8", errors="replace") if path.exists() else None
    if policy is not None:
        try:
            if note is None or not policy.judge(note).quorum:
                vi, en = "Chưa có điểm nào đủ bên xác nhận.", "No checkpoint has a quorum of witnesses."
                report.add("unwitnessed", WITNESSED_FILE, vi, en, missing=True)
        except NoteError as error:
            report.add("signature", WITNESSED_FILE, error.text("vi"), error.text("en"))
            return []
    return [] if note is None else [(WITNESSED_FILE, note)]


def _kept_heads(log: Log, notes: Sequence[tuple[str, str]], report: Report) -> list[tuple[str, Checkpoint]]:
    heads = []
    for name, note in notes:
        try:
            head = Checkpoint.open(note, log.verifier)
        except NoteError as error:
            report.add("signature", name, error.text("vi"), error.text("en"))
            continue
        if head.size > report.size:
            report.add(
                "rolled_back",
                name,
                f"Nhật ký có {report.size} mục, điểm giữ riêng có {head.size}: nhật ký bị lùi lại.",
                f"The log has {report.size} entries, a kept checkpoint {head.size}: the log was rolled back.",
            )
        heads.append((name, head))
    return heads


def _check_tree(
    db: Database,
    log: Log,
    heads: Sequence[tuple[str, Checkpoint]],
    report: Report,
    progress: Progress,
) -> None:
    edge = Edge()
    wanted = {head.size for _, head in heads}
    roots = {0: merkle.EMPTY_ROOT}
    for bundle in range(-(-report.size // WIDTH)):
        try:
            entries = log.tiles.entries(bundle, report.size)
        except LogDamagedError as error:
            report.add("entries", error.values["path"], error.text("vi"), error.text("en"), missing=not _there(error))
            return  # nothing above can be recomputed without these leaves
        for entry in entries:
            filled = edge.append(merkle.leaf_hash(entry))
            for level, index, hashes in filled:
                _check_tile(log, level, index, hashes, report)
            if edge.size in wanted:
                roots[edge.size] = edge.root()
        with db.read() as session:
            _check_rows(session, bundle * WIDTH, entries, report)
        progress(edge.size, report.size)
    for level, index, hashes in edge.partial():
        _check_tile(log, level, index, hashes, report)
    report.root = roots[report.size].hex()
    for name, head in heads:
        if head.size in roots and roots[head.size] != head.root:
            report.add(
                "root",
                name,
                f"Gốc tính lại của {head.size} mục khác gốc đã ký.",
                f"The recomputed root of {head.size} entries is not the signed one.",
            )


def _check_tile(log: Log, level: int, index: int, hashes: Sequence[bytes], report: Report) -> None:
    try:
        stored = log.tiles.hashes(level, index, report.size)
    except LogDamagedError as error:
        report.add("tile", error.values["path"], error.text("vi"), error.text("en"), missing=not _there(error))
        return
    for offset, (computed, kept) in enumerate(zip(hashes, stored, strict=False)):
        if computed != kept:
            first = (index * WIDTH + offset) << (8 * level)
            report.add(
                "tile",
                f"tile {level}/{index}, hash {offset}",
                f"Băm lưu khác băm tính lại, từ mục {first}: mục hoặc ô băm đã bị sửa.",
                f"The stored hash is not the recomputed one, from entry {first}: the entry or the tile was altered.",
            )


def _check_rows(session: Session, start: int, entries: Sequence[bytes], report: Report) -> None:
    end = start + len(entries)
    query = select(CustodyEvent).where(CustodyEvent.log_index >= start, CustodyEvent.log_index < end)
    rows = {row.log_index: row for row in session.scalars(query)}
    for index, entry in enumerate(entries, start=start):
        where = f"entry {index}"
        try:
            leaf = read_leaf(entry)
            report.newest_at = str(leaf["time"])
        except ValueError:
            report.add("leaf", where, "Mục không phải một sự kiện.", "The entry is not an event.")
            continue
        row = rows.get(index)
        if row is None:
            row = session.get(CustodyEvent, str(leaf["id"]))
            if row is None:
                report.add(
                    "row_missing",
                    where,
                    "Thiếu dòng trong cơ sở dữ liệu.",
                    "Its database row is missing.",
                    missing=True,
                )
                continue
            if row.log_index is None:
                report.unmarked += 1  # the sequencer marks it now, or at its next start
            elif row.log_index != index:
                vi, en = f"Dòng trong cơ sở dữ liệu mang số {row.log_index}.", f"Its row has the index {row.log_index}."
                report.add("row", where, vi, en)
        report.events += 1
        columns = (row.id, row.kind, row.object_id, row.actor)
        if row.body.encode() != entry or columns != (leaf["id"], leaf["kind"], leaf["object"], leaf.get("actor")):
            vi, en = "Dòng trong cơ sở dữ liệu khác mục đã ký.", "The database row is not what was signed."
            report.add("row", f"{where}, event {row.id}", vi, en)
        elif not _openings_fit(row):
            vi, en = "Muối hoặc giá trị mở không khớp cam kết.", "A salt or an opened value doesn't fit its commitment."
            report.add("opening", f"{where}, event {row.id}", vi, en)


def _openings_fit(row: CustodyEvent) -> bool:
    leaf = parse(row.body)
    commitments = leaf.get("commitments") if isinstance(leaf, Mapping) else None
    try:
        return all(
            isinstance(commitments, Mapping) and commitments.get(name) == commitment(opening)
            for name, opening in openings_of(row).items()
        )
    except ValueError:
        return False


def _check_surplus(db: Database, log: Log, report: Report) -> None:
    with db.read() as session:
        last = session.scalar(select(func.max(CustodyEvent.log_index)))
    try:
        published = log.checkpoint()  # read again: the sequencer may have gone on meanwhile
    except LogDamagedError:
        return  # said already
    size = max(report.size, published.size if published else 0)
    if last is not None and last >= size:
        report.add(
            "row",
            f"entry {last}",
            f"Cơ sở dữ liệu có mục {last}, nhật ký chỉ có {size}: nhật ký bị lùi lại hoặc dòng bị chèn.",
            f"The database has entry {last}, the log only {size}: the log was rolled back or a row was slipped in.",
        )


def _check_receipts(db: Database, log: Log, report: Report) -> None:
    after = ""
    while True:
        query = (
            select(Receipt, CustodyEvent.body)
            .join(CustodyEvent, CustodyEvent.id == Receipt.event_id)
            .where(Receipt.event_id > after)
            .order_by(Receipt.event_id)
            .limit(_PAGE)
        )
        with db.read() as session:
            rows = session.execute(query).all()
        for receipt, body in rows:
            report.receipts += 1
            try:
                same = canonical(verify_receipt(receipt.body, log.verifier).event) == body
            except ReceiptError:
                same = False
            if not same:
                vi, en = "Biên nhận lưu trong cơ sở dữ liệu không hợp lệ.", "The stored receipt is not valid."
                report.add("receipt", f"receipt {receipt.event_id}", vi, en)
        if len(rows) < _PAGE:
            break
        after = rows[-1][0].event_id
    with db.read() as session:
        for event in unissued(session, _PAGE):
            report.add(
                "receipt_missing", f"event {event.id}", "Thiếu biên nhận.", "Its receipt is missing.", missing=True
            )


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(CustodyEvent).where(condition)) or 0


def _there(error: LogDamagedError) -> bool:
    path = error.values["path"]
    return isinstance(path, Path) and path.exists()

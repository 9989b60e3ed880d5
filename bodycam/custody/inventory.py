"""The hourly inventory: a Merkle root over (object, copies, last verified) in the log, so that a silent deletion shows.

The list itself lies in `log/inventories/<event id>.jsonl`, one canonical JSON object a line, by object id; its leaves are the
lines without their newlines, hashed as RFC 6962 says. Lists are kept for two days, the first of each day for 90, the first of
each month for ever; `check_inventories` wants those and no others. Custody knows no vault: the rows are handed in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import UnaryExpression, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.durable import write_lines
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.report import Report
from bodycam.custody.service import format_time, record
from bodycam.custody.tiles import Edge
from bodycam.db import Database, new_id

KIND = "log.inventory"
GONE = "log.objects_gone"
_DISPOSED = ("recording.destroyed", "recording.destroy_failed")
_NAMED = 50
_ALL_FOR, _DAILY_FOR = timedelta(days=2), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Held:
    """One object: the places that hold a copy of it, and when the copy last read back longest ago was read (UTC)."""

    object_id: str
    copies: tuple[str, ...]
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """One inventory as its event tells it."""

    event_id: str
    index: int | None
    taken_at: datetime
    objects: int
    copies: int
    root: str


@dataclass(frozen=True, slots=True)
class Loss:
    """An object of the older list that the newer one lacks (`is_gone`), or that lost copies, without a disposition."""

    object_id: str
    is_gone: bool
    places: tuple[str, ...]


def take(db: Database, log: Log, held: Iterable[Held]) -> Inventory:
    """Write the list of what is held (by ascending object id), put its root into the log, and tell what went missing.

    What the last list has and this one lacks, without a disposition, becomes an event of its own.
    """
    event_id, edge, counts = new_id(), Edge(), [0, 0]

    def lines() -> Iterator[bytes]:
        for one in held:
            line = _line(one)
            edge.append(merkle.leaf_hash(line))
            counts[0] += 1
            counts[1] += len(one.copies)
            yield line + b"\n"

    write_lines(list_path(log, event_id), lines())
    root = (edge.root() if edge.size else merkle.EMPTY_ROOT).hex()
    taken = Inventory(event_id, None, clock.now(), counts[0], counts[1], root)
    with db.read() as session:
        before = newest(session)
        is_there = before is not None and list_path(log, before.event_id).is_file()
        gone = [one for one in compare(session, log, before, taken) if one.is_gone] if before and is_there else []
    with db.write() as session:
        details: dict[str, JSON] = {"root": root, "objects": counts[0], "copies": counts[1]}
        record(session, KIND, object_id="log", actor="system", details=details, event_id=event_id)
        if before is not None and gone:
            named: list[JSON] = [loss.object_id for loss in gone[:_NAMED]]
            details = {"objects": len(gone), "named": named, "since": before.event_id}
            record(session, GONE, object_id="log", actor="system", details=details)
    _prune(db, log)
    return taken


def newest(session: Session) -> Inventory | None:
    """Return the last inventory that was taken."""
    return next(_read(session, CustodyEvent.id.desc(), limit=1), None)


def inventories(session: Session) -> Iterator[Inventory]:
    """Yield what the log has of inventories, oldest first; nothing is read from the lists."""
    return _read(session, CustodyEvent.id.asc())


def objects_gone(session: Session, since: datetime, limit: int = 5) -> list[tuple[datetime, int, tuple[str, ...]]]:
    """Return the latest notes of objects that went without a disposition: when, how many, the ids of the first of them."""
    query = select(CustodyEvent.created_at, CustodyEvent.body).where(
        CustodyEvent.kind == GONE, CustodyEvent.object_id == "log", CustodyEvent.created_at >= since
    )
    found = []
    for at, body in session.execute(query.order_by(CustodyEvent.id.desc()).limit(limit)):
        match parse(body):
            case {"details": {"objects": int() as count, "named": list() as named}}:
                found.append((at, count, tuple(str(name) for name in named)))
    return found


def kept(session: Session) -> list[Inventory]:
    """Return the inventories whose list is to be kept still, oldest first."""
    moment, months, days, found = clock.now(), set[str](), set[str](), []
    for one in inventories(session):
        month, day = f"{one.taken_at:%Y-%m}", f"{one.taken_at:%Y-%m-%d}"
        age = moment - one.taken_at
        if month not in months or (day not in days and age < _DAILY_FOR) or age < _ALL_FOR:
            found.append(one)
        months.add(month)
        days.add(day)
    return found


def compare(session: Session, log: Log, older: Inventory, newer: Inventory) -> Iterator[Loss]:
    """Yield what the newer list lacks of the older one and no disposition explains.

    Raises:
        ValueError, OSError: a list isn't there or isn't one; check its root first.
    """
    destroyed: set[str] | None = None
    after = iter(read_list(log, newer.event_id))
    other = next(after, None)
    for one in read_list(log, older.event_id):
        while other is not None and other.object_id < one.object_id:
            other = next(after, None)
        here = other if other is not None and other.object_id == one.object_id else None
        lost = tuple(place for place in one.copies if here is None or place not in here.copies)
        if here is not None and not lost:
            continue
        if destroyed is None:
            destroyed = _destroyed(session)
        if one.object_id not in destroyed:
            yield Loss(one.object_id, here is None or not here.copies, lost)


def check_inventories(
    db: Database, log: Log, report: Report, progress: Callable[[int, int], None] | None = None
) -> None:
    """Hold each kept list against its root in the log, and each against the one before it; note what doesn't fit."""
    with db.read() as session:
        found = kept(session)
        whole = []
        for done, one in enumerate(found, start=1):
            if _check_list(log, one, report):
                whole.append(one)
            if progress is not None:
                progress(done, len(found))
        for older, newer in pairwise(whole):
            for loss in compare(session, log, older, newer):
                _note_loss(report, newer, loss)


def read_list(log: Log, event_id: str) -> Iterator[Held]:
    """Yield the lines of a list.

    Raises:
        ValueError: a line isn't one, or they aren't in order.
    """
    last = ""
    for line in _lines(list_path(log, event_id)):
        value = parse(line.decode())
        match value:
            case {"object": str() as object_id, "copies": list() as copies, **rest} if object_id > last:
                verified = rest.get("verified")
                places = tuple(str(place) for place in copies)
                yield Held(object_id, places, datetime.fromisoformat(verified) if isinstance(verified, str) else None)
                last = object_id
            case _:
                raise ValueError("not a line of an inventory, or not in order")


def list_path(log: Log, event_id: str) -> Path:
    """Return the file of an inventory's list."""
    return log.dir / "inventories" / f"{event_id}.jsonl"


def _read(session: Session, order: UnaryExpression[str], limit: int | None = None) -> Iterator[Inventory]:
    query = select(CustodyEvent.id, CustodyEvent.log_index, CustodyEvent.body, CustodyEvent.created_at)
    query = query.where(CustodyEvent.kind == KIND, CustodyEvent.object_id == "log")
    rows = session.execute(query.order_by(order).limit(limit))
    for event_id, index, body, taken_at in rows:
        leaf = parse(body)
        told = leaf.get("details") if isinstance(leaf, Mapping) else None
        told = told if isinstance(told, Mapping) else {}
        objects, copies = (int(str(told.get(name) or 0)) for name in ("objects", "copies"))
        yield Inventory(event_id, index, taken_at, objects, copies, str(told.get("root")))


def _line(one: Held) -> bytes:
    value: dict[str, JSON] = {"object": one.object_id, "copies": sorted(one.copies)}
    if one.verified_at is not None:
        value["verified"] = format_time(one.verified_at)
    return canonical(value).encode()


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                raise ValueError("the last line is cut")
            yield line[:-1]


def _check_list(log: Log, one: Inventory, report: Report) -> bool:
    edge, where = Edge(), f"inventory {one.event_id}"
    try:
        for line in _lines(list_path(log, one.event_id)):
            edge.append(merkle.leaf_hash(line))
    except FileNotFoundError:
        vi, en = "Thiếu bản kiểm kê còn phải giữ.", "A list that must still be kept is missing."
        report.add("inventory_missing", where, vi, en, missing=True)
        return False
    except ValueError:
        edge = Edge()
    root = (edge.root() if edge.size else merkle.EMPTY_ROOT).hex()
    if (root, edge.size) == (one.root, one.objects):
        return True
    vi, en = "Bản kiểm kê không khớp gốc trong nhật ký.", "The list doesn't give the root in the log."
    report.add("inventory", where, vi, en)
    return False


def _note_loss(report: Report, newer: Inventory, loss: Loss) -> None:
    at, places = f"{newer.taken_at:%Y-%m-%d %H:%M}Z", ", ".join(loss.places) or "—"
    if loss.is_gone:
        vi = f"Không còn trong kho từ lần kiểm kê {at} ({places}) mà không có quyết định hủy."
        en = f"Gone from the vault by the inventory of {at} ({places}), without a disposition."
    else:
        vi, en = f"Mất bản sao ở {places} từ lần kiểm kê {at}.", f"Lost its copy at {places} by the inventory of {at}."
    report.add("object_gone" if loss.is_gone else "copy_gone", f"object {loss.object_id}", vi, en, missing=True)


def _destroyed(session: Session) -> set[str]:
    query = select(CustodyEvent.body).where(CustodyEvent.kind.in_(_DISPOSED))
    found: set[str] = set()
    for body in session.scalars(query.execution_options(yield_per=1000)):
        leaf = parse(body)
        details = leaf.get("details") if isinstance(leaf, Mapping) else None
        objects = details.get("objects") if isinstance(details, Mapping) else None
        if isinstance(objects, list):
            found.update(str(item) for item in objects)
    return found


def _prune(db: Database, log: Log) -> None:
    with db.read() as session:
        wanted = {list_path(log, one.event_id).name for one in kept(session)}
    for path in (log.dir / "inventories").glob("*.jsonl"):
        if path.name not in wanted:
            path.unlink()

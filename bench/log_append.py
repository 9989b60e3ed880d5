"""Durable appends a second, in batches of 1, 10 and 100: `python bench/log_append.py [rounds]`.

Ours twice: the log alone (entries into the tiles, synced, head signed, kept and published), and an event's whole way (its row in a
transaction, the log, its index). Beside them in the same run, interleaved, the same bytes: rows into SQLite (WAL, synchronous=FULL,
one transaction a batch), and lines at a file's end with one fsync a batch, the floor of any log. Everything lies in one temporary
folder below the working folder, removed at the end.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bodycam.custody import record
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.sequencer import Sequencer
from bodycam.custody.tiles import TileWriter
from bodycam.db import Database
from bodycam.models import Base

BATCHES = (1, 10, 100)
SLICE_S = 1.0  # of one measurement of one side
Append = Callable[[int], None]


def main() -> None:
    """Print a table of appends a second and their ratios to SQLite."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, ExitStack() as stack:
        sides = {
            "the log alone": stack.enter_context(log_alone(Path(folder) / "alone")),
            "an event's whole way": stack.enter_context(whole_way(Path(folder) / "whole")),
            "SQLite rows": stack.enter_context(sqlite_rows(Path(folder) / "peer.db")),
            "a file and fsync": stack.enter_context(plain_file(Path(folder) / "peer.txt")),
        }
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(rounds):
            for batch in BATCHES:
                for name, append in sides.items():
                    found.setdefault((name, batch), []).append(rate(append, batch))
    print("| durable appends/s, in batches of | 1 | 10 | 100 |\n|---|---|---|---|")
    for name in sides:
        medians = [statistics.median(found[name, batch]) for batch in BATCHES]
        peers = [statistics.median(found["SQLite rows", batch]) for batch in BATCHES]
        cells = (f"{each:,.0f} ({each / peer:.2f} ×)" for each, peer in zip(medians, peers, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")


def rate(append: Append, batch: int) -> float:
    """Return the appends a second of one slice of time."""
    done, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < SLICE_S:
        append(batch)
        done += batch
    return done / elapsed


@contextmanager
def log_alone(folder: Path) -> Iterator[Append]:
    """Append the bytes of leaves to tiles and sign each batch."""
    log = Log.open(folder / "log", folder / "keys", origin="bench/log")
    log.unlock()
    writer = TileWriter(log.tiles, 0)

    def append(batch: int) -> None:
        for _ in range(batch):
            writer.append(LEAF)
        writer.flush()
        log.sign(writer.size, writer.root())
        writer.prune()

    yield append


@contextmanager
def whole_way(folder: Path) -> Iterator[Append]:
    """Commit a batch of events and take it into the log, as the sequencer does while it runs."""
    folder.mkdir()
    db = Database(f"sqlite:///{folder}/bodycam.db")
    Base.metadata.create_all(db.engine)
    log = Log.open(folder / "log", folder / "keys", origin="bench/log")
    sequencer = Sequencer(db, log)
    with sequencer.hold():
        writer = sequencer._open()  # noqa: SLF001  run_forever without its pauses

        def append(batch: int) -> None:
            with db.write() as session:
                for _ in range(batch):
                    record(session, "recording.viewed", object_id="recording", actor="account", reason_code="case_work")
            sequencer._drain(writer)  # noqa: SLF001

        yield append
    db.close()


@contextmanager
def sqlite_rows(path: Path) -> Iterator[Append]:
    """Insert the same bytes with an id and an index of one more column, as a table of events has."""
    connection = sqlite3.connect(path, isolation_level=None)
    for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"):
        connection.execute(line)
    connection.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, object TEXT, body TEXT)")
    connection.execute("CREATE INDEX event_object ON event (object, id)")

    def append(batch: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(batch):
            connection.execute("INSERT INTO event (object, body) VALUES (?, ?)", ("recording", LEAF.decode()))
        connection.execute("COMMIT")

    yield append
    connection.close()


@contextmanager
def plain_file(path: Path) -> Iterator[Append]:
    """Write the same bytes at the end of a file and sync it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(batch: int) -> None:
        os.write(descriptor, (LEAF + b"\n") * batch)
        os.fsync(descriptor)

    yield append
    os.close(descriptor)


def _leaf() -> bytes:
    db = Database("sqlite://")
    Base.metadata.create_all(db.engine, tables=[Base.metadata.tables[CustodyEvent.__tablename__]])
    with db.write() as session:
        event = record(session, "recording.viewed", object_id="recording", actor="account", reason_code="case_work")
        return event.body.encode()


LEAF = _leaf()

if __name__ == "__main__":
    main()

"""Recomputes a station's journal: every line, its place in the chain and its signature; then against the custody log.

The log keeps the journal's head at the end of each offload, so that a journal cut off before it shows; and what the journal saw
sealed must be in the catalogue as it was. Nothing is written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from bodycam.custody.errors import NoteError
from bodycam.custody.models import CustodyEvent
from bodycam.custody.note import Signer, Verifier
from bodycam.custody.report import Report, Verdict
from bodycam.db import Database
from bodycam.recordings.models import Recording
from dock_service.journal import FIRST, MAX_LINE, Line, journal_files, read_line

_AT_ONCE = 400
_MARKED = ("offload.finished", "station.stopped")  # events that keep the journal's head
_T = TypeVar("_T")


@dataclass(frozen=True)
class Sealed:
    """What a line says was sealed."""

    recording_id: str
    sha256: str
    size: int
    where: str


@dataclass
class JournalReport:
    """What was recomputed and what doesn't fit; `vouched` tells whether its keys are known from elsewhere than itself."""

    lines: int = 0
    head: str = FIRST
    first_at: str = ""
    last_at: str = ""
    keys: set[str] = field(default_factory=set)
    vouched: bool = True
    torn: int = 0  # bytes of a last line that is being written, or that a dead process left
    set_aside: list[str] = field(default_factory=list)
    shown_done: int = 0
    missed: int = 0  # lines that the full disk did not take, by the journal's own count
    compared: bool = False
    report: Report = field(default_factory=Report)

    @property
    def verdict(self) -> Verdict:
        """The worst of the problems."""
        return self.report.verdict


class JournalAudit:
    """One pass over a journal's files."""

    def __init__(self, folder: Path, keys: Mapping[str, Verifier]) -> None:
        """Check against these public keys, by their id; without any, those the journal names itself."""
        self._folder = folder
        self._given = bool(keys)
        self._keys = dict(keys)
        self._hashes: dict[int, str] = {}
        self._sealed: list[Sealed] = []
        self._greens: list[tuple[str, str]] = []  # visit, where
        self.found = JournalReport(vouched=self._given)

    def chain(self) -> JournalReport:
        """Recompute lines, chain and signatures."""
        found, expected = self.found, 0
        found.set_aside = sorted(path.name for path in self._folder.glob("*.torn-*"))
        for where, raw in self._raw_lines():
            try:
                line = read_line(raw)
            except ValueError as error:
                self._bad("broken_line", where, "dòng không đọc được", f"a line that can't be read ({error})")
                found.head, expected = hashlib.sha256(raw).hexdigest(), expected + 1
                continue
            self._place(line, expected, where)
            self._signature(line, where)
            self._keep(line, where)
            found.head, expected = line.hash, line.seq + 1
        if not found.lines:
            found.report.add("empty", self._folder, "nhật ký trống", "the journal is empty", missing=True)
        return found

    def compare(self, db: Database, own_keys: frozenset[str] = frozenset()) -> JournalReport:
        """Compare with the custody log and the catalogue; `own_keys` are ids of keys whose lines must be here."""
        self.found.compared = True
        ours = self.found.keys | own_keys
        with db.read() as session:
            query = select(CustodyEvent.id, CustodyEvent.body).where(CustodyEvent.kind.in_(_MARKED))
            for event_id, body in session.execute(query.execution_options(yield_per=1000)):
                self._mark(event_id, body, ours)
        for part in _parts(self._sealed):
            with db.read() as session:
                rows = session.execute(
                    select(Recording.id, Recording.sha256, Recording.size).where(
                        Recording.id.in_([one.recording_id for one in part])
                    )
                )
                known = {row[0]: (row[1], row[2]) for row in rows}
            for one in part:
                self._recording(one, known.get(one.recording_id))
        for greens in _parts(self._greens):
            with db.read() as session:
                query_done = select(CustodyEvent.object_id).where(
                    CustodyEvent.kind == "offload.finished",
                    CustodyEvent.object_id.in_([visit for visit, _ in greens]),
                )
                finished = set(session.scalars(query_done))
            for visit, where in greens:
                if visit not in finished:
                    self._bad(
                        "green_alone",
                        where,
                        f"báo ĐÃ XONG cho lượt {visit} mà nhật ký chứng cứ không có",
                        f"green was shown for visit {visit}, which the custody log doesn't know",
                    )
        return self.found

    def _raw_lines(self) -> Iterator[tuple[str, bytes]]:
        files = journal_files(self._folder)
        for path in files:
            with path.open("rb") as file:
                number = 0
                while raw := file.readline(MAX_LINE + 1):
                    number += 1
                    if raw.endswith(b"\n"):
                        yield f"{path.name}:{number}", raw[:-1]
                    elif path == files[-1] and len(raw) <= MAX_LINE:
                        self.found.torn = len(raw)
                    else:
                        yield f"{path.name}:{number}", raw

    def _place(self, line: Line, expected: int, where: str) -> None:
        if line.seq > expected:
            what = f"{expected}" if line.seq == expected + 1 else f"{expected} – {line.seq - 1}"
            self.found.report.add(
                "lines_missing", where, f"thiếu dòng {what}", f"the lines {what} are missing", missing=True
            )
        elif line.seq < expected:
            self._bad("repeated_line", where, f"số dòng {line.seq} lặp lại", f"the number {line.seq} comes again")
        elif line.previous != self.found.head:
            self._bad("broken_chain", where, "không nối với dòng trước", "it doesn't follow the line before")

    def _signature(self, line: Line, where: str) -> None:
        if not self._given and line.kind == "journal.begun":
            self._adopt(str(line.data.get("public") or ""))
        key = self._keys.get(line.key)
        if key is None:
            self._bad("unknown_key", where, f"khóa ký {line.key} không rõ của ai", f"nobody knows the key {line.key}")
        elif not line.is_signed_by(key.public):
            self._bad("false_signature", where, "chữ ký sai", "the signature is false")

    def _adopt(self, text: str) -> None:
        try:
            verifier = Verifier.parse(text)
        except NoteError:
            return
        self._keys[verifier.key_id.hex()] = verifier

    def _keep(self, line: Line, where: str) -> None:
        found = self.found
        found.lines += 1
        found.first_at, found.last_at = found.first_at or line.time, line.time
        found.keys.add(line.key)
        self._hashes[line.seq] = line.hash
        missed = line.data.get("missed", 0)
        found.missed += missed if isinstance(missed, int) else 0
        if line.kind == "file.sealed":
            size = line.data.get("size")
            sha256, recording = str(line.data.get("sha256")), str(line.data.get("id"))
            self._sealed.append(Sealed(recording, sha256, size if isinstance(size, int) else -1, where))
        elif line.kind == "tile.shown_done":
            found.shown_done += 1
            self._greens.append((str(line.data.get("visit")), where))

    def _mark(self, event_id: str, body: str, ours: set[str] | frozenset[str]) -> None:
        details = json.loads(body).get("details") or {}
        mark = details.get("journal") or {}
        if mark.get("key") not in ours:
            return
        seq = mark.get("seq")
        have = self._hashes.get(seq) if isinstance(seq, int) else None
        if have is None:
            vi, en = (
                f"nhật ký chứng cứ biết dòng {seq}, ở đây không còn",
                f"the custody log knows line {seq}, gone here",
            )
            self.found.report.add("cut_off", event_id, vi, en, missing=True)
        elif have != mark.get("head"):
            self._bad(
                "other_head", event_id, "dòng khác với nhật ký chứng cứ", "the line is another than the log knows"
            )

    def _recording(self, sealed: Sealed, known: tuple[str, int] | None) -> None:
        if known is None:
            vi, en = f"bản ghi {sealed.recording_id} không còn", f"the recording {sealed.recording_id} is gone"
            self.found.report.add("recording_missing", sealed.where, vi, en, missing=True)
        elif known != (sealed.sha256, sealed.size):
            vi, en = f"bản ghi {sealed.recording_id} đã khác", f"the recording {sealed.recording_id} is another"
            self._bad("recording_differs", sealed.where, vi, en)

    def _bad(self, code: str, where: object, vi: str, en: str) -> None:
        self.found.report.add(code, where, vi, en)


def known_keys(db: Database) -> dict[str, Verifier]:
    """Return the public keys of stations' journals that the custody log names, by their id."""
    found: dict[str, Verifier] = {}
    with db.read() as session:
        query = select(CustodyEvent.body).where(
            CustodyEvent.kind == "key.created", CustodyEvent.object_id.startswith("station-")
        )
        for body in session.scalars(query.order_by(CustodyEvent.id)):
            public = (json.loads(body).get("details") or {}).get("public")
            try:
                verifier = Verifier.parse(str(public))
            except NoteError:
                continue
            found[verifier.key_id.hex()] = verifier
    return found


def own_key_ids(keys_dir: Path) -> frozenset[str]:
    """Return the ids of this machine's own journal keys."""
    found = set()
    for path in sorted(keys_dir.glob("station-*.key")):
        try:
            found.add(Signer.parse(path.read_text("ascii")).verifier.key_id.hex())
        except (NoteError, OSError, UnicodeDecodeError):
            continue
    return frozenset(found)


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]

"""The dock's own witness: what a station saw and did, line by line, chained by hash and signed by the station's key.

Lines are appended in one write each, so a killed process tears at most the last one; a torn end is set aside and said, and the
chain goes on from the last whole line. Lines somebody relies on (green, a clock set, a deletion) are on the disk when `append`
returns; the others by the next of them. The journal holds file names and serials: 0600, in the data folder, never public.
Format: docs/formats.md.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from bodycam import clock
from bodycam.custody import record_now
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.durable import make_folder, write_durably
from bodycam.custody.errors import NoteError
from bodycam.custody.models import CustodyEvent
from bodycam.custody.note import Signer, decode, encode
from bodycam.errors import DiskFullError
from bodycam.runtime import Runtime
from dock_service.errors import JournalKeyError, JournalWriteError

log = structlog.get_logger()

SCHEMA = "bodycam/journal/1"
FOLDER = "journal"
FIRST = "0" * 64  # what the first line names as the line before it
ROTATE_BYTES = 32 << 20
MAX_LINE = 64 << 10
LASTING = frozenset(
    {"journal.begun", "journal.torn", "tile.shown_done", "clock.set", "offload.finished", "file.wiped", "order.obeyed"}
)
_NAME = re.compile(r"\d{4}-\d{2}-\d{12}\.jsonl")
_TAIL = 4 * MAX_LINE


@dataclass(frozen=True)
class Line:
    """One line as it stands in the journal; `hash` is what the next line names as the one before it."""

    seq: int
    previous: str
    station: str
    key: str
    kind: str
    time: str
    data: dict[str, JSON]
    signed: bytes
    signature: bytes
    hash: str

    def is_signed_by(self, public: bytes) -> bool:
        """Tell whether this Ed25519 key signed the line."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(self.signature, self.signed)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Mark:
    """Where a journal stands: the number and hash of its last line; cut off before it, the journal doesn't fit any more."""

    seq: int
    head: str
    key: str = ""  # the id of the key that signed it, which tells one machine's journal from another's

    def as_details(self) -> dict[str, JSON]:
        """Return it as a custody event keeps it."""
        return {"journal": {"seq": self.seq, "head": self.head, "key": self.key}} if self.head else {}


class Witness(Protocol):
    """What takes the lines of one camera's work."""

    def __call__(self, kind: str, **data: JSON) -> Mark:
        """Write a line."""
        ...


def nobody(kind: str, **data: JSON) -> Mark:  # noqa: ARG001  a Witness that writes nothing
    """Write no journal."""
    return Mark(-1, "")


def read_line(raw: bytes) -> Line:
    """Read one line without its newline; raises ValueError saying what is wrong with it. The signature is not checked."""
    if len(raw) > MAX_LINE:
        raise ValueError("longer than a line may be")
    found = parse(raw.decode("utf-8"))
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError("not a line of a journal")
    body = {name: value for name, value in found.items() if name != "signature"}
    texts = [found.get(name) for name in ("previous", "station", "key", "kind", "time", "signature")]
    seq, data = found.get("seq"), found.get("data")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0 or not isinstance(data, dict):
        raise ValueError("the number or the data of the line are missing")
    if canonical(found).encode() != raw:
        raise ValueError("not in canonical form")
    previous, station, key, kind, time, signature = (text if isinstance(text, str) else "" for text in texts)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a field of the line is missing")
    try:
        given = decode(signature)
    except NoteError as error:
        raise ValueError("the signature is no Base64") from error
    digest = hashlib.sha256(raw).hexdigest()
    return Line(seq, previous, station, key, kind, time, dict(data), canonical(body).encode(), given, digest)


def journal_files(folder: Path) -> list[Path]:
    """Return the files of a journal in the order of their lines."""
    found = [path for path in folder.glob("*.jsonl") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.stem.rpartition("-")[2])


def key_file(keys_dir: Path, station_id: str) -> Path:
    """Return where a station's signing key lies."""
    return keys_dir / f"station-{station_id}.key"


@dataclass
class _End:
    """Where the journal stands: its last file, how long that is, and the last whole line in it."""

    file: Path | None
    size: int = 0
    seq: int = -1
    head: str = FIRST


class Journal:
    """One machine's journal, open for appending; any thread and several processes may append."""

    def __init__(self, folder: Path, signer: Signer, station_id: str) -> None:
        """Use `Journal.open`."""
        self._folder = folder
        self._key = Ed25519PrivateKey.from_private_bytes(signer.seed)
        self.public = str(signer.verifier)
        self._key_id = signer.verifier.key_id.hex()
        self._station = station_id
        self._lock = threading.Lock()
        self._end = _End(None)
        self._missed = 0

    @classmethod
    def open(cls, data_dir: Path, keys_dir: Path, station_id: str) -> "Journal":
        """Open the journal under `data_dir`, making the station's key on first use (then the first line names it).

        Raises JournalKeyError when the key file is no key of this station.
        """
        made_key = _make_key(key_file(keys_dir, station_id), station_id)
        journal = cls(data_dir / FOLDER, _read_key(key_file(keys_dir, station_id), station_id), station_id)
        make_folder(journal._folder)
        if made_key or not journal_files(journal._folder):
            journal.append("journal.begun", public=journal.public)
        return journal

    def append(self, kind: str, **data: JSON) -> Mark:
        """Write a line and return where the journal stands; a line of `LASTING` is on the disk then.

        When the disk refuses, a lasting line raises DiskFullError or JournalWriteError; any other is counted, and the next line that can be
        written says how many are missing.
        """
        with self._lock:
            try:
                with self._alone():
                    self._catch_up()
                    self._write(kind, data)
                    if kind in LASTING:
                        self._sync()
            except OSError as error:
                self._missed += 1
                log.warning("journal.not_written", kind=kind, reason=error.strerror)
                if kind in LASTING:
                    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                        raise DiskFullError(path=self._folder) from error
                    raise JournalWriteError(path=self._folder, reason=error.strerror or str(error)) from error
            return Mark(self._end.seq, self._end.head, self._key_id)

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _catch_up(self) -> None:
        """Learn what another process wrote since; set aside what a dead one left half written."""
        end, files = self._end, journal_files(self._folder)
        if files and end.file == files[-1] and end.file.stat().st_size == end.size:
            return
        torn: list[dict[str, JSON]] = []
        self._end = _End(None)
        for path in reversed(files):
            last, size = _last_line(path)
            if path.stat().st_size > size:
                torn.append(_set_aside(path, size))
            if last is not None:
                self._end = _End(path, size, last.seq, last.hash)
                break
            path.unlink()  # empty now: what was in it lies aside
        for part in torn:
            self._write("journal.torn", part)
        if torn:
            self._sync()

    def _write(self, kind: str, data: dict[str, JSON]) -> None:
        now, end = clock.now(), self._end
        body: dict[str, JSON] = {
            "schema": SCHEMA,
            "seq": end.seq + 1,
            "previous": end.head,
            "station": self._station,
            "key": self._key_id,
            "kind": kind,
            "time": now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "monotonic_us": int(clock.monotonic() * 1_000_000),
            "boot": clock.boot_id(),
            "data": _unicode({**data, "missed": self._missed} if self._missed else data),
        }
        signature = self._key.sign(canonical(body).encode())
        raw = canonical({**body, "signature": encode(signature)}).encode()
        if len(raw) > MAX_LINE:
            raise ValueError(f"a line of {len(raw)} bytes for {kind}: too long")
        path = self._file_for(now, end)
        _append(path, raw + b"\n", 0 if path != end.file else end.size)
        size = len(raw) + 1 + (end.size if path == end.file else 0)
        self._end = _End(path, size, end.seq + 1, hashlib.sha256(raw).hexdigest())
        self._missed = 0

    def _file_for(self, now: datetime, end: _End) -> Path:
        month = clock.local(now).strftime("%Y-%m")
        if end.file is not None and end.size < ROTATE_BYTES and end.file.name.startswith(month):
            return end.file
        if end.file is not None:
            self._sync()
        return self._folder / f"{month}-{end.seq + 1:012d}.jsonl"

    def _sync(self) -> None:
        for path in (self._end.file, self._folder):
            if path is None:
                continue
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _unicode(value: JSON) -> JSON:
    """Return a value whose texts can be written: a device may say what is no Unicode."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {str(_unicode(name)): _unicode(inner) for name, inner in value.items()}
    return [_unicode(inner) for inner in value] if isinstance(value, Sequence) else value


def open_journal(rt: Runtime, station_id: str) -> Journal:
    """Open this machine's journal, and see that the custody log knows its key: one died before it could say so is made good."""
    journal = Journal.open(rt.settings.data_dir, rt.settings.keys.dir, station_id)
    name = f"station-{station_id}"
    with rt.db.read() as session:
        made = select(CustodyEvent.body).where(CustodyEvent.kind == "key.created", CustodyEvent.object_id == name)
        is_known = any(journal.public in body for body in session.scalars(made))
    if not is_known:
        details: dict[str, JSON] = {"purpose": "journal", "public": journal.public}
        record_now(rt.db, "key.created", object_id=name, actor="system", details=details)
    return journal


def _append(path: Path, raw: bytes, size: int) -> None:
    """Write a whole line at the end, or leave the file as it was."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        written = 0
        try:
            while written < len(raw):
                written += os.pwrite(descriptor, raw[written:], size + written)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _set_aside(path: Path, size: int) -> dict[str, JSON]:
    """Move what stands behind the last whole line into a file of its own; returns what the journal says of it."""
    with path.open("r+b") as file:
        file.seek(size)
        rest = file.read()
        digest = hashlib.sha256(rest).hexdigest()
        write_durably(path.with_name(f"{path.stem}.torn-{digest[:16]}"), rest)
        file.truncate(size)
        os.fsync(file.fileno())
    log.warning("journal.torn", file=path.name, bytes=len(rest))
    return {"file": path.name, "bytes": len(rest), "sha256": digest}


def _last_line(path: Path) -> tuple[Line | None, int]:
    """Return the last whole line of a file, and how many bytes the file has up to its end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for start in sorted({max(0, size - _TAIL), 0}, reverse=True):
            file.seek(start)
            tail = file.read()
            end = tail.rfind(b"\n") + 1
            while end > 0:
                begin = tail.rfind(b"\n", 0, end - 1) + 1
                try:
                    return read_line(tail[begin : end - 1]), start + end
                except ValueError:  # garbage that a power cut left, or the window's first line
                    end = begin
    return None, 0


def _make_key(path: Path, station_id: str) -> bool:
    if path.exists():
        return False
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_durably(aside, f"{Signer.generate(f'station-{station_id}').private_text()}\n".encode())
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    return True


def _read_key(path: Path, station_id: str) -> Signer:
    try:
        signer = Signer.parse(path.read_text("ascii"))
    except (NoteError, UnicodeDecodeError, OSError) as error:
        raise JournalKeyError(path=path, reason=str(error)) from None
    if signer.name != f"station-{station_id}":
        raise JournalKeyError(path=path, reason=f"it is the key of {signer.name}")
    return signer

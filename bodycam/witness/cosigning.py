"""What a witness signs, and what it remembers of it: the part to read when a witness is audited.

Formats: C2SP tlog-witness, tlog-cosignature, tlog-checkpoint, signed-note; RFC 6962. Nothing else of bodycam is imported.
"""

import base64
import errno
import hashlib
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE, JOURNAL_FILE = "witness.key", "journal"
LOG_KEY, COSIGNATURE = b"\x01", b"\x04"  # signature types (signed-note, "Signature types")
MAX_PROOF = 63  # tlog-witness, "add-checkpoint"
CLOCK_SLACK_S = 300  # how far this clock may have gone back since the last cosignature
NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
EMPTY_ROOT = hashlib.sha256(b"").digest()


class WitnessError(Exception):
    """The witness can't work; the text says in both languages what to do."""


class RefusedError(Exception):
    """A checkpoint is not cosigned; carries the HTTP status of tlog-witness and the answer's text."""

    def __init__(self, status: int, text: str, *, size: int | None = None) -> None:
        """Keep the status, a text for a person and, for 409, the size that this witness knows."""
        super().__init__(text)
        self.status, self.text, self.size = status, text, size


@dataclass(frozen=True)
class Head:
    """The last checkpoint of a log that was cosigned, and when (seconds since 1970)."""

    size: int
    root: bytes
    time: int


@dataclass(frozen=True)
class Request:
    """A request to cosign, as tlog-witness writes it; nothing in it is believed yet."""

    old: int
    proof: list[bytes]
    note: str
    body: str
    signatures: list[tuple[str, bytes]]
    origin: str
    size: int
    root: bytes


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """Return the four bytes that name a key in a signature line (signed-note, "Format")."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def vkey(name: str, kind: bytes, public: bytes) -> str:
    """Return a public key as text: name, id and Base64 of kind and key."""
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(kind + public).decode()}"


def read_log_key(text: str) -> tuple[str, bytes]:
    """Read a log's vkey as (origin, Ed25519 key); raises WitnessError when it isn't one."""
    try:
        name, shown, data = text.strip().split("+", 2)
        key = base64.b64decode(data, validate=True)
    except ValueError:
        name, shown, key = "", "", b""
    if not name or len(key) != 33 or key[:1] != LOG_KEY or key_id(name, LOG_KEY, key[1:]).hex() != shown:  # noqa: PLR2004
        raise WitnessError(f"Không phải khóa công khai của nhật ký / Not a log's public key: {text.strip()}")
    return name, key[1:]


def read_request(text: str) -> Request:
    """Take a request apart (tlog-witness, "add-checkpoint"); raises RefusedError 400 when it isn't one."""
    try:
        return _take_apart(text)
    except ValueError:
        raise RefusedError(400, "not a request to cosign a checkpoint") from None


def _take_apart(text: str) -> Request:
    head, note = text.split("\n\n", 1)
    old, *proof = head.split("\n")
    body, tail = note.rsplit("\n\n", 1)
    origin, size, root, *extension = body.split("\n")
    *lines, end = tail.split("\n")
    hashes = [base64.b64decode(line, validate=True) for line in [root, *proof]]
    signatures = []
    for line in lines:
        dash, name, data = line.split(" ")
        signatures.append((name if dash == "—" else "", base64.b64decode(data, validate=True)))
    if (
        not old.startswith("old ")
        or not NUMBER.fullmatch(old[4:])
        or not NUMBER.fullmatch(size)
        or not origin
        or "" in extension
        or end
        or len(proof) > MAX_PROOF
        or any(len(item) != 32 for item in hashes)  # noqa: PLR2004  SHA-256
        or any(ord(c) < ord(" ") and c != "\n" for c in text)
    ):
        raise ValueError("a line is malformed")
    return Request(int(old[4:]), hashes[1:], note, f"{body}\n", signatures, origin, int(size), hashes[0])


def is_signed(request: Request, keys: Sequence[bytes]) -> bool:
    """Say whether one of the log's keys signed the checkpoint; signatures of other keys are ignored."""
    for key in keys:
        for name, signature in request.signatures:
            if name == request.origin and signature[:4] == key_id(name, LOG_KEY, key):
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], request.body.encode())
                except InvalidSignature:
                    continue
                return True
    return False


def continues(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Say whether the proof shows that the tree of `new` leaves begins with that of `old` leaves (RFC 9162, 2.1.4.2)."""
    if old in {0, new}:
        return not proof and (old == 0 or old_root == new_root) and (new > 0 or new_root == EMPTY_ROOT)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if old > new or not path:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = node(sibling, first), node(sibling, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node(second, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Journal:
    """Every checkpoint this witness cosigned, one line each, only ever appended; the last line of a log is its state.

    A line: check (first 8 hex digits of the SHA-256 of the rest), time, size, root (hex), origin. A second journal on another
    disk gets every line too: one put back from a backup is then shorter than the other, and the witness doesn't start.
    """

    def __init__(self, path: Path, second: Path | None = None) -> None:
        """Read both journals and compare them; raises WitnessError when they can't be trusted."""
        self._path, self._second = path, second
        lines = self._read(path)
        self._owed = ""  # what the second journal doesn't have yet
        if second is not None:
            others = self._read(second)
            if others != lines[: len(others)]:
                raise WitnessError(
                    f"Nhật ký {path} cũ hơn hoặc khác {second}: có thể bị khôi phục từ bản cũ. Không xác nhận nữa; xem docs/witnesses.md.\n"
                    f"The journal {path} is older than {second} or differs from it: it may come from a backup. Nothing is cosigned."
                )
            self._owed = "".join(f"{line}\n" for line in lines[len(others) :])
        self.heads: dict[str, Head] = {}
        for line in lines:
            _, at, size, root, origin = line.split(" ", 4)
            self.heads[origin] = Head(int(size), bytes.fromhex(root), int(at))

    def add(self, origin: str, head: Head) -> None:
        """Write a head to both; when this returns, it lasts. After an error it may last, so it counts as written."""
        rest = f"{head.time} {head.size} {head.root.hex()} {origin}"
        line = f"{check(rest)} {rest}\n"
        append(self._path, line)
        self.heads[origin] = head
        if self._second is not None:
            self._owed += line
            append(self._second, self._owed)
            self._owed = ""

    @staticmethod
    def _read(path: Path) -> list[str]:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise WitnessError(
                f"Không đọc được nhật ký {path} ({error.strerror}); không có nó thì không biết đã xác nhận gì.\n"
                f"The journal {path} can't be read: without it nobody knows what was cosigned."
            ) from None
        whole, _, torn = data.rpartition(b"\n")
        if torn:  # a power cut in the middle of a line: it was not signed yet
            os.truncate(path, len(whole) + 1 if whole else 0)
        lines = whole.decode("utf-8", "replace").split("\n") if whole else []
        for number, line in enumerate(lines, start=1):
            shown, _, rest = line.partition(" ")
            if check(rest) != shown:
                raise WitnessError(f"Nhật ký bị sửa, dòng {number} / The journal was altered at line {number}: {path}")
        return lines


def check(text: str) -> str:
    """Return the check of a journal's line."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def append(path: Path, text: str) -> None:
    """Append whole lines to a file, or make it, 0600; when this returns, they last; after an error there is none of them."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    data, done = text.encode(), False
    before = os.fstat(descriptor).st_size
    try:
        whole = os.write(descriptor, data) == len(data)
        os.fsync(descriptor)
        done = whole
    finally:
        if not done:
            os.ftruncate(descriptor, before)
        os.close(descriptor)
    if not done:
        raise OSError(errno.ENOSPC, "a line was cut short", str(path))
    if made:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


class Witness:
    """Checks and cosigns; one instance per folder, safe for many threads."""

    def __init__(self, folder: Path, logs: Sequence[str], second: Path | None = None) -> None:
        """Read key and journal; `logs` are the vkeys of the logs to watch (several keys of one origin: any may sign)."""
        self.name, self._key = read_key(folder / KEY_FILE)
        self.vkey = vkey(self.name, COSIGNATURE, self._key.public_key().public_bytes_raw())
        self._keys: dict[str, list[bytes]] = {}
        for origin, key in map(read_log_key, logs):
            self._keys.setdefault(origin, []).append(key)
        self._journal = Journal(folder / JOURNAL_FILE, second)
        self._lock = threading.Lock()
        self._now(max((head.time for head in self.heads.values()), default=0))

    @property
    def heads(self) -> Mapping[str, Head]:
        """The last head cosigned of each log."""
        return self._journal.heads

    def add_checkpoint(self, text: str) -> tuple[Request, str]:
        """Check a request and return it with the signature line for its checkpoint.

        Raises:
            RefusedError: it is not cosigned, with the status that tlog-witness asks for.
        """
        asked = read_request(text)
        if asked.origin not in self._keys:
            raise RefusedError(404, "this log is not watched here")
        if not is_signed(asked, self._keys[asked.origin]):
            raise RefusedError(403, "the log's key didn't sign this checkpoint")
        if asked.old > asked.size:
            raise RefusedError(400, "the old size is larger than the checkpoint's")
        with self._lock:
            known = self.heads.get(asked.origin, Head(0, EMPTY_ROOT, 0))
            if asked.old != known.size:
                raise RefusedError(409, f"{known.size} entries were cosigned here", size=known.size)
            if asked.size == known.size and asked.root != known.root:
                raise RefusedError(409, "another root of this size was cosigned here", size=known.size)
            if not continues(known.size, asked.size, asked.proof, known.root, asked.root):
                raise RefusedError(422, "the proof doesn't show that this tree continues the one cosigned here")
            moment = self._now(known.time)
            if asked.size > known.size:
                self._journal.add(asked.origin, Head(asked.size, asked.root, moment))
            return asked, self._cosign(asked.body, moment)

    def _cosign(self, body: str, moment: int) -> str:
        signature = self._key.sign(f"cosignature/v1\ntime {moment}\n{body}".encode())
        named = key_id(self.name, COSIGNATURE, self._key.public_key().public_bytes_raw())
        return f"— {self.name} {base64.b64encode(named + moment.to_bytes(8, 'big') + signature).decode()}\n"

    @staticmethod
    def _now(last: int) -> int:
        moment = int(time.time())
        if moment < last - CLOCK_SLACK_S:
            raise WitnessError(
                "Đồng hồ máy chạy lùi so với lần xác nhận trước. Chỉnh lại giờ.\n"
                "This clock is behind the last cosignature. Set it right."
            )
        return max(moment, last)


def read_key(path: Path) -> tuple[str, Ed25519PrivateKey]:
    """Read the key file that `init` wrote, as (name, key)."""
    try:
        *_, name, _, data = path.read_text("ascii").strip().split("+", 4)
        return name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(data)[1:])
    except (OSError, ValueError):
        raise WitnessError(
            f"Không có khóa ở {path}; chạy “init” trước / There is no key at {path}; run “init” first"
        ) from None


def init(folder: Path, name: str, second: Path | None = None) -> str:
    """Make key and journals where there are none, and return the witness's vkey."""
    path = folder / JOURNAL_FILE
    if not (folder / KEY_FILE).exists():
        if not name.isascii() or not re.fullmatch(r"[^\s+\x00-\x1f]+", name):
            raise WitnessError(
                "Cần tên chữ không dấu, không dấu cách, không “+” / A name is ASCII, with no space and no “+”"
            )
        key = Ed25519PrivateKey.generate()
        named = key_id(name, COSIGNATURE, key.public_key().public_bytes_raw()).hex()
        seed = base64.b64encode(COSIGNATURE + key.private_bytes_raw()).decode()
        append(path, "")
        append(folder / KEY_FILE, f"PRIVATE+KEY+{name}+{named}+{seed}\n")
    if second is not None and not second.exists():
        append(second, path.read_text("utf-8"))
    name, key = read_key(folder / KEY_FILE)
    return vkey(name, COSIGNATURE, key.public_key().public_bytes_raw())

"""Reading back what was just written, from the disk, as proof that it's there.

Each range is synced and then read past the page cache, so the bytes come from the disk and not from RAM. They are
hashed as they lie (that hash is the object's id), decrypted, and hashed again; whoever asked compares the second hash with the
one of what the source gave. `TrailingReread` does this in a thread while later ranges are still being written, on a second core.
"""

import hashlib
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag

from bodycam.vault import chunked, disk
from bodycam.vault.appender import BLOCK, SLACK
from bodycam.vault.errors import DamagedObjectError
from bodycam.vault.from_disk import FromDisk

WORTH_A_THREAD = 256 << 10  # bytes from which handing a block to another core costs less than it saves
_STOP = -1


class Digest(Protocol):
    """What hashes the plaintext that came back: SHA-256, or a `Fingerprint`."""

    def update(self, data: memoryview, /) -> None:
        """Take more bytes."""

    def digest(self) -> bytes:
        """Return the hash of all."""


@dataclass(frozen=True)
class Reading:
    """What the disk gave back: the sealed bytes' SHA-256 (the object's id) and number, the plaintext's hash and size."""

    object_id: str
    sealed: int
    digest: bytes
    size: int


def reread(path: Path, key: bytes, digest: Digest) -> Reading:
    """Sync, drop, re-read and decrypt a whole sealed file; raises `DamagedObjectError`."""
    walk = _Walk(path, key, digest)
    try:
        walk.take(walk.length)
        return walk.end()
    finally:
        walk.close()


class TrailingReread:
    """Follows a file that is being written, range after range."""

    def __init__(self, path: Path, key: bytes, digest: Digest) -> None:
        """Open the file for its own and start the thread."""
        self._walk = _Walk(path, key, digest)
        self._ranges: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._outcome: Reading | Exception | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="vault-reread", daemon=True)
        self._thread.start()

    def advance(self, upto: int) -> None:
        """Tell that the first `upto` bytes are written; whole pages of them may be read now."""
        self._ranges.put(upto - upto % disk.PAGE)

    def complete(self, size: int) -> None:
        """Tell that the file is complete with `size` bytes and synced."""
        self._ranges.put(size)
        self._ranges.put(_STOP)

    def stop(self) -> None:
        """End the thread without a result."""
        self._stopped = True
        self._ranges.put(_STOP)
        self._thread.join()

    def result(self) -> Reading:
        """Wait for the end and return what was read; raises `DamagedObjectError` or `VaultIoError`."""
        self._thread.join()
        if isinstance(self._outcome, Reading):
            return self._outcome
        assert self._outcome is not None
        raise self._outcome

    def _run(self) -> None:
        try:
            while (upto := self._ranges.get()) != _STOP:
                if self._stopped:
                    return
                self._walk.take(upto)
            self._outcome = self._walk.end()
        except Exception as error:  # noqa: BLE001  the thread's edge: `result` raises it again
            self._outcome = error
        finally:
            self._walk.close()


class _Walk:
    def __init__(self, path: Path, key: bytes, digest: Digest) -> None:
        self.path = path
        self._file = FromDisk(path)
        self._at = 0
        self._size = 0
        self._sealed = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1, "vault-rehash")
        self._plain = digest
        self._decryptor = Cobblestone256Decryptor(key, chunked.OBJECT)
        self._out = memoryview(bytearray(BLOCK + SLACK))

    @property
    def length(self) -> int:
        return self._file.size

    def take(self, upto: int) -> None:
        disk.sync(self._file.fd, self.path)
        for block in self._file.blocks(self._at, upto):
            self._at += len(block)
            if len(block) < WORTH_A_THREAD:
                self._sealed.update(block)
                self._open(block)
                continue
            hashed = self._hasher.submit(self._sealed.update, block)  # on another core: it takes as long as the rest
            try:
                self._open(block)
            finally:
                hashed.result()
        if self._at < upto:
            raise self._damaged("cut while it was read back")

    def end(self) -> Reading:
        try:
            self._add(memoryview(self._decryptor.finalize()))
        except InvalidTag as error:
            raise self._damaged("read back, it ends too early") from error
        return Reading(self._sealed.hexdigest(), self._at, self._plain.digest(), self._size)

    def close(self) -> None:
        self._hasher.shutdown()
        self._file.close()

    def _open(self, block: memoryview) -> None:
        try:
            self._add(self._out[: self._decryptor.update_into(block, self._out)])
        except InvalidTag as error:
            raise self._damaged("read back, it does not decrypt") from error

    def _add(self, plain: memoryview) -> None:
        self._plain.update(plain)
        self._size += len(plain)

    def _damaged(self, reason: str) -> DamagedObjectError:
        return DamagedObjectError(object_id=self.path.parent.name, reason=reason)

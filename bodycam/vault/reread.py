"""Reading back what was just written, from the disk, as proof that it's there.

Each range is synced, dropped from the page cache and only then read, so the bytes come from the disk and not from RAM. They are
hashed as they lie (that hash is the object's id), decrypted, and hashed again; whoever asked compares the second hash with the
one of what the source gave. `TrailingReread` does this in a thread while later ranges are still being written, on a second core.
"""

import hashlib
import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag

from bodycam.vault import chunked, disk
from bodycam.vault.errors import DamagedObjectError

BLOCK = 1 << 20
_STOP = -1


@dataclass(frozen=True)
class Reading:
    """What the disk gave back: the sealed bytes' SHA-256 and number, the plaintext's SHA-256 and size."""

    object_id: str
    sealed: int
    sha256: str
    size: int


def reread(path: Path, key: bytes) -> Reading:
    """Sync, drop, re-read and decrypt a whole sealed file; raises `DamagedObjectError`."""
    walk = _Walk(path, key)
    try:
        walk.take(os.fstat(walk.fd).st_size)
        return walk.end()
    finally:
        walk.close()


class TrailingReread:
    """Follows a file that is being written, range after range."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open the file for its own and start the thread."""
        self._walk = _Walk(path, key)
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
    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = 0
        self._size = 0
        self._sealed = hashlib.sha256()
        self._plain = hashlib.sha256()
        self._decryptor = Cobblestone256Decryptor(key, chunked.OBJECT)

    def take(self, upto: int) -> None:
        disk.sync(self.fd, self.path)
        disk.drop_cache(self.fd, self._at, 0)
        while self._at < upto:
            block = disk.read_at(self.fd, min(BLOCK, upto - self._at), self._at, self.path)
            if not block:
                raise DamagedObjectError(object_id=self.path.parent.name, reason="cut while it was read back")
            self._at += len(block)
            self._sealed.update(block)
            self._add(self._decrypt(block))

    def end(self) -> Reading:
        try:
            self._add(self._decryptor.finalize())
        except InvalidTag as error:
            raise DamagedObjectError(object_id=self.path.parent.name, reason="read back, it ends too early") from error
        return Reading(self._sealed.hexdigest(), self._at, self._plain.hexdigest(), self._size)

    def _decrypt(self, block: bytes) -> bytes:
        try:
            return self._decryptor.update(block)
        except InvalidTag as error:
            raise DamagedObjectError(
                object_id=self.path.parent.name, reason="read back, it does not decrypt"
            ) from error

    def _add(self, plain: bytes) -> None:
        self._plain.update(plain)
        self._size += len(plain)

    def close(self) -> None:
        os.close(self.fd)

"""Reading what is sealed, from any byte to any byte, without ever opening the whole."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import structlog

from bodycam.errors import BodycamError
from bodycam.vault import chunked
from bodycam.vault.errors import DamagedObjectError, ObjectMissingError, PlaceAwayError, VaultIoError
from bodycam.vault.sealed_file import SealedBytes

_log = structlog.get_logger(__name__)


class SealedReader:
    """The original's bytes. `size` in bytes is authentic; each range is authenticated as it's read. Safe in several threads.

    A range that one copy doesn't give is read from the next copy that opens; the scrub finds the damage, and says so.
    """

    def __init__(
        self,
        object_id: str,
        sealed: SealedBytes,
        key: bytes,
        sha256: str,
        open_next: "Callable[[], SealedReader] | None" = None,
    ) -> None:
        """Take the opened sealed bytes and check key and length; `open_next` opens the next copy. Use `Vault.open`."""
        self.object_id = object_id
        self.sha256 = sha256
        self._sealed = sealed
        self._open_next = open_next
        self._next: SealedReader | None = None
        try:
            self._range = chunked.RangeReader(sealed.read, sealed.size, key, chunked.OBJECT)
        except chunked.BrokenMessageError as error:
            sealed.close()
            raise DamagedObjectError(object_id=object_id, reason=str(error)) from error
        self.size = self._range.size

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`, fewer only at the end.

        Raises, when no copy gives them, what the first one said: `DamagedObjectError`, `VaultIoError`, `PlaceAwayError`.
        """
        if self._next is not None:
            return self._next.read(start, length)
        try:
            return self._range.read(start, length)
        except chunked.BrokenMessageError as error:
            problem: BodycamError = DamagedObjectError(object_id=self.object_id, reason=str(error))
        except (VaultIoError, PlaceAwayError, ObjectMissingError) as error:
            problem = error
        if self._open_next is None:
            raise problem
        try:
            self._next = self._open_next()
        except BodycamError:
            raise problem from None
        _log.warning("vault.read_elsewhere", object=self.object_id, error=problem.code)
        return self._next.read(start, length)

    def chunks(self, start: int = 0, end: int | None = None, block: int = 1 << 20) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end` (exclusive; None is the end) in pieces of at most `block`."""
        stop = self.size if end is None else min(end, self.size)
        while start < stop:
            piece = min(block - start % chunked.CHUNK if block > chunked.CHUNK else block, stop - start)
            yield self.read(start, piece)
            start += piece

    def close(self) -> None:
        """Close the file; it also closes when the reader is forgotten."""
        self._sealed.close()
        if self._next is not None:
            self._next.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Reading what is sealed, from any byte to any byte, without ever opening the whole."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from bodycam.vault import chunked
from bodycam.vault.errors import DamagedObjectError
from bodycam.vault.places import SealedBytes


class SealedReader:
    """The original's bytes. `size` in bytes is authentic; each range is authenticated as it's read. Safe in several threads."""

    def __init__(self, object_id: str, sealed: SealedBytes, key: bytes, sha256: str) -> None:
        """Take the opened sealed bytes and check key and length; use `Vault.open`."""
        self.object_id = object_id
        self.sha256 = sha256
        self._sealed = sealed
        try:
            self._range = chunked.RangeReader(sealed.read, sealed.size, key, chunked.OBJECT)
        except chunked.BrokenMessageError as error:
            sealed.close()
            raise DamagedObjectError(object_id=object_id, reason=str(error)) from error
        self.size = self._range.size

    def read(self, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start`, fewer only at the end; raises `DamagedObjectError`."""
        try:
            return self._range.read(start, length)
        except chunked.BrokenMessageError as error:
            raise DamagedObjectError(object_id=self.object_id, reason=str(error)) from error

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

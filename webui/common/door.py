"""What the tus protocol needs from whoever takes the bytes: the two sides meet in this interface.

A door knows who is asking (a citizen's session, later a station's token) and where the bytes go. It raises domain errors;
the protocol side turns them into the statuses that tus clients know.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Upload:
    """Where an upload stands: sizes in bytes, `expires_at` UTC, None once nothing is left to send."""

    id: str
    size: int
    offset: int
    expires_at: datetime | None
    metadata: str = ""


class Writer(Protocol):
    """Takes an upload's bytes in order; once its block has ended, the two properties tell what was achieved."""

    @property
    def durable(self) -> int:
        """Bytes that no break can lose: the offset to tell."""

    @property
    def expires_at(self) -> datetime:
        """When the upload is given up unless more comes (UTC)."""

    def write(self, block: bytes) -> None:
        """Take the next bytes."""


class Door(Protocol):
    """Where uploads go, on behalf of whoever the current request comes from."""

    @property
    def most_bytes(self) -> int:
        """The largest upload."""

    def create(self, size: int, metadata: Mapping[str, str], raw: str) -> Upload:
        """Begin an upload; `raw` is the Upload-Metadata header as given."""

    def find(self, upload_id: str) -> Upload:
        """Return where an upload stands."""

    def writing(self, upload_id: str, offset: int) -> AbstractContextManager[Writer]:
        """Open an upload to go on at `offset`; what came is made durable however the block ends."""

    def remove(self, upload_id: str) -> None:
        """Take an upload back."""

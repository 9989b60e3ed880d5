"""One file's way from the camera into the spool: from the byte where an earlier try stopped, and checked to be one file all along."""

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

import structlog

from bodycam import clock
from bodycam.errors import BodycamError
from bodycam.intake import service as intake
from bodycam.intake.models import IntakeAttempt
from bodycam.runtime import Runtime
from bodycam.vault.spool import SpoolWriter
from dock_service.ahead import read_ahead
from dock_service.cameras.camera import Camera, CameraFile
from dock_service.errors import (
    CameraRefusedError,
    EmptyFileError,
    FileChangedError,
    OffloadStoppedError,
    ProtocolError,
    SizeMismatchError,
)
from dock_service.visit import is_timed

log = structlog.get_logger()

SYNC_EVERY_S = 2.0  # what a power cut can cost; a killed process costs nothing that was written
SMALL = 1 << 20  # files up to this size are read without a thread of their own
_UNSURE = (FileChangedError, CameraRefusedError, ProtocolError)  # data count only with the answer that ends them


@dataclass(frozen=True)
class Spooled:
    """A file whose bytes are all here, waiting to be sealed; `note` says what is odd about them."""

    file: CameraFile
    attempt: IntakeAttempt
    writer: SpoolWriter
    note: BodycamError | None


@dataclass(frozen=True)
class Copying:
    """How files are copied off one camera: `turn` gives each piece its turn, the others are told what happens."""

    rt: Runtime
    camera: Camera
    stop: threading.Event
    turn: Callable[[Generator[bytes]], Generator[bytes]]
    resumed: Callable[[CameraFile, IntakeAttempt, int], None]
    came: Callable[[int], None] = field(default=lambda _: None)

    def copy(self, file: CameraFile, key: str) -> Spooled:
        """Bring the file's bytes into the spool.

        Raises FileChangedError when it was written on meanwhile (nothing of it is kept), else the camera's and the vault's own
        errors: what came stays for the next try.
        """
        attempt = intake.begin(self.rt.db, key)
        if not is_timed(file):  # what came before may be of another file
            self.rt.spool.discard(attempt.id)
        writer = self.rt.spool.open(attempt.id, expected=file.size)
        try:
            self.came(writer.offset)
            if writer.offset:
                self.resumed(file, attempt, writer.offset)
            note = self._fill(file, writer)
            writer.rest()
        except BaseException as error:
            self._leave(attempt, writer, error)
            raise
        return Spooled(file, attempt, writer, note)

    def _fill(self, file: CameraFile, writer: SpoolWriter) -> BodycamError | None:
        synced = clock.monotonic()
        with closing(self._pieces(file, writer.offset)) as pieces:
            for piece in pieces:
                try:
                    writer.write(piece)
                except ValueError:  # it had ended before, and now there is more of it
                    raise FileChangedError(path=file.path) from None
                self.came(len(piece))
                if clock.monotonic() - synced > SYNC_EVERY_S:
                    writer.sync()
                    synced = clock.monotonic()
        again = self.camera.refresh(file)
        if again is None or (again.size, again.modified_raw) != (file.size, file.modified_raw):
            raise FileChangedError(path=file.path)
        if writer.received != file.size:
            return SizeMismatchError(path=file.path, expected=file.size, got=writer.received)
        return EmptyFileError(path=file.path) if file.size == 0 else None

    def _pieces(self, file: CameraFile, offset: int) -> Generator[bytes]:
        pieces = self.turn(self._until_stopped(self.camera.read(file, offset)))
        return pieces if file.size <= SMALL else read_ahead(pieces)

    def _until_stopped(self, pieces: Generator[bytes]) -> Generator[bytes]:
        """End the reading, not the writing, when it is to stop: what was read ahead is written all the same."""
        with closing(pieces):
            for piece in pieces:
                yield piece
                if self.stop.is_set():
                    raise OffloadStoppedError(camera=self.camera.identity.serial)

    def _leave(self, attempt: IntakeAttempt, writer: SpoolWriter, error: BaseException) -> None:
        """Keep what came for the resume; drop it when it is nothing, a copy of nothing, or bytes the camera took back."""
        try:
            if writer.close() == 0 or isinstance(error, _UNSURE):
                self.rt.spool.discard(attempt.id)
        except BodycamError as second:
            log.warning("offload.spool_close", attempt=attempt.id, error=second.code)

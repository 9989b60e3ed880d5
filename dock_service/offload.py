"""Brings what is new on one camera into the vault: resumable at the byte, sealed and re-read, with a receipt at the end.

Three stages overlap: the camera is read by one thread, what it gave is hashed, encrypted and written by another, and finished
files are re-read and sealed by two more while the next file is copied. A file's problem never stops the others; a camera that
is gone stops them all, with every byte received durable. Nothing on the camera is ever written or deleted.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace

import structlog

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.errors import BodycamError
from bodycam.fleet.models import VisitState
from bodycam.intake import service as intake
from bodycam.intake.models import IntakeAttempt
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from bodycam.vault.errors import DamagedObjectError
from bodycam.vault.spool import SpoolWriter
from dock_service.ahead import read_ahead
from dock_service.board import Progress, SlotState
from dock_service.cameras.camera import Camera, CameraFile
from dock_service.errors import (
    CameraGoneError,
    CameraStalledError,
    EmptyFileError,
    FileChangedError,
    OffloadStoppedError,
    SizeMismatchError,
)
from dock_service.visit import Place, Visit, end_visit, facts_of, is_timed, open_visit, source_key

log = structlog.get_logger()

SYNC_EVERY_S = 2.0  # what a power cut can cost; a killed process costs nothing that was written
SEALING = 2  # files re-read and sealed at once
WAITING = 4  # finished files that may wait for it
SMALL = 1 << 20  # files up to this size are read without a thread of their own
_LOOKS = 3  # times the camera is listed again
_STALLS = 3  # files in a row after which a camera that stalls is given up


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file (or the camera, with an empty path); `kept` when its bytes are sealed all the same."""

    path: str
    error: BodycamError
    kept: bool = False

    def as_json(self, language: str = "en") -> dict[str, str]:
        """Return the three things a program needs."""
        return {"path": self.path, "code": self.error.code, "message": self.error.text(language)}

    @property
    def is_note(self) -> bool:
        """Tell whether it needs nobody: an empty file is what it is."""
        return self.kept and isinstance(self.error, EmptyFileError)


@dataclass(frozen=True)
class Copied:
    """One recording sealed in this visit; `duplicate` when its bytes had been sealed before under another time."""

    id: str
    path: str
    size: int
    sha256: str
    duplicate: bool

    def as_json(self) -> dict[str, str | int]:
        """Return what `bodycam offload --json` prints."""
        state = "duplicate" if self.duplicate else "sealed"
        return {"id": self.id, "path": self.path, "size": self.size, "sha256": self.sha256, "state": state}


@dataclass
class Outcome:
    """What came of it."""

    visit: Visit
    recordings: list[Copied] = field(default_factory=list)
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)
    receipts: int = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether everything on the camera is sealed with its receipt and nothing needs a person."""
        return all(problem.is_note for problem in self.problems)


@dataclass(frozen=True)
class Watch:
    """Who looks on: told of progress, asked whether to stop, and given the events whose receipts are awaited."""

    report: Callable[[Progress], None]
    settle: Callable[[Sequence[str]], None]
    started: Callable[[Visit], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Spooled:
    """A file whose bytes are all here, waiting to be sealed."""

    file: CameraFile
    attempt: IntakeAttempt
    writer: SpoolWriter
    note: BodycamError | None


class Offload:
    """One camera's way in, from the visit to "safe to remove"; `run` once, then `end`."""

    def __init__(self, rt: Runtime, camera: Camera, place: Place, watch: Watch) -> None:
        """Take an opened camera; the caller holds its lock and closes it."""
        self._rt = rt
        self._camera = camera
        self._place = place
        self._watch = watch
        self._events: list[str] = []
        self._keys: dict[str, str] = {}  # path -> source key, of every file looked at in this visit
        self._progress = Progress(SlotState.UPLOADING)
        self._lock = threading.Lock()
        self._resumed = 0
        self.outcome: Outcome | None = None

    def run(self) -> Outcome:
        """Copy, seal and wait for the receipts.

        Raises CameraGoneError or OffloadStoppedError when it ended early: call it again with the camera back, it goes on. All
        other errors of files are in the outcome.
        """
        visit = open_visit(self._rt, self._camera, self._place)
        self.outcome = Outcome(visit)
        self._watch.started(visit)
        files = self._plan(visit, self._camera.list_files())
        self._record("offload.started", visit, {"files": len(files), "skipped": self.outcome.skipped})
        try:
            self._copy_all(visit, files)
            for _ in range(_LOOKS):  # what the camera wrote meanwhile is as new as the rest
                if not (late := self._plan(visit, self._camera.list_files())):
                    break
                self._copy_all(visit, late)
            else:
                for file in self._plan(visit, self._camera.list_files()):  # it writes on and on: never green
                    self._problem(file.path, FileChangedError(path=file.path))
        except BodycamError as error:
            self._record("offload.failed", visit, {"code": error.code, "files": len(self.outcome.recordings)})
            raise
        self._tell(stage=SlotState.WAITING_RECEIPT, path="")
        self._watch.settle(self._events)
        self.outcome.receipts = len(self._events)
        self._record("offload.finished", visit, self._figures())
        if self.outcome.is_complete:
            with self._rt.db.write() as session:
                custody.record(
                    session,
                    "camera.released",
                    object_id=visit.camera_id,
                    actor=self._place.actor,
                    device=visit.serial,
                    details={"visit": visit.id},
                )
        return self.outcome

    def end(self, state: VisitState) -> None:
        """Close the visit, if one was opened."""
        if self.outcome is None:
            return
        end_visit(
            self._rt,
            self.outcome.visit,
            state,
            files=len(self.outcome.recordings),
            size=sum(copied.size for copied in self.outcome.recordings),
            problems=[problem.as_json() for problem in self.outcome.problems],
        )

    def _figures(self) -> dict[str, JSON]:
        assert self.outcome is not None
        found = self.outcome
        return {
            "files": len(found.recordings),
            "skipped": found.skipped,
            "problems": len(found.problems),
            "resumed": self._resumed,
        }

    def _record(self, kind: str, visit: Visit, details: Mapping[str, JSON]) -> None:
        custody.record_now(
            self._rt.db,
            kind,
            object_id=visit.id,
            actor=self._place.actor,
            device=visit.serial,
            details={"camera": visit.camera_id, **details},
        )

    def _plan(self, visit: Visit, files: Sequence[CameraFile]) -> list[CameraFile]:
        """Leave out what was looked at in this visit, and what this camera gave before; its receipts are awaited all the same."""
        assert self.outcome is not None
        new: list[CameraFile] = []
        for file in files:
            if file.path in self._keys:
                continue
            self._keys[file.path], sealed = self._look_up(source_key(visit, file), file)
            if sealed is None:
                new.append(file)
            else:
                self.outcome.skipped += 1
                self._events.append(sealed.sealed_event_id)
        size = sum(file.size for file in new)
        now = self._progress
        self._progress = replace(now, files_total=now.files_total + len(new), bytes_total=now.bytes_total + size)
        self._watch.report(self._progress)
        return new

    def _look_up(self, key: str, file: CameraFile) -> tuple[str, Recording | None]:
        """Return a file's source key and the sound recording of the listed size it was sealed as, if there is one.

        One that was sealed short of its size, that the vault can't open any more, or whose time tells nothing, never lets the
        camera go: the file is copied again, under a key of its own that the next visit finds by the same way.
        """
        before = None
        while True:
            with self._rt.db.read() as session:
                sealed = intake.already_sealed(session, key)
            if sealed is None or sealed.id == before:  # the latter: it gave the very same bytes again
                return key, None
            if is_timed(file) and sealed.size == file.size and self._rt.vault.holds(sealed.object_id):
                return key, sealed
            key, before = f"{key}|{sealed.id}", sealed.id

    def _copy_all(self, visit: Visit, files: Sequence[CameraFile]) -> None:
        self._tell(stage=SlotState.UPLOADING)
        waiting: deque[Future[None]] = deque()
        stalls = 0
        with ThreadPoolExecutor(SEALING, thread_name_prefix="seal") as sealers:
            for file in files:
                while len(waiting) >= WAITING:
                    waiting.popleft().result()
                try:
                    spooled = self._copy(visit, file)
                except (CameraGoneError, OffloadStoppedError):
                    raise
                except BodycamError as error:
                    self._problem(file.path, error)
                    stalls = stalls + 1 if isinstance(error, CameraStalledError) else 0
                    if stalls >= _STALLS:
                        break
                else:
                    stalls = 0
                    waiting.append(sealers.submit(self._seal, visit, spooled))
            self._tell(stage=SlotState.VERIFYING, path="")
            for future in waiting:
                future.result()

    def _copy(self, visit: Visit, file: CameraFile) -> _Spooled:
        """Bring one file's bytes into the spool from where an earlier try stopped; check that it was one file all along."""
        attempt = intake.begin(self._rt.db, self._keys[file.path])
        if not is_timed(file):  # what came before may be of another file
            self._rt.spool.discard(attempt.id)
        writer = self._rt.spool.open(attempt.id, expected=file.size)
        try:
            self._tell(path=file.path, bytes_more=writer.offset)
            if writer.offset:
                self._resumed += 1
                self._record("offload.resumed", visit, {"recording": attempt.id, "offset": writer.offset})
            note = self._fill(file, writer)
        except BaseException as error:
            self._leave(attempt, writer, error)
            raise
        return _Spooled(file, attempt, writer, note)

    def _fill(self, file: CameraFile, writer: SpoolWriter) -> BodycamError | None:
        synced = clock.monotonic()
        with closing(self._pieces(file, writer.offset)) as pieces:
            for piece in pieces:
                if self._watch.stop.is_set():
                    raise OffloadStoppedError(camera=self._camera.identity.serial)
                try:
                    writer.write(piece)
                except ValueError:  # it had ended before, and now there is more of it
                    raise FileChangedError(path=file.path) from None
                self._tell(bytes_more=len(piece))
                if clock.monotonic() - synced > SYNC_EVERY_S:
                    writer.sync()
                    synced = clock.monotonic()
        again = self._camera.refresh(file)
        if again is None or (again.size, again.modified_raw) != (file.size, file.modified_raw):
            raise FileChangedError(path=file.path)
        if writer.received != file.size:
            return SizeMismatchError(path=file.path, expected=file.size, got=writer.received)
        return EmptyFileError(path=file.path) if file.size == 0 else None

    def _pieces(self, file: CameraFile, offset: int) -> Generator[bytes]:
        pieces = self._camera.read(file, offset)
        return pieces if file.size <= SMALL else read_ahead(pieces)

    def _leave(self, attempt: IntakeAttempt, writer: SpoolWriter, error: BaseException) -> None:
        """Keep what came for the resume; drop it when it is nothing, or a copy of nothing."""
        try:
            if writer.close() == 0 or isinstance(error, FileChangedError):
                self._rt.spool.discard(attempt.id)
        except BodycamError as second:
            log.warning("offload.spool_close", attempt=attempt.id, error=second.code)

    def _seal(self, visit: Visit, spooled: _Spooled) -> None:
        """Re-read, seal and catalogue one file; its problem is kept, never raised."""
        file = spooled.file
        try:
            facts = facts_of(self._rt, visit, file)
            sealed = intake.finish(self._rt, spooled.attempt, spooled.writer.finish(), facts)
        except DamagedObjectError as error:
            self._rt.spool.discard(
                spooled.attempt.id
            )  # what the disk gives back is not what was written: copy it again
            self._problem(file.path, error)
            return
        except BodycamError as error:
            self._problem(file.path, error)
            return
        assert self.outcome is not None
        copied = Copied(sealed.recording_id, file.path, sealed.size, sealed.sha256, sealed.duplicate)
        with self._lock:
            self.outcome.recordings.append(copied)
            self._events.append(sealed.event_id)
        if spooled.note is not None:
            self._problem(file.path, spooled.note, kept=True)
        self._tell(files_more=1)

    def _problem(self, path: str, error: BodycamError, *, kept: bool = False) -> None:
        assert self.outcome is not None
        log.warning("offload.problem", visit=self.outcome.visit.id, code=error.code, kept=kept)
        with self._lock:
            self.outcome.problems.append(Problem(path, error, kept))

    def _tell(
        self, *, stage: SlotState | None = None, path: str | None = None, bytes_more: int = 0, files_more: int = 0
    ) -> None:
        with self._lock:
            now = self._progress
            self._progress = replace(
                now,
                stage=stage or now.stage,
                path=now.path if path is None else path,
                bytes_done=now.bytes_done + bytes_more,
                files_done=now.files_done + files_more,
            )
            self._watch.report(self._progress)

"""Brings what is new on one camera into the vault: resumable at the byte, sealed and re-read, with a receipt at the end.

Three stages overlap: the camera is read by one thread, what it gave is hashed, encrypted and written by another, and finished
files are re-read and sealed by two more while the next file is copied. A file's problem never stops the others; a camera that
is gone stops them all, with every byte received durable. Nothing on the camera is deleted here, and only its clock is written.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import structlog

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.errors import BodycamError
from bodycam.fleet.models import VisitState
from bodycam.intake import service as intake
from bodycam.intake.models import IntakeAttempt
from bodycam.recordings.models import Recording
from bodycam.recordings.on_camera import Seen
from bodycam.runtime import Runtime
from bodycam.vault.errors import DamagedObjectError
from dock_service.board import Progress, SlotState
from dock_service.camera_clock import set_clock
from dock_service.cameras.camera import Camera, CameraFile
from dock_service.card import Card
from dock_service.copying import Copying, Spooled
from dock_service.errors import CameraGoneError, CameraStalledError, FileChangedError, OffloadStoppedError
from dock_service.journal import Mark, Witness, nobody
from dock_service.outcome import Copied, Outcome, Problem
from dock_service.plan import in_order
from dock_service.profiles import Match, Profiles, profiles_of
from dock_service.visit import (
    Place,
    Visit,
    end_visit,
    facts_of,
    is_timed,
    know_profile,
    open_visit,
    settle_visit,
    source_key,
)

log = structlog.get_logger()

SEALING = 2  # files re-read and sealed at once
WAITING = 4  # finished files that may wait for it
_SEALERS = threading.Semaphore((os.cpu_count() or 1) + 2)  # of all cameras together: more only cost memory
_LOOKS = 3  # times the camera is listed again
_LOOK_AGAIN_S = 60.0  # a camera in its slot that says nothing by itself
_LOOK_SHARE = 20  # times as long as the last listing took: a full card is listed less often
_STALLS = 3  # files in a row after which a camera that stalls is given up


@dataclass(frozen=True)
class Watch:
    """Who looks on: told of progress, asked whether to stop, and given the events whose receipts are awaited.

    `started` is told of the visit, and again when the card showed what camera it is; `settle` waits for the receipts; `turn` gives
    each piece read its turn among the cameras; `write` is the dock's journal.
    """

    report: Callable[[Progress], None]
    settle: Callable[[Sequence[str]], None]
    started: Callable[[Visit], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    turn: Callable[[Generator[bytes]], Generator[bytes]] = lambda pieces: pieces
    write: Witness = nobody


class Offload:
    """One camera's way in, from the visit to "safe to remove"; `run` once, then `end`."""

    def __init__(
        self,
        rt: Runtime,
        camera: Camera,
        place: Place,
        watch: Watch,
        match: Match | None = None,
        profiles: Profiles | None = None,
    ) -> None:
        """Take an opened camera; the caller holds its lock and closes it. Without a `match` its own words choose the profile."""
        self._profiles = profiles or profiles_of(rt.settings)
        self._rt = rt
        self._camera = camera
        self._place = place
        self._watch = watch
        self._match = match
        self._events: list[str] = []
        self._keys: dict[Seen, str] = {}  # of every file looked at in this visit
        self._changing: dict[str, BodycamError] = {}  # by path: written on while they were read
        self._progress = Progress(SlotState.UPLOADING)
        self._lock = threading.Lock()
        self._resumed = 0
        self._look_due = 0.0
        self._copying = Copying(rt, camera, watch.stop, watch.turn, self._goes_on, lambda n: self._tell(bytes_more=n))
        self.outcome: Outcome | None = None

    def run(self) -> Outcome:
        """Copy, seal and wait for the receipts.

        Raises CameraGoneError or OffloadStoppedError when it ended early: call it again with the camera back, it goes on. All
        other errors of files are in the outcome.
        """
        match = self._match or self._own_match()
        visit = open_visit(self._rt, self._camera, self._place, match)
        outcome = self.outcome = Outcome(visit)
        self._watch.started(visit)
        self._write("visit.opened", port=visit.place.port, offset_s=visit.offset_s, reference=visit.reference.source)
        try:
            listed = self._known_by(self._camera.list_files(), match)
            card = Card(self._rt.db, self._visit)
            files = self._new_of(listed, card)
            self._record("offload.started", {"files": len(files), "skipped": outcome.skipped})
            self._copy_all(files, card)
            for _ in range(_LOOKS):  # what the camera wrote meanwhile is as new as the rest
                if not (late := self._new_of(self._camera.list_files(), card)):
                    break
                self._copy_all(late, card)
            else:
                for file in self._new_of(self._camera.list_files(), card):  # it writes on and on: never green
                    self._changing.setdefault(file.path, FileChangedError(path=file.path))
            for path, error in self._changing.items():
                self._problem(path, error)
            set_clock(self._rt.db, self._camera, self._visit, write=self._watch.write)
            self._notes_of(card)
        except BodycamError as error:
            self._record("offload.failed", {"code": error.code, "files": len(outcome.recordings)})
            self._write("offload.failed", code=error.code, files=len(outcome.recordings))
            raise
        self._tell(stage=SlotState.WAITING_RECEIPT, path="")
        self._watch.settle(self._events)
        outcome.receipts = len(self._events)
        self._finish()
        self._look_due = clock.monotonic() + _LOOK_AGAIN_S
        return outcome

    def has_news(self) -> bool:
        """Tell whether a camera that is all saved has recorded on since; listed when it says so by an event, else now and then.

        Only recordings count: a camera's own log may change for ever. Raises the camera's errors.
        """
        if not self._camera.changed() and clock.monotonic() < self._look_due:
            return False
        began = clock.monotonic()
        files = self._camera.list_files()
        ended = clock.monotonic()
        self._look_due = ended + max(_LOOK_AGAIN_S, _LOOK_SHARE * (ended - began))
        profile = self._visit.profile
        return any(
            Seen(file.path, file.size, file.modified_raw) not in self._keys
            for file in files
            if profile.is_recording(file.path)
        )

    def end(self, state: VisitState) -> None:
        """Close the visit, if one was opened."""
        found = self.outcome
        if found is None:
            return
        problems = [problem.as_kept() for problem in found.problems]
        end_visit(self._rt, found.visit, state, files=len(found.recordings), size=found.size, problems=problems)
        self._write("visit.ended", state=state.value, files=len(found.recordings), bytes=found.size)

    @property
    def _visit(self) -> Visit:
        assert self.outcome is not None
        return self.outcome.visit

    def _own_match(self) -> Match:
        who = self._camera.identity
        return self._profiles.match_usb(0, 0, who.make, who.model, "mtp")

    def _known_by(self, files: list[CameraFile], match: Match) -> list[CameraFile]:
        """Choose the profile anew by how the listed files are named; returns them with their times as that profile means them."""
        assert self.outcome is not None
        better = self._profiles.match_files([file.path for file in files], match)
        reading = self._visit.clock.reading
        if better.profile.zone != match.profile.zone and self._camera.read_times_in(better.profile.zone):
            reading = self._camera.clock()
            files = self._camera.list_files()
        visit = self.outcome.visit = know_profile(self._rt, self._visit, better, reading)
        if better.profile.key != match.profile.key:
            self._watch.started(visit)
        self._write("profile.chosen", profile=better.profile.key, why=better.en)
        if visit.clock.note is not None:
            self._problem("", visit.clock.note, kept=True)
        return files

    def _finish(self) -> None:
        """Write down what came of it, the journal first: its head goes into the log, so that cutting it off shows."""
        assert self.outcome is not None
        found = self.outcome
        figures: dict[str, JSON] = {
            "files": len(found.recordings),
            "skipped": found.skipped,
            "problems": len(found.problems),
            "resumed": self._resumed,
        }
        mark = self._write("offload.finished", receipts=found.receipts, complete=found.is_complete, **figures)
        self._record("offload.finished", {**figures, **mark.as_details()})
        if found.is_complete:
            settle_visit(self._rt, found.visit, size=found.size)

    def _notes_of(self, card: Card) -> None:
        assert self.outcome is not None
        for note in card.close(self._visit):
            self._problem("", note, kept=True)

    def _record(self, kind: str, details: Mapping[str, JSON]) -> None:
        custody.record_now(
            self._rt.db,
            kind,
            object_id=self._visit.id,
            actor=self._place.actor,
            device=self._visit.camera_id,
            details={"camera": self._visit.camera_id, **details},
        )

    def _write(self, kind: str, **data: JSON) -> Mark:
        return self._watch.write(
            kind, visit=self._visit.id, serial=self._visit.serial, slot=self._visit.place.slot, **data
        )

    def _goes_on(self, file: CameraFile, attempt: IntakeAttempt, offset: int) -> None:
        self._resumed += 1
        self._record("offload.resumed", {"recording": attempt.id, "offset": offset})
        self._write("file.resumed", path=file.path, recording=attempt.id, offset=offset)

    def _new_of(self, files: Sequence[CameraFile], card: Card) -> list[CameraFile]:
        """Return what of a listing is to be copied, in the order it is to come.

        Left out is what was looked at in this visit, and what this camera gave before; its receipts are awaited all the same.
        """
        assert self.outcome is not None
        self._write("camera.listed", files=len(files), bytes=sum(file.size for file in files))
        card.saw(files)
        new: list[CameraFile] = []
        for file in files:
            seen = Seen(file.path, file.size, file.modified_raw)
            if seen in self._keys:
                continue
            self._keys[seen], sealed = self._look_up(source_key(self._visit, file), file)
            if sealed is None:
                new.append(file)
            else:
                self.outcome.skipped += 1
                self._events.append(sealed.sealed_event_id)
                card.sealed(file, sealed.id, is_new=False)
        size = sum(file.size for file in new)
        now = self._progress
        self._progress = replace(now, files_total=now.files_total + len(new), bytes_total=now.bytes_total + size)
        self._watch.report(self._progress)
        return in_order(new, self._visit.profile)

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

    def _copy_all(self, files: Sequence[CameraFile], card: Card) -> None:
        self._tell(stage=SlotState.UPLOADING)
        waiting: deque[Future[None]] = deque()
        stalls = 0
        with ThreadPoolExecutor(SEALING, thread_name_prefix="seal") as sealers:
            for file in files:
                while len(waiting) >= WAITING:
                    waiting.popleft().result()
                seen = Seen(file.path, file.size, file.modified_raw)
                self._tell(path=file.path)
                try:
                    spooled = self._copying.copy(file, self._keys[seen])
                except (CameraGoneError, OffloadStoppedError):
                    raise
                except FileChangedError as error:  # the next look shows what it is by then
                    self._changing[file.path] = error
                    del self._keys[seen]
                except BodycamError as error:
                    self._problem(file.path, error)
                    stalls = stalls + 1 if isinstance(error, CameraStalledError) else 0
                    if stalls >= _STALLS:
                        break
                else:
                    stalls = 0
                    waiting.append(sealers.submit(self._seal, spooled, card))
            self._tell(stage=SlotState.VERIFYING, path="")
            for future in waiting:
                future.result()

    def _seal(self, spooled: Spooled, card: Card) -> None:
        """Re-read, seal and catalogue one file; its problem is kept, never raised."""
        assert self.outcome is not None
        file = spooled.file
        try:
            facts = facts_of(self._rt, self._visit, file, card.offset_of(file))
            with _SEALERS:
                sealed = intake.finish(self._rt, spooled.attempt, spooled.writer.finish(), facts)
        except DamagedObjectError as error:  # what the disk gives back is not what was written: copy it again
            self._rt.spool.discard(spooled.attempt.id)
            self._problem(file.path, error)
            return
        except BodycamError as error:
            self._problem(file.path, error)
            return
        copied = Copied(sealed.recording_id, file.path, sealed.size, sealed.sha256, sealed.duplicate)
        with self._lock:
            self.outcome.recordings.append(copied)
            self._events.append(sealed.event_id)
            self._changing.pop(file.path, None)
        card.sealed(file, sealed.recording_id, is_new=True)
        self._write("file.sealed", **copied.as_json(), event=sealed.event_id)
        if spooled.note is not None:
            self._problem(file.path, spooled.note, kept=True)
        self._tell(files_more=1)

    def _problem(self, path: str, error: BodycamError, *, kept: bool = False) -> None:
        assert self.outcome is not None
        log.warning("offload.problem", visit=self.outcome.visit.id, code=error.code, kept=kept)
        self._write("file.problem" if path else "visit.noted", path=path, code=error.code, kept=kept)
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

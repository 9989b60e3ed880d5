"""Wiping a docked camera by an ordered batch: each file checked again against its seal, each deletion an event of its own.

It runs only once the visit is complete and the camera may be taken at any moment: a pulled camera loses nothing, and what was
not settled goes on at its next docking. A file is deleted when the order stands in the log, the camera lists it with the same
size and time and gives bytes of the sealed hash, its receipt proves that hash, and the vault's copy reads back to it. Else it is
kept, with the reason.
"""

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import structlog

from bodycam.custody.canonical import JSON
from bodycam.fleet import docking
from bodycam.recordings.on_camera import Seen
from bodycam.runtime import Runtime
from bodycam.wipes import execution
from bodycam.wipes.execution import Task
from dock_service.cameras.camera import Camera, CameraFile
from dock_service.errors import CameraError, CameraGoneError, CameraReadOnlyError, OffloadStoppedError
from dock_service.journal import Witness, nobody
from dock_service.visit import Visit

log = structlog.get_logger()


@dataclass(frozen=True)
class Watch:
    """Who looks on: asked whether the camera left or the station stops, told what the tile shall say ("" when it is over).

    `turn` gives each piece read its turn among the cameras; `write` is the dock's journal.
    """

    is_over: Callable[[], bool] = lambda: False
    say: Callable[[str], None] = lambda _: None
    turn: Callable[[Generator[bytes]], Generator[bytes]] = lambda pieces: pieces
    write: Witness = nobody


@dataclass
class Wiped:
    """What came of it: how many files were wiped, and how many kept."""

    wiped: int = 0
    kept: int = 0


def run_orders(rt: Runtime, camera: Camera, visit: Visit, watch: Watch) -> Wiped:
    """Wipe what this station's orders list on the camera; quick when there is nothing. The caller holds the camera's lock.

    Raises CameraGoneError when the camera left and OffloadStoppedError when the station stops; call it again when it is back.
    """
    station_id = visit.place.station_id
    if station_id is None:
        return Wiped()
    with rt.db.read() as session:
        tasks = execution.tasks_for(session, station_id, visit.camera_id)
    return _Run(rt, camera, visit, watch).all(tasks) if tasks else Wiped()


class _Run:
    """One camera's files, one after the other."""

    def __init__(self, rt: Runtime, camera: Camera, visit: Visit, watch: Watch) -> None:
        self._rt = rt
        self._camera = camera
        self._visit = visit
        self._watch = watch
        self._troubles: dict[str, str] = {}  # by order, why it deletes nothing
        self._deleted: list[tuple[Task, CameraFile]] = []
        self._is_read_only = False  # nothing can be deleted here: then nothing needs to be read again
        self._done = Wiped()

    def all(self, tasks: Sequence[Task]) -> Wiped:
        """Do what can be done now."""
        listed = self._list()
        try:
            for number, task in enumerate(tasks, 1):
                self._check_over()
                self._watch.say(f"{task.number} · {number}/{len(tasks)}")
                self._one(task, listed.get(task.path))
        finally:
            self._watch.say("")
        if self._deleted:
            self._confirm()
            self._note_space()
        log.info("wipe.run", visit=self._visit.id, wiped=self._done.wiped, kept=self._done.kept)
        return self._done

    def _one(self, task: Task, file: CameraFile | None) -> None:
        if task.order_id not in self._troubles:
            self._troubles[task.order_id] = execution.order_trouble(self._rt, task.order_id)
        if self._troubles[task.order_id] == execution.NOT_YET:
            return
        if file is None or not _is_same(task, file):
            self._missing(task, "not_listed" if file is None else "changed")
            return
        reason = (
            self._troubles[task.order_id]
            or (CameraReadOnlyError.code if self._is_read_only else "")
            or execution.seal_trouble(self._rt, task)
            or self._bytes_trouble(task, file)
        )
        if reason:
            self._keep(task, reason)
            return
        self._check_over()
        with self._rt.db.write() as session:
            if not execution.begin(session, task, actor=self._actor, visit_id=self._visit.id):
                return
        self._write("file.wiping", task)
        self._delete(task, file)

    def _bytes_trouble(self, task: Task, file: CameraFile) -> str:
        """Read the file from the camera once more and compare it with what was sealed."""
        digest, size = hashlib.sha256(), 0
        try:
            with closing(self._watch.turn(self._camera.read(file))) as pieces:
                for piece in pieces:
                    self._check_over()
                    digest.update(piece)
                    size += len(piece)
        except (CameraGoneError, OffloadStoppedError):
            raise
        except CameraError as error:
            return error.code
        return "" if (size, digest.hexdigest()) == (task.size, task.sha256) else "other_bytes"

    def _delete(self, task: Task, file: CameraFile) -> None:
        try:
            self._camera.delete(file)
        except CameraGoneError:
            raise  # whether it is gone shows at the next docking
        except CameraError as error:
            again = self._list().get(task.path)
            if again is not None and _is_same(task, again):
                self._is_read_only = isinstance(error, CameraReadOnlyError)
                self._keep(task, error.code)
                return
        self._write("file.wiped", task)
        with self._rt.db.write() as session:
            execution.wiped(session, task, actor=self._actor, visit_id=self._visit.id)
        self._done.wiped += 1
        self._deleted.append((task, file))

    def _missing(self, task: Task, reason: str) -> None:
        """Settle a file that isn't there as it was: wiped, if it was about to be when the last run broke off."""
        with self._rt.db.write() as session:
            if execution.has_begun(session, task):
                execution.wiped(session, task, actor=self._actor, visit_id=self._visit.id, reconciled=True)
                self._done.wiped += 1
                return
        self._keep(task, reason)

    def _keep(self, task: Task, reason: str) -> None:
        self._write("file.kept", task, reason=reason)
        log.warning("wipe.kept", visit=self._visit.id, item=task.item_id, reason=reason)
        with self._rt.db.write() as session:
            execution.kept(session, task, reason, actor=self._actor, visit_id=self._visit.id)
        self._done.kept += 1

    def _confirm(self) -> None:
        """List the camera again: what it still has was not wiped, whatever it answered."""
        again = self._list()
        for task, _ in self._deleted:
            file = again.get(task.path)
            if file is not None and _is_same(task, file):
                self._done.wiped -= 1
                self._keep(task, "still_listed")

    def _list(self) -> dict[str, CameraFile]:
        """Return the camera's files by path as the catalogue knows it."""
        return {Seen(file.path, file.size, file.modified_raw).key.path: file for file in self._camera.list_files()}

    def _note_space(self) -> None:
        space = self._camera.storage()
        if space is None:
            return
        with self._rt.db.write() as session:
            docking.set_camera_health(
                session, self._visit.camera_id, storage_bytes=space.capacity, storage_free_bytes=space.free
            )

    def _write(self, kind: str, task: Task, **data: JSON) -> None:
        self._watch.write(
            kind, visit=self._visit.id, serial=self._visit.serial, slot=self._visit.place.slot, order=task.number,
            path=task.path, size=task.size, sha256=task.sha256, recording=task.recording_id, **data,
        )  # fmt: skip

    def _check_over(self) -> None:
        if self._watch.is_over():
            raise OffloadStoppedError(camera=self._visit.serial)

    @property
    def _actor(self) -> str:
        return self._visit.place.actor


def _is_same(task: Task, file: CameraFile) -> bool:
    return Seen(file.path, file.size, file.modified_raw).key == Seen(task.path, task.size, task.modified_raw)

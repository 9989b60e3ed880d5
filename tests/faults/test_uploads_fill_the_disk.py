"""Ten citizens send at once to a disk with room for a few: some arrive, none fails for good, and the docks' reserve stays theirs."""

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bodycam.intake import service as intake
from bodycam.models import Base
from bodycam.petitions import sealing, service, uploads
from bodycam.petitions.errors import NoRoomError
from bodycam.petitions.models import FileState, SubmissionFile
from bodycam.recordings.models import Origin, Recording
from bodycam.runtime import Runtime, open_runtime
from bodycam.settings import load_settings

MB = 1_000_000
SIZE = 30 * MB
DOCK_RESERVE = 80 * MB
PIECE = 9 * MB + 12_345  # then the line breaks


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Mount small file systems of so many MB."""
    mounted: list[Path] = []

    def mount_one(name: str, size: int) -> Path:
        place = tmp_path / name
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("no right to mount a tmpfs here")
        mounted.append(place)
        return place

    yield mount_one
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


class Crowd:
    """Ten uploads of one size, each in a thread of its own, broken off every few megabytes."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.data = os.urandom(SIZE)
        self.files: dict[str, str] = {}
        sha256 = hashlib.sha256(self.data).hexdigest()
        for _ in range(10):
            with rt.db.write() as session:
                submission = service.start(session, rt.keyring)
                service.tell(session, rt.keyring, submission.id, text="Điều đã chứng kiến")
                service.receive(session, rt.keyring, submission.id)
                file = uploads.create(
                    session, rt.keyring, rt.settings, submission.id, size=SIZE, metadata="", sha256=sha256
                )
            self.files[file.id] = submission.id

    def row(self, file_id: str) -> SubmissionFile:
        with self.rt.db.read() as session:
            return session.get_one(SubmissionFile, file_id)

    def send(self, file_id: str) -> None:
        """Send one connection's worth, or until there is no room."""
        row = self.row(file_id)
        if row.state != FileState.RECEIVING:
            return
        upto = min(SIZE, row.offset + PIECE)
        try:
            with uploads.writing(
                self.rt.db, self.rt.spool, self.rt.settings, self.files[file_id], file_id, row.offset
            ) as writer:
                for at in range(row.offset, upto, 1 << 18):
                    writer.write(self.data[at : min(at + (1 << 18), upto)])
        except NoRoomError:
            return

    def run(self) -> int:
        """Let all send and seal what is complete until nothing moves; return how many are sealed."""
        before = None
        with ThreadPoolExecutor(10) as threads:
            while before != (state := [(self.row(one).offset, self.row(one).state) for one in self.files]):
                before = state
                list(threads.map(self.send, self.files))
                for file_id in self.files:
                    sealing.seal_file(self.rt, file_id)  # raises when the disk is full: it never is
        return sum(self.row(one).state == FileState.SEALED for one in self.files)


def dock(rt: Runtime, size: int) -> str:
    """Bring a camera's file in as a dock does, its whole size reserved first."""
    attempt = intake.begin(rt.db, "camera:1")
    with rt.spool.open(attempt.id, expected=size) as writer:
        writer.write(os.urandom(size))
        spooled = writer.finish()
    return intake.finish(rt, attempt, spooled, intake.Facts(Origin.DOCK, "a.mp4", "station:1")).recording_id


def free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def opened(data: Path, second: Path | None) -> Iterator[Runtime]:
    environ = {
        "BODYCAM_DATA_DIR": str(data),
        "BODYCAM_PUBLIC__RESERVE_TOTAL_BYTES": str(1000 * MB),
        "BODYCAM_PUBLIC__RESERVE_STEP_BYTES": str(2 * MB),
        "BODYCAM_PUBLIC__DOCK_RESERVE_BYTES": str(DOCK_RESERVE),
    }
    if second is not None:
        environ |= {"BODYCAM_VAULT__COPIES": f"file://{second}", "BODYCAM_VAULT__REQUIRED_COPIES": "2"}
    with open_runtime(load_settings(environ)) as rt:
        Base.metadata.create_all(rt.db.engine)
        yield rt


@pytest.mark.timeout(300)
@pytest.mark.parametrize("copies", ["none", "on the same disk", "on a disk of its own, which is the smaller one"])
def test_ten_uploads_at_once_fill_the_disk_and_neither_all_fail_nor_take_the_docks_reserve(
    mount: Callable[[str, int], Path], copies: str
) -> None:
    disk = mount("disk", 380 if copies == "on the same disk" else 250)
    second = {"none": None, "on the same disk": disk / "second"}.get(copies, disk)
    if second is disk:
        second = mount("small", 200) / "second"
    for rt in opened(disk / "data", second):
        crowd = Crowd(rt)
        sealed = crowd.run()
        assert 2 <= sealed < 10, "some arrive, and the disk is too small for all"
        for place in {disk, second.parent if second else disk}:
            assert free(place) >= DOCK_RESERVE - 4 * MB, "the docks' reserve is whole, but for what the database writes"
        assert rt.vault.verify(_object(rt, dock(rt, DOCK_RESERVE // 4))).ok, "a dock still brings its file in"

        for place in {disk, second.parent if second else disk}:
            subprocess.run(["mount", "-o", "remount,size=1500m", str(place)], check=True)
        assert crowd.run() == 10, "with room the others go on where they stopped"
        for file_id in crowd.files:
            row = crowd.row(file_id)
            assert row.object_id is not None
            assert rt.vault.verify_copy(row.object_id, rt.vault.places[-1].name).ok


def _object(rt: Runtime, recording_id: str) -> str:
    with rt.db.read() as session:
        return session.get_one(Recording, recording_id).object_id

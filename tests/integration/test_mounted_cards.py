"""Cards mounted by this machine's kernel: an ext4 image on a loop device, its sysfs made up. Needs root and loop devices."""

import os
import shutil
import stat
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from dock_service.cameras.blocks import Disks
from dock_service.cameras.camera import CameraIdentity
from dock_service.cameras.drives import Drives
from dock_service.cameras.mass_storage import MassStorageCamera
from dock_service.cameras.mounting import OwnMounts, SystemMounts
from dock_service.errors import (
    CameraGoneError,
    FileSystemUnknownError,
    FileUnreadableError,
    MountFailedError,
    SizeImpossibleError,
)

IDENTITY = CameraIdentity("BWC-9", "", "")
FILES = {"DCIM/a.mp4": os.urandom(3_000_000), "DCIM/b.mp4": os.urandom(5000), "z.mp4": b"z"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def attached(image):
    try:
        device = Path(run("losetup", "--find", "--show", str(image)))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no loop device: {getattr(error, 'stderr', error)}")
    try:
        yield device
    finally:
        run("losetup", "--detach", str(device))


@contextmanager
def mounted(image, folder, *options):
    folder.mkdir(exist_ok=True)
    try:
        run("mount", "-o", ",".join(("loop", *options)), str(image), str(folder))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"may not mount: {error.stderr}")
    try:
        yield folder
    finally:
        run("umount", str(folder))


@pytest.fixture
def image(tmp_path):
    """An ext4 card that means ill: links, a pipe, a device, a file of 2 TiB, and the wish to panic on an error."""
    if os.geteuid() or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting needs root and mkfs.ext4")
    image = tmp_path / "card.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0", "-e", "panic", str(image))
    with mounted(image, tmp_path / "making") as card:
        for path, data in FILES.items():
            (card / path).parent.mkdir(exist_ok=True)
            (card / path).write_bytes(data)
        (card / "out.mp4").symlink_to("/etc/hostname")
        (card / "outside").symlink_to("/etc")
        os.mkfifo(card / "pipe.mp4")
        os.mknod(card / "disk.mp4", stat.S_IFBLK | 0o666, os.makedev(1, 0))
        with (card / "huge.mp4").open("wb") as file:
            file.truncate(2 << 40)
    return image


class Plugged:
    """A made-up sysfs that shows a real device at port 1-2."""

    def __init__(self, root, devices):
        self.root = root
        unit = root / "devices/1-2/1-2:1.0/host6/target6:0:0"
        for lun, device in enumerate(devices):
            disk = unit / f"6:0:0:{lun}" / "block" / device.name
            disk.mkdir(parents=True)
            number = device.stat().st_rdev
            (disk / "dev").write_text(f"{os.major(number)}:{os.minor(number)}\n")
            (disk / "size").write_text(Path("/sys/block", device.name, "size").read_text())
            (disk.parent.parent / "type").write_text("0\n")
            (disk.parent.parent / "state").write_text("running\n")
            self.errors = disk.parent.parent / "ioerr_cnt"
            self.errors.write_text("0x0\n")
        (root / "devices/1-2/devnum").write_text("4\n")
        links = root / "bus/usb/devices"
        links.mkdir(parents=True)
        (links / "1-2").symlink_to(root / "devices/1-2")
        (links / "1-2:1.0").symlink_to(root / "devices/1-2/1-2:1.0")

    def pull(self):
        shutil.rmtree(self.root / "devices")


@contextmanager
def camera_on(tmp_path, *devices, mounts=None):
    plugged = Plugged(tmp_path / "sys", devices)
    drives = Drives(Disks("1-2", 4, plugged.root), mounts or OwnMounts(tmp_path / "mounts"))
    camera = MassStorageCamera(drives, IDENTITY)
    try:
        drives.cards()
        yield camera, plugged
    finally:
        camera.close()


def mounts_below(folder):
    lines = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return {line[1]: set(line[3].split(",")) for line in lines if line[1].startswith(str(folder))}


def test_a_card_is_mounted_read_only_read_whole_and_unmounted(tmp_path, image):
    with attached(image) as device, camera_on(tmp_path, device) as (camera, _):
        [options] = mounts_below(tmp_path / "mounts").values()
        assert {"ro", "noexec", "nosuid", "nodev", "norecovery"} <= options
        files = {file.path: file for file in camera.list_files() if file.path != "lost+found"}
        assert set(files) == {*FILES, "huge.mp4"}
        for path, data in FILES.items():
            assert b"".join(camera.read(files[path])) == data
        with pytest.raises(SizeImpossibleError):
            next(camera.read(files["huge.mp4"]))
        camera.close()
        assert mounts_below(tmp_path / "mounts") == {}
        assert list((tmp_path / "mounts").iterdir()) == []


def test_it_is_writable_for_a_deletion_alone(tmp_path, image):
    with attached(image) as device, camera_on(tmp_path, device) as (camera, _):
        files = {file.path: file for file in camera.list_files()}
        camera.delete(files["DCIM/b.mp4"])
        [options] = mounts_below(tmp_path / "mounts").values()
        assert {"ro", "noexec", "nosuid", "nodev"} <= options
        assert "DCIM/b.mp4" not in {file.path for file in camera.list_files()}
        assert b"".join(camera.read(files["DCIM/a.mp4"])) == FILES["DCIM/a.mp4"]
    with mounted(image, tmp_path / "looking", "ro") as card:
        assert not (card / "DCIM/b.mp4").exists()
        assert (card / "z.mp4").read_bytes() == b"z"


def test_a_pulled_card_is_gone_and_its_dead_mount_is_taken_away(tmp_path, image):
    with attached(image) as device, camera_on(tmp_path, device) as (camera, plugged):
        files = camera.list_files()
        reading = camera.read(next(file for file in files if file.path == "DCIM/a.mp4"))
        next(reading)
        plugged.pull()
        with pytest.raises(CameraGoneError):
            camera.list_files()
        camera.close()  # while a file of it is open
        assert mounts_below(tmp_path / "mounts") == {}


def test_a_bad_sector_is_its_files_problem_and_a_dead_device_is_gone(tmp_path, image):
    with attached(image) as device, camera_on(tmp_path, device) as (camera, _):
        files = {file.path: file for file in camera.list_files()}
        assert (
            b"".join(camera.read(files["DCIM/a.mp4"])) == FILES["DCIM/a.mp4"]
        )  # what is cached of it counts for nothing
        size = image.stat().st_size
        os.truncate(image, 4096)  # the device still answers for its first block
        with pytest.raises(FileUnreadableError):
            b"".join(camera.read(files["DCIM/a.mp4"]))
        os.truncate(image, 0)
        with pytest.raises(CameraGoneError):
            camera.list_files()
        os.truncate(image, size)


def test_a_card_that_fails_while_it_is_listed_is_never_taken_for_whole(tmp_path, image, monkeypatch):
    with attached(image) as device, camera_on(tmp_path, device) as (camera, plugged):
        counts = iter(range(1, 100))
        scan = os.scandir

        def failing(folder):
            plugged.errors.write_text(f"{next(counts):#x}\n")
            return scan(folder)

        monkeypatch.setattr("dock_service.cameras.medium.os.scandir", failing)
        files = camera.list_files()
        assert files[-1].path == "card"
        with pytest.raises(Exception, match="card") as caught:
            next(camera.read(files[-1]))
        assert caught.value.code == "card_damaged"
        assert {file.path for file in files} >= set(FILES)


def test_a_second_unit_without_a_known_file_system_is_a_problem_of_its_own(tmp_path, image):
    blank = tmp_path / "blank.img"
    with blank.open("wb") as file:
        file.truncate(1 << 20)
    with attached(image) as one, attached(blank) as two:
        with camera_on(tmp_path, one, two) as (camera, _):
            files = camera.list_files()
            assert files[-1].path == "lun1"
            with pytest.raises(FileSystemUnknownError):
                next(camera.read(files[-1]))
            assert b"".join(camera.read(next(file for file in files if file.path == "z.mp4"))) == b"z"
        shutil.rmtree(tmp_path / "sys")
        with pytest.raises(FileSystemUnknownError), camera_on(tmp_path, two):
            pass


def test_a_card_that_is_slow_to_come_is_in_the_second_listing(tmp_path, image):
    second = tmp_path / "second.img"
    shutil.copy(image, second)
    with attached(image) as one, attached(second) as two:
        plugged = Plugged(tmp_path / "sys", [one, two])
        size = next(plugged.root.glob(f"devices/**/block/{two.name}/size"))
        sectors = size.read_text()
        size.write_text("0\n")
        camera = MassStorageCamera(Drives(Disks("1-2", 4, plugged.root), OwnMounts(tmp_path / "mounts")), IDENTITY)
        try:
            assert not [file for file in camera.list_files() if file.path.startswith("lun1/")]
            threading.Timer(0.5, lambda: size.write_text(sectors)).start()
            assert "lun1/z.mp4" in {file.path for file in camera.list_files()}
        finally:
            camera.close()


def test_what_a_dead_process_left_mounted_is_taken_away(tmp_path, image):
    folder = tmp_path / "mounts"
    folder.mkdir()
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = folder / f"sda1-{dead.pid}"
    left.mkdir()
    with attached(image) as device:
        run("mount", "-o", "ro,noload", str(device), str(left))
        OwnMounts(folder)
        assert mounts_below(folder) == {}
        assert list(folder.iterdir()) == []


def test_without_root_it_waits_for_the_systems_mount_and_names_what_is_missing(tmp_path, image):
    with attached(image) as device:
        system = tmp_path / "run"
        place = system / device.name
        place.mkdir(parents=True)
        with (
            pytest.raises(MountFailedError, match="nothing is mounted"),
            camera_on(tmp_path, device, mounts=SystemMounts(system, 0.3)),
        ):
            pass
        shutil.rmtree(tmp_path / "sys")
        run("mount", "-o", "ro,noload", str(device), str(place))
        try:
            with camera_on(tmp_path, device, mounts=SystemMounts(system, 0.3)) as (camera, _):
                assert {file.path for file in camera.list_files()} >= set(FILES)
            assert list(mounts_below(system))  # the unit takes it away, not we
        finally:
            run("umount", str(place))

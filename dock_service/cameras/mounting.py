"""Mounts a camera's volumes, read-only, and takes them away again.

Two ways. As root: with mount(8), under a private folder of the data folder. Without root: a systemd unit that udev starts
mounts them at a known place (deploy/README.md), and we wait for that. Options always: ro, noexec, nosuid, nodev; ext4 also
`noload`, so that not even its journal is replayed. FAT keeps local times without a zone: `time_offset` makes them UTC.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Protocol

import structlog

from bodycam import clock
from dock_service.cameras.blocks import Volume
from dock_service.cameras.filesystems import head_of, recognise
from dock_service.errors import CameraGoneError, MountFailedError

log = structlog.get_logger()

SYSTEM_MOUNTS = Path("/run/bodycam/usb")
WAIT_S = 10.0
_PROGRAM_S = 60.0
_SAFE = ("noexec", "nosuid", "nodev")
_OWN = re.compile(r"[a-z0-9]+-(\d+)")  # volume, process
_FUSE_EXFAT = "mount.exfat-fuse"


class Mounts(Protocol):
    """A way to mount volumes."""

    def mount(self, volume: Volume) -> Path:
        """Return the folder where the volume is mounted read-only.

        Raises MountFailedError, FileSystemUnknownError, CameraGoneError.
        """
        ...

    def writable(self, volume: Volume) -> AbstractContextManager[None]:
        """Let files of a mounted volume be deleted while the block runs; everything is on the card when it ends."""
        ...

    def unmount(self, volume: Volume) -> None:
        """Take the mount away, also when the device is gone; never raises."""
        ...


def mounts_for(data_dir: Path, zone: tzinfo = clock.VIETNAM) -> Mounts:
    """Return the way this process has: its own mounts as root, else the system's."""
    return OwnMounts(data_dir / "mounts", zone) if os.geteuid() == 0 else SystemMounts()


class OwnMounts:
    """Mounts by mount(8), which needs root (CAP_SYS_ADMIN)."""

    def __init__(self, folder: Path, zone: tzinfo = clock.VIETNAM, devices: Path = Path("/dev")) -> None:
        """Mount below `folder` (0700); what dead processes left mounted there is taken away."""
        self._folder = folder
        self._devices = devices
        offset = clock.now().astimezone(zone).utcoffset()
        self._minutes = 0 if offset is None else round(offset.total_seconds() / 60)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        for place in self._folder.iterdir():
            owner = _OWN.fullmatch(place.name)
            if owner is not None and not Path(f"/proc/{owner[1]}").exists():
                _take_away(place)

    def _place(self, volume: Volume) -> Path:
        return self._folder / f"{volume.name}-{os.getpid()}"

    def mount(self, volume: Volume) -> Path:
        """Mount it; the file system is recognised by us, never guessed by the kernel."""
        device = self._devices / volume.name
        try:
            kind = recognise(head_of(device), volume.name)
        except OSError as error:
            raise _failed(volume, error.strerror or str(error)) from error
        place = self._place(volume)
        _take_away(place)
        place.mkdir(mode=0o700)
        try:
            self._run(volume, ["mount", "-t", kind, "-o", self._options(kind, "ro"), str(device), str(place)])
        except MountFailedError as error:
            if not (kind == "exfat" and "unknown filesystem" in str(error) and shutil.which(_FUSE_EXFAT)):
                _take_away(place)
                raise
            options = ",".join(("ro", *_SAFE, "umask=0077"))
            self._run(volume, [_FUSE_EXFAT, "-o", options, str(device), str(place)])
        log.info("mount.done", volume=volume.name, kind=kind)
        return place

    def _options(self, kind: str, access: str) -> str:
        more = {
            "vfat": ("umask=0077", "utf8", f"time_offset={self._minutes}"),
            "exfat": ("umask=0077", "iocharset=utf8", f"time_offset={self._minutes}"),
            "ext4": ("noload",) if access == "ro" else (),
        }[kind]
        # a card may ask the kernel to panic on an error; it does not get its way
        return ",".join((access, *_SAFE, "errors=remount-ro", *more))

    def _run(self, volume: Volume, command: list[str]) -> None:
        hours = self._minutes / 60
        environment = {**os.environ, "LC_ALL": "C", "TZ": f"CAM{-hours:+g}"}  # the zone is for exfat-fuse
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_PROGRAM_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(volume, str(error)) from error
        if done.returncode:
            raise _failed(volume, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0])

    @contextmanager
    def writable(self, volume: Volume) -> Iterator[None]:
        """Remount it read-write while the block runs, then write everything out and remount it read-only."""
        place = self._place(volume)
        self._run(volume, ["mount", "-o", f"remount,rw,{','.join(_SAFE)}", str(place)])
        try:
            yield
        finally:
            self._run(volume, ["sync", "-f", str(place)])
            self._run(volume, ["mount", "-o", f"remount,ro,{','.join(_SAFE)}", str(place)])

    def unmount(self, volume: Volume) -> None:
        """Unmount it; lazily when it is busy or gone."""
        _take_away(self._place(volume))


class SystemMounts:
    """Waits for the mounts that the system's units make, named after the kernel's name of the volume."""

    def __init__(self, folder: Path = SYSTEM_MOUNTS, seconds: float = WAIT_S) -> None:
        """Take the folder the units mount under, and how long to wait for a mount."""
        self._folder = folder
        self._seconds = seconds

    def mount(self, volume: Volume) -> Path:
        """Wait for it."""
        place = self._folder / volume.name
        end = clock.monotonic() + self._seconds
        while not self._is_mounted(place, volume):
            if not volume.is_there():
                raise CameraGoneError(camera=volume.name)
            if clock.monotonic() >= end:
                self._look(volume)
                raise _failed(volume, f"nothing is mounted at {place}")
            time.sleep(0.1)
        return place

    def _is_mounted(self, place: Path, volume: Volume) -> bool:
        try:
            found = place.stat()
            return found.st_dev == volume.number or (place.is_mount() and bool(os.statvfs(place).f_flag & os.ST_RDONLY))
        except OSError:
            return False

    def _look(self, volume: Volume) -> None:
        """Raise FileSystemUnknownError when the volume holds none that the units mount, if we may look."""
        with contextlib.suppress(OSError):
            recognise(head_of(Path("/dev") / volume.name), volume.name)

    @contextmanager
    def writable(self, volume: Volume) -> Iterator[None]:
        """Start the unit that remounts it read-write, and stop it again; a polkit rule allows just that."""
        unit = f"bodycam-write@{volume.name}.service"
        self._systemctl("start", unit, volume)
        try:
            yield
        finally:
            self._systemctl("stop", unit, volume)

    def _systemctl(self, verb: str, unit: str, volume: Volume) -> None:
        command = ["systemctl", "--no-ask-password", verb, unit]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PROGRAM_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(volume, str(error)) from error
        if done.returncode:
            raise _failed(volume, (done.stderr.strip().splitlines() or [f"{verb} {unit}"])[0])

    def unmount(self, volume: Volume) -> None:
        """Do nothing: its unit is bound to the device and ends with it."""


def _failed(volume: Volume, detail: str) -> CameraGoneError | MountFailedError:
    if not volume.is_there():
        return CameraGoneError(camera=volume.name)
    return MountFailedError(volume=volume.name, detail=detail)


def _take_away(place: Path) -> None:
    """Unmount whatever is there and remove the folder; a mount whose device is gone or busy ends lazily."""
    if not place.exists() and not os.path.ismount(place):
        return
    try:
        if os.path.ismount(place):
            for options in ([], ["--lazy"]):
                command = ["umount", *options, str(place)]
                if not subprocess.run(command, capture_output=True, timeout=_PROGRAM_S, check=False).returncode:
                    break
        place.rmdir()
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("mount.left", place=str(place), error=str(error))

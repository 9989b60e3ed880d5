"""What `bodycam doctor` looks at of USB: rights on cameras, the udev rule, the mounts of cards, the kernel's file systems.

`root` is where the machine's files lie, so that a test can make up a machine.
"""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from bodycam.cli.symptom import Symptom
from bodycam.sections import Settings
from dock_service.cameras.mounting import SYSTEM_MOUNTS

_CAMERAS = {"06", "08"}  # interface classes: still image (PTP, MTP), mass storage
_RULES = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
_UNITS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_INSTALL = (
    "Chạy: sudo deploy/install.sh, rồi cắm lại máy.",
    "Run: sudo deploy/install.sh, then plug the camera in again.",
)
_FILE_SYSTEMS = {"vfat": "FAT32", "exfat": "exFAT", "ext4": "ext4"}


def look(settings: Settings, root: Path = Path("/"), *, is_root: bool | None = None) -> Iterator[Symptom]:
    """Look at what keeps cameras on real USB from being read."""
    if settings.dock.bus != "libusb":
        yield Symptom("usb", "ok", f"Trạm dùng {settings.dock.bus}", f"The dock looks at {settings.dock.bus}")
        return
    is_root = os.geteuid() == 0 if is_root is None else is_root
    yield _rights(root)
    yield from _set_up(root, is_root=is_root)
    yield from _file_systems(root)


def _rights(root: Path) -> Symptom:
    if not list((root / "dev/bus/usb").glob("*/*")):
        return Symptom(
            "usb",
            "note",
            "Máy này không có cổng USB nào nhìn thấy được",
            "This machine shows no USB bus",
            "Máy ảo: gắn bộ điều khiển USB vào. Thử không cần USB: bodycam up --demo",
            "A virtual machine: pass a USB controller through. To try without: bodycam up --demo",
        )
    cameras = [device for device in (root / "sys/bus/usb/devices").glob("*") if _is_camera(device)]
    closed = [device.name for device in cameras if not os.access(_node(root, device), os.R_OK | os.W_OK)]
    if closed:
        ports = ", ".join(sorted(closed))
        return Symptom(
            "usb",
            "bad",
            f"Không đủ quyền mở máy ghi hình ở cổng {ports}",
            f"No right to open the cameras at ports {ports}",
            *_INSTALL,
        )
    return Symptom(
        "usb", "ok", f"USB: mở được {len(cameras)} máy đang cắm", f"USB: {len(cameras)} cameras can be opened"
    )


def _is_camera(device: Path) -> bool:
    return any(_text(kind) in _CAMERAS for kind in device.glob("*:*/bInterfaceClass"))


def _node(root: Path, device: Path) -> Path:
    bus, number = _text(device / "busnum"), _text(device / "devnum")
    return root / "dev/bus/usb" / bus.zfill(3) / number.zfill(3)


def _set_up(root: Path, *, is_root: bool) -> Iterator[Symptom]:
    """Look whether cards can be mounted: as root by ourselves, else by what deploy/ installs."""
    if is_root:
        found = all(shutil.which(program) for program in ("mount", "umount"))
        yield Symptom(
            "usb_mounts",
            "ok" if found else "bad",
            "Chạy bằng root: tự gắn thẻ nhớ, chỉ đọc" if found else "Thiếu chương trình mount",
            "Running as root: cards are mounted by the program, read-only" if found else "The program mount is missing",
            "" if found else "apt-get install mount",
            "" if found else "apt-get install mount",
        )
        return
    missing = [
        name
        for name, folders in (("70-bodycam.rules", _RULES), ("bodycam-mount-vfat@.service", _UNITS))
        if not any((root / folder / name).exists() for folder in folders)
    ]
    if missing:
        names = ", ".join(missing)
        yield Symptom(
            "usb_mounts",
            "bad",
            f"Chưa cài quyền USB và gắn thẻ chỉ đọc ({names})",
            f"USB rights and read-only mounts are not installed ({names})",
            *_INSTALL,
        )
        return
    unmounted = [name for name in _usb_volumes(root) if not os.path.ismount(root / str(SYSTEM_MOUNTS)[1:] / name)]
    if unmounted:
        names = ", ".join(unmounted)
        yield Symptom(
            "usb_mounts",
            "note",
            f"Thẻ nhớ đang cắm chưa được gắn: {names}",
            f"Cards that are plugged in but not mounted: {names}",
            "Xem: systemctl status 'bodycam-mount-*' và lsblk -f (chỉ FAT32, exFAT, ext4).",
            "See: systemctl status 'bodycam-mount-*' and lsblk -f (only FAT32, exFAT, ext4).",
        )
    else:
        yield Symptom("usb_mounts", "ok", "Thẻ nhớ được gắn chỉ đọc", "Cards are mounted read-only")


def _usb_volumes(root: Path) -> list[str]:
    """List partitions, and disks without any, of drives on USB."""
    found = []
    for disk in (root / "sys/bus/usb/devices").glob("*:*/host*/target*/*/block/*"):
        if _text(disk / "size") in {"", "0"}:
            continue
        parts = [part.parent.name for part in disk.glob("*/partition")]
        found += parts or [disk.name]
    return sorted(found)


def _file_systems(root: Path) -> Iterator[Symptom]:
    """Look whether the kernel knows the three file systems, built in or as a module."""
    known = _text(root / "proc/filesystems").split()
    modules = root / "lib/modules" / platform.release()
    named = _text(modules / "modules.builtin") + _text(modules / "modules.dep")
    missing = [name for kind, name in _FILE_SYSTEMS.items() if kind not in known and f"/{kind}.ko" not in named]
    if "exFAT" in missing and shutil.which("mount.exfat-fuse"):
        missing.remove("exFAT")
    if missing:
        names = ", ".join(missing)
        yield Symptom(
            "usb_file_systems",
            "note",
            f"Nhân hệ điều hành không đọc được thẻ {names}",
            f"The kernel can't read cards with {names}",
            "Máy ghi hình kiểu MTP vẫn đọc được. Dùng nhân chuẩn của Debian (linux-image-amd64); exFAT: apt-get install exfat-fuse.",
            "MTP cameras are read all the same. Use Debian's own kernel (linux-image-amd64); exFAT: apt-get install exfat-fuse.",
        )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""

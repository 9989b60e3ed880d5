"""The guest's disk: a small Debian 12 with the kernel's USB drivers, our pinned Python packages and the benchmark's peers.

Built once into `.cache/usb-guest/<key>`; the key is a hash of this recipe and of `requirements/run.txt`, so an unchanged guest
is used again. Our own code isn't in it: the guest copies it from the working tree at every start.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "usb-guest"
REQUIREMENTS = ROOT / "requirements" / "run.txt"
PEER = "gphoto2==2.6.4"  # libgphoto2 with ptp2, for bench/usb_guest.py alone
RELEASE = "bookworm"
PACKAGES = (
    "linux-image-amd64",  # the cloud kernels have no USB
    "systemd-sysv",
    "udev",
    "kmod",
    "python3",
    "rsync",
    "rclone",
    "dosfstools",
    "exfatprogs",
    "fdisk",
    "e2fsprogs",
)
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/locale/*",
    *(
        f"/lib/modules/*/kernel/{part}/*"
        for part in ("sound", "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/net", "drivers/iio")
    ),
)
NEEDED = ("qemu-system-x86_64", "mmdebstrap", "mke2fs", "tar")
SIZE = "2600M"

_UNIT = """[Unit]
Description=Takes the tests' commands
RequiresMountsFor=/mnt/repo /mnt/footage /data

[Service]
ExecStart=/usr/bin/python3 /mnt/repo/tests/usb_guest/agent.py
StandardOutput=journal

[Install]
WantedBy=multi-user.target
"""
_FSTAB = """/dev/vda / ext4 rw,noatime 0 0
/dev/vdb /data ext4 rw,noatime 0 0
repo /mnt/repo 9p trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose 0 0
footage /mnt/footage 9p trans=virtio,version=9p2000.L,ro,msize=512000 0 0
"""
_EARLY = "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n"


class CannotRunError(Exception):
    """The guest can't be built or run on this machine; the text says why."""


@dataclass(frozen=True)
class Image:
    """A guest ready to start."""

    disk: Path
    kernel: Path
    initrd: Path


def ensure() -> Image:
    """Return the guest, building it when the recipe changed; raises CannotRunError with the reason."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if os.geteuid() != 0 and shutil.which("fakeroot") is None:
        missing.append("fakeroot")
    if missing:
        raise CannotRunError(f"not installed: {', '.join(missing)}")
    folder = CACHE / _key()
    image = Image(folder / "root.ext4", folder / "vmlinuz", folder / "initrd.img")
    if not image.initrd.exists():
        for old in CACHE.glob("*"):
            shutil.rmtree(old)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="build-") as work:
            _build(Path(work))
            (Path(work) / "done").rename(folder)
    return image


def _key() -> str:
    recipe = Path(__file__).read_bytes() + REQUIREMENTS.read_bytes()
    return hashlib.sha256(recipe).hexdigest()[:16]


def _build(work: Path) -> None:
    """Fetch the Python packages, install Debian around them, and make a disk of it without mounting anything."""
    print("building the guest: about 3 minutes, once…", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-compile"]
    pip += ["--python-version", "3.11", "--only-binary=:all:", "--target", str(work / "site")]
    _run([*pip, "-r", str(REQUIREMENTS), PEER])
    (work / "agent.service").write_text(_UNIT)
    (work / "fstab").write_text(_FSTAB)
    (work / "early").write_text(_EARLY)
    (work / "list").write_text("MODULES=list\n")
    modules, settings = "/usr/share/initramfs-tools/modules.d", "/etc/initramfs-tools/conf.d"
    before = [f'mkdir -p "$1{modules}" "$1{settings}"', f"upload {work}/early {modules}/guest"]
    after = [
        f"upload {work}/agent.service /etc/systemd/system/agent.service",
        f"upload {work}/fstab /etc/fstab",
        f"copy-in {work}/site /opt",
        'mkdir -p "$1/mnt/repo" "$1/mnt/footage" "$1/mnt/card" "$1/data"',
        'chroot "$1" systemctl -q enable agent.service',
        'chroot "$1" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer serial-getty@ttyS0.service getty@tty1.service',
        'chroot "$1" python3 -m compileall -q /opt/site /usr/lib/python3.11 || true',
    ]
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    command += ["--aptopt=APT::Install-Recommends false", *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT)]
    command += [f"--essential-hook={hook}" for hook in [*before, f"upload {work}/list {settings}/guest"]]
    command += [f"--customize-hook={hook}" for hook in after]
    _run([*command, RELEASE, str(work / "root.tar"), _mirror()])
    root, done = work / "root", work / "done"
    root.mkdir()
    done.mkdir()
    disk = done / "root.ext4"
    make = f"tar -xf {work}/root.tar -C {root} && mke2fs -q -t ext4 -O ^has_journal -L root -d {root} {disk} {SIZE}"
    _run([*([] if os.geteuid() == 0 else ["fakeroot"]), "sh", "-c", make])
    for name, target in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd.img")):
        shutil.copyfile(next((root / "boot").glob(name)), done / target)


def _mirror() -> str:
    """Return where Debian comes from: `DEBIAN_MIRROR`, else what this machine's own apt uses for the guest's release."""
    if named := os.environ.get("DEBIAN_MIRROR"):
        return named
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    found = [line.split()[1] for line in told if line.startswith(f"{RELEASE} ")]
    if not found:
        raise CannotRunError(f"this machine's apt knows no {RELEASE}: name a mirror in DEBIAN_MIRROR")
    return found[0]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise CannotRunError(f"{Path(command[0]).name} failed:\n{last}")

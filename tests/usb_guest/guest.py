"""One guest at work: QEMU without KVM unless KVM really boots, orders to the agent inside, devices plugged and pulled by QMP.

Each guest has a folder of its own for sockets, its data disk and the responder's trace; nothing of it stays.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.usb_guest.image import ROOT, CannotRunError, Image

MEMORY_MIB, CPUS = 2048, 2
CPU = "max,la57=off,erms=off,fsrm=off"  # emulation copies byte by byte where a processor has fast string moves
BOOT_S = 600  # 30 on an idle machine
DATA_GIB = 24  # sparse
TRACED = ("usb_mtp_op_get_partial_object", "usb_mtp_xfer", "usb_msd_cmd_submit")
_PACKAGES = "/usr/local/lib/python3.11/dist-packages"
# the emulator is several times slower with SHA-256 in AVX2 or SSSE3 than in plain integers: OpenSSL is told not to use them, for ours
# and the peers' programs alike (no AVX, SSSE3, AVX2; AES-NI stays)
SCALAR_HASHES = {"OPENSSL_ia32cap": "~0x1000020000000000:~0x20"}
PYTHON = {"BODYCAM_DATA_DIR": "/data/bodycam", "BODYCAM_LANGUAGE": "en", **SCALAR_HASHES}


Answer = dict[str, Any]  # JSON of the agent's


@dataclass(frozen=True)
class Done:
    """How a program in the guest ended."""

    code: int
    out: str
    err: str
    seconds: float


class GuestError(Exception):
    """The guest or QEMU did not do what was asked."""


class Guest:
    """A running guest; as a context manager it is stopped and forgotten."""

    def __init__(self, image: Image, footage: Path) -> None:
        """Choose a folder; `footage` is what the guest sees at /mnt/footage."""
        self._image, self._footage = image, footage
        self.folder = Path(tempfile.mkdtemp(prefix="usb-guest-", dir="/var/tmp"))
        self.trace = self.folder / "trace"
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, Future[Answer]] = {}
        self._next = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _start(self) -> None:
        data = self.folder / "data.ext4"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", str(data), f"{DATA_GIB}G"], check=True, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        self._process = subprocess.Popen(self._command(data), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._agent = self._connect("agent")
        self._qmp_in = self._connect("qmp")
        self._qmp_out = self._qmp_in.makefile("r")
        self._qmp_out.readline()
        self.qmp("qmp_capabilities")
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.run("true", timeout=BOOT_S)
        except TimeoutError:
            log = (self.folder / "console").read_text(errors="replace")[-2000:]
            raise CannotRunError(f"the guest did not start within {BOOT_S} s:\n{log}") from None
        self.boot_s = time.monotonic() - started
        self._install()

    def _command(self, data: Path) -> list[str]:
        place = self.folder
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", CPU, "-smp", str(CPUS)]
        command += ["-m", str(MEMORY_MIB), "-nodefaults", "-display", "none", "-no-reboot", "-nic", "none"]
        command += ["-kernel", str(self._image.kernel), "-initrd", str(self._image.initrd)]
        command += ["-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off panic=-1 systemd.show_status=0"]
        command += ["-drive", f"file={self._image.disk},if=virtio,format=raw,snapshot=on"]
        command += ["-drive", f"file={data},if=virtio,format=raw,discard=unmap"]
        for tag, folder in (("repo", ROOT), ("footage", self._footage)):
            command += ["-virtfs", f"local,path={folder},mount_tag={tag},security_model=none,readonly=on"]
        command += ["-device", "virtio-rng-pci", "-device", "virtio-serial-pci", "-device", "qemu-xhci,id=xhci"]
        command += ["-chardev", f"socket,id=agent,path={place}/agent,server=on,wait=off"]
        command += ["-device", "virtserialport,chardev=agent,name=agent"]
        command += ["-qmp", f"unix:{place}/qmp,server=on,wait=off", "-serial", f"file:{place}/console"]
        for event in TRACED:
            command += ["-trace", f"enable={event}"]
        return [*command, "-D", str(self.trace), "-msg", "timestamp=on"]

    def _connect(self, name: str) -> socket.socket:
        assert self._process is not None
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                raise CannotRunError(f"QEMU ended: {self._process.stderr.read().decode(errors='replace')[-500:]}")
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(str(self.folder / name))
            except OSError:
                link.close()
                time.sleep(0.05)
            else:
                return link
        raise CannotRunError("QEMU opened no control socket")

    def _install(self) -> None:
        """Copy the working tree's code into the guest, as it is now."""
        parts = "bodycam dock_service config"
        copy = f"mkdir -p /opt/bodycam && cd /mnt/repo && cp -r {parts} /opt/bodycam/"
        self.check("sh", "-c", copy)
        self.check(
            "sh", "-c", "echo options usb-storage delay_use=0 > /etc/modprobe.d/bodycam.conf"
        )  # as deploy/README.md
        self.check("sh", "-c", f"printf '%s\\n' /opt/bodycam /opt/site > {_PACKAGES}/guest.pth")
        self.check("python3", "-m", "compileall", "-q", "-j", "2", "/opt/bodycam")

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listen(self) -> None:
        with self._agent.makefile("r") as lines:
            for line in lines:
                answer = json.loads(line)
                self._waiting.pop(answer.pop("id")).set_result(answer)

    def _ask(self, **order: object) -> Future[Answer]:
        with self._lock:
            self._next += 1
            future = self._waiting[self._next] = Future()
            self._agent.sendall(json.dumps({"id": self._next, **order}).encode() + b"\n")
        return future

    def start(self, *argv: str, timeout: float = 600, env: dict[str, str] | None = None) -> Future[Answer]:
        """Start a program and return at once; `finish` waits for it."""
        return self._ask(do="run", argv=argv, env={**PYTHON, **(env or {})}, timeout=timeout)

    def finish(self, started: Future[Answer], timeout: float = 600) -> Done:
        """Wait for a program that was started."""
        done = started.result(timeout)
        return Done(done["code"], done["out"], done["err"], done["seconds"])

    def run(self, *argv: str, timeout: float = 600, env: dict[str, str] | None = None) -> Done:
        """Run a program to its end."""
        return self.finish(self.start(*argv, timeout=timeout, env=env), timeout + 30)

    def check(self, *argv: str, timeout: float = 600, env: dict[str, str] | None = None) -> str:
        """Run a program that must succeed and return what it printed."""
        done = self.run(*argv, timeout=timeout, env=env)
        if done.code:
            raise GuestError(f"{' '.join(argv)[:200]} ended with {done.code}: {done.out[-1000:]}\n{done.err[-2000:]}")
        return done.out

    def appears(self, folder: str, suffix: str, known: list[str], timeout: float = 120) -> list[str]:
        """Wait until a file with this ending that isn't known appears in the guest; returns all there are then."""
        order = self._ask(do="appears", folder=folder, suffix=suffix, known=known, timeout=timeout)
        found: list[str] = order.result(timeout + 30)["files"]
        return found

    def ask_database(self, file: str, queries: list[str]) -> list[list[list[object]]]:
        """Return the rows of each query, all asked in one read transaction."""
        answer = self._ask(do="sql", file=file, queries=queries).result(300)
        if "rows" not in answer:
            raise GuestError(f"{file}: {answer['err']}")
        rows: list[list[list[object]]] = answer["rows"]
        return rows

    def qmp(self, command: str, **arguments: object) -> object:
        """Give QEMU a command and return its answer."""
        self._qmp_in.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._qmp_out.readline())
            if "error" in answer:
                raise GuestError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def plug_mtp(self, folder: Path, port: int) -> None:
        """Plug QEMU's MTP responder, serving a folder of the host."""
        self.qmp(
            "device_add",
            driver="usb-mtp",
            id=f"usb{port}",
            bus="xhci.0",
            port=str(port),
            rootdir=str(folder),
            desc="DSJ",
        )

    def add_card(self, name: str, image: Path) -> None:
        """Make an image known as a card that can be plugged; writable, so that what is written would show."""
        self.qmp("blockdev-add", driver="raw", **{"node-name": name}, file={"driver": "file", "filename": str(image)})

    def plug_card(self, name: str, port: int) -> None:
        """Plug a card as a mass-storage camera whose serial number is its name, in capitals."""
        self.qmp(
            "device_add", driver="usb-storage", id=f"usb{port}", bus="xhci.0", port=str(port), drive=name, serial=name
        )

    def pull(self, port: int) -> None:
        """Pull what stands in a port, at once."""
        self.qmp("device_del", id=f"usb{port}")

    def try_pull(self, port: int) -> None:
        """Pull what stands in a port, if anything does."""
        with contextlib.suppress(GuestError):
            self.pull(port)

    def is_kvm(self) -> bool:
        """Tell whether the guest runs on the host's processor."""
        answer = self.qmp("query-kvm")
        return isinstance(answer, dict) and bool(answer["enabled"])


def end_in_order() -> None:
    """Have SIGTERM and SIGINT end this program through its `finally`, so that no guest stays behind."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def new_footage_folder() -> Path:
    """Return an empty folder on disk for a run's footage."""
    return Path(tempfile.mkdtemp(prefix="usb-footage-", dir=os.environ.get("TMPDIR", "/var/tmp")))

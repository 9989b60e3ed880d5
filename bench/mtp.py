"""MTP over the simulated wire, in MB/s and processor time: `python bench/mtp.py [MiB] [runs]`.

No gphoto2 can drive an in-process bus, so the peer is the wire itself: the same backend read by bare bulk transfers of 1 MiB
behind one hand-made GetObject, with no PTP client between (`wire`). `client` is `MtpCamera.read`; `offload` is everything: read,
hash, encrypt, sync, re-read, catalogue. Ratios are to `wire` of the same run; every run begins on a fresh camera.
"""

import array
import hashlib
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bodycam.cli.standalone import standalone
from bodycam.custody.sequencer import Sequencer
from bodycam.settings import load_settings
from dock_service.bus import open_bus
from dock_service.cameras.mtp import MtpCamera
from dock_service.offload import Offload, Watch
from dock_service.simulator.backend import IN, SimBackend
from dock_service.simulator.profile import Profile, write_profile
from dock_service.visit import Place

MIB = 1 << 20


def main() -> None:
    """Print the table."""
    size = int(sys.argv[1]) * MIB if len(sys.argv) > 1 else 256 * MIB
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    block = hashlib.sha256(b"bench").digest() * (MIB // 32)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        bus = Path(folder) / "bus"
        camera = write_profile(bus / "cam", Profile(serial="BENCH"))
        with (camera.card / "a.bin").open("wb") as file:
            for _ in range(size // MIB):
                file.write(block)
        ways: dict[str, Callable[[], None]] = {
            "wire": lambda: wire(bus, size),
            "client": lambda: client(bus, size),
            "offload": lambda: offload(bus, size),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        busy: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                started, used = time.perf_counter(), time.process_time()
                way()
                seconds[name].append(time.perf_counter() - started)
                busy[name].append(time.process_time() - used)
    print(f"{size // MIB} MiB, {runs} runs\n{'':8} {'MB/s':>8} {'best':>8} {'of wire':>8} {'CPU ms/MiB':>11}")
    base = statistics.median(seconds["wire"])
    for name, took in seconds.items():
        median = statistics.median(took)
        processor = statistics.median(busy[name]) / (size / MIB) * 1000
        print(
            f"{name:8} {size / median / 1e6:8.0f} {size / min(took) / 1e6:8.0f} {base / median:8.2f} {processor:11.2f}"
        )


def wire(bus: Path, size: int) -> None:
    """Read the object by bare bulk transfers."""
    backend = SimBackend(bus)
    [device] = backend.enumerate_devices()
    for code, *parameters in ((0x1002, 1), (0x1007, 0xFFFFFFFF, 0, 0), (0x1009, 1)):
        device.write(struct.pack(f"<IHHI{len(parameters)}I", 12 + 4 * len(parameters), 1, code, 1, *parameters))
        left = {0x1002: 0, 0x1007: 1, 0x1009: size}[code]
        while left > 0:
            buffer = array.array("B", bytes(MIB))
            left -= backend.bulk_read(device, IN, 0, buffer, 1000)
        while device.responder.queue:
            backend.bulk_read(device, IN, 0, array.array("B", bytes(MIB)), 1000)


def client(bus: Path, size: int) -> None:
    """Read it with our PTP client."""
    [found] = open_bus(f"sim:{bus}").devices()
    camera = MtpCamera(found.device, found.port, found.serial)
    [file] = camera.list_files()
    assert sum(len(piece) for piece in camera.read(file)) == size
    camera.close()


def offload(bus: Path, size: int) -> None:
    """Bring it into a new vault."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as data:
        settings = load_settings({"BODYCAM_DATA_DIR": data})
        with standalone(settings) as rt:
            [found] = open_bus(f"sim:{bus}").devices()
            camera = MtpCamera(found.device, found.port, found.serial)
            watch = Watch(report=lambda _: None, settle=lambda _: Sequencer(rt.db, rt.log).run_once())
            outcome = Offload(rt, camera, Place("bench"), watch).run()
            assert [copied.size for copied in outcome.recordings] == [size]
            camera.close()


if __name__ == "__main__":
    main()

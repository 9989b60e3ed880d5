"""How soon a dock goes on: `python bench/dock_resume.py [rounds]`.

A virtual camera is plugged in, pulled in the middle of a file and plugged into another slot, with a real station working in this
process. Printed, as median and worst: seconds from the plug to the first byte asked for, from the re-plug to the first new byte,
and the bytes that were read twice. Exit code 1 when the worst resume takes 2 s or more, or more than 1 MiB was read again.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from bodycam.cli.standalone import standalone
from bodycam.settings import load_settings
from dock_service.bus import open_bus
from dock_service.simulator.backend import SimBackend
from dock_service.simulator.profile import Profile, VirtualCamera, write_profile
from dock_service.station import Station

MIB = 1 << 20
SIZE = 48 * MIB
GOAL_S, GOAL_BYTES = 2.0, MIB


def main() -> int:
    """Measure, print and judge."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    starts, resumes, again = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        settings = load_settings({"BODYCAM_DATA_DIR": str(root / "data"), "BODYCAM_DOCK__BUS": f"sim:{root / 'bus'}"})
        with standalone(settings) as rt:
            bus, stop = open_bus(settings.dock.bus), threading.Event()
            backend = bus._backend  # noqa: SLF001  what the camera was asked for is seen there alone
            assert isinstance(backend, SimBackend)
            working = threading.Thread(target=Station(rt, bus, stop).run)
            working.start()
            try:
                for number in range(rounds):
                    start, resume, twice = one(root / "bus", backend, number)
                    starts.append(start)
                    resumes.append(resume)
                    again.append(twice)
            finally:
                stop.set()
                working.join()
    tell("plug to first byte, s", starts)
    tell("re-plug to first new byte, s", resumes)
    tell("read twice, MiB", [count / MIB for count in again])
    return 0 if max(resumes) < GOAL_S and max(again) <= GOAL_BYTES else 1


def one(folder: Path, backend: SimBackend, number: int) -> tuple[float, float, int]:
    """Plug, pull and plug again one new camera; returns both times and the bytes read twice."""
    profile = Profile(serial=f"B-{number}", port=1 + number % 4, rate=20 * MIB)
    camera = write_profile(folder / f"camera-{number}", profile)
    camera.unplug()
    (camera.card / "a.mp4").write_bytes(random.Random(number).randbytes(SIZE))
    camera.plug()
    plugged = time.monotonic()
    first = asked(backend, camera)
    time.sleep(0.9)
    device = backend.device(camera.folder)
    assert device is not None
    camera.unplug()
    sent = device._served  # noqa: SLF001
    time.sleep(1.0)
    write_profile(camera.folder, profile.model_copy(update={"port": 5 + number % 4}))
    camera.plug()
    back = time.monotonic()
    resumed = asked(backend, camera, besides=device)
    device = backend.device(camera.folder)
    assert device is not None
    offset = device.responder.requested[0][1]
    while not camera_is_read(device):
        time.sleep(0.05)
    camera.unplug()
    time.sleep(0.6)
    return first - plugged, resumed - back, max(0, sent - offset)


def camera_is_read(device: object) -> bool:
    """Tell whether enough came to end the round."""
    return bool(getattr(device, "_served", 0) > MIB)


def asked(backend: SimBackend, camera: VirtualCamera, besides: object = None) -> float:
    """Return when the camera was first asked for a file's bytes."""
    while True:
        device = backend.device(camera.folder)
        if device is not None and device is not besides and device.responder.requested:
            return time.monotonic()
        time.sleep(0.005)


def tell(what: str, values: list[float]) -> None:
    """Print a median and the worst."""
    print(f"{what}: median {statistics.median(values):.2f}, worst {max(values):.2f} of {len(values)}")


if __name__ == "__main__":
    sys.exit(main())

"""Runs in the guest for bench/usb_guest.py: read one object off the wire, by our PTP client or by libgphoto2, and say how long it took.

The clock runs from the first request for bytes to the last byte; opening, listing and the start of Python don't count.
"""

import json
import sys
import time
from collections.abc import Iterator

BLOCK = 4 << 20


def ours() -> tuple[int, float]:
    """Read the largest object with `MtpCamera.read`."""
    from dock_service.bus import DeviceKind, open_bus  # late: the peer's run doesn't load ours
    from dock_service.cameras.mtp import MtpCamera

    [found] = [device for device in open_bus("libusb").devices() if device.kind is DeviceKind.MTP]
    camera = MtpCamera(found.device, found.port, found.serial)
    file = max(camera.list_files(), key=lambda listed: listed.size)
    started = time.monotonic()
    size = sum(len(piece) for piece in camera.read(file))
    took = time.monotonic() - started
    camera.close()
    return size, took


def gphoto2() -> tuple[int, float]:
    """Read it with libgphoto2's file_read, 4 MiB at a time into one buffer."""
    import gphoto2 as gp  # late: only here

    camera = gp.Camera()
    camera.init()
    folder, name = max(_files(camera, "/"), key=lambda item: camera.file_get_info(*item).file.size)
    buffer, size = bytearray(BLOCK), 0
    started = time.monotonic()
    while got := camera.file_read(folder, name, gp.GP_FILE_TYPE_NORMAL, size, buffer):
        size += got
    took = time.monotonic() - started
    camera.exit()
    return size, took


def _files(camera: "gphoto2.Camera", folder: str) -> Iterator[tuple[str, str]]:
    for name, _ in camera.folder_list_files(folder):
        yield folder, name
    for name, _ in camera.folder_list_folders(folder):
        yield from _files(camera, f"{folder.rstrip('/')}/{name}")


if __name__ == "__main__":
    size, took = {"ours": ours, "gphoto2": gphoto2}[sys.argv[1]]()
    print(json.dumps({"bytes": size, "seconds": took}))

"""Runs in the guest: reads every file of the one MTP camera on the bus, nothing sealed, and prints what came, one JSON object a file."""

import hashlib
import json
import time

from dock_service.bus import DeviceKind, open_bus
from dock_service.cameras.mtp import MtpCamera


def main() -> None:
    """Print path, listed size, bytes that came, their SHA-256, and the seconds it took."""
    [found] = [device for device in open_bus("libusb").devices() if device.kind is DeviceKind.MTP]
    camera = MtpCamera(found.device, found.port, found.serial)
    for file in camera.list_files():
        digest, count, began = hashlib.sha256(), 0, time.monotonic()
        for piece in camera.read(file):
            digest.update(piece)
            count += len(piece)
        row = {"path": file.path, "size": file.size, "bytes": count, "sha256": digest.hexdigest()}
        print(json.dumps({**row, "seconds": time.monotonic() - began}))
    camera.close()


if __name__ == "__main__":
    main()

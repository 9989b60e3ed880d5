"""A USB/IP server on this machine's loopback, with the `usbip` package's MTP device and the habits of the kernel's own server."""

import contextlib
import socket
import threading
import time

from usbip import protocol
from usbip.classes.device.mtp import MTP
from usbip.core import SPEED_HIGH
from usbip.device import USBDevice


class Store:
    """A file tree in memory, as the package's own example keeps one on disk."""

    description = "Card"

    def __init__(self, files, read_only=True, slow_s=0.0):
        self.files, self.read_only, self._slow_s = dict(files), read_only, slow_s

    def listdir(self, path):
        start = path + "/" if path else ""
        return sorted({name[len(start) :].split("/")[0] for name in self.files if name.startswith(start)})

    def stat(self, path):
        if path in self.files:
            return False, len(self.files[path]), 1_790_000_000
        return True, 0, 1_790_000_000

    def read(self, path, off=0, size=None):
        time.sleep(self._slow_s)
        return self.files[path][off : None if size is None else off + size]

    def remove(self, path):
        del self.files[path]

    def disk_usage(self):
        return 32 << 30, 30 << 30


def mtp_device(store, serial="CAM00001"):
    """Return a device of the `usbip` package that serves a store."""
    device = USBDevice(0x1209, 0x0001, manufacturer="Other", product="Other MTP", serial=serial)
    device.speed = SPEED_HIGH
    device.add(MTP(store, name="Model", manufacturer="Maker", serial=serial))
    device.busid, device.busnum, device.devnum = "1-1", 1, 2
    return device


class Server:
    """Exports one device; one importer at a time, and a device in use, or given back just now, is in no list."""

    def __init__(self, device, busy_after_s=0.0):
        self.device = device
        self._busy_after_s = busy_after_s
        self._free = threading.Event()
        self._connections = []
        self._socket = None
        self.port = 0
        self.imports = 0
        device.reset_io = self._imported  # called at every import
        self.start()

    @property
    def url(self):
        return f"usbip://127.0.0.1:{self.port}"

    def start(self):
        """Listen, on the same port as before if there was one."""
        self._free.set()
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def stop(self):
        """Go away: neither new connections nor old ones."""
        for thing in [self._socket, *self._connections]:
            with contextlib.suppress(OSError):
                thing.shutdown(socket.SHUT_RDWR)
            thing.close()
        self._connections.clear()

    def _accept(self, listening):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        was_free = self._free.is_set()
        protocol.serve_connection(connection, [self.device] if was_free else [])
        if was_free and not self._free.is_set():
            time.sleep(self._busy_after_s)
            self._free.set()

    def _imported(self):
        self._free.clear()
        self.imports += 1


@contextlib.contextmanager
def serving(files, **options):
    """Serve files as a camera over USB/IP on a free port."""
    server = Server(mtp_device(Store(files, slow_s=options.pop("slow_s", 0.0))), **options)
    try:
        yield server
    finally:
        server.stop()

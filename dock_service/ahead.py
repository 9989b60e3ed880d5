"""Reading ahead: the camera is read by a thread of its own while what it gave is hashed, encrypted and written."""

import threading
from collections.abc import Generator
from contextlib import closing
from queue import Empty, Full, Queue

_POLL_S = 0.05
_END = object()


def read_ahead(pieces: Generator[bytes], depth: int = 2) -> Generator[bytes]:
    """Yield the pieces in order, up to `depth` of them read ahead; an error of the source is raised here.

    Left early, the source is closed after the piece it is at, in the thread that reads it.
    """
    queue: Queue[object] = Queue(depth)
    stopped = threading.Event()

    def run() -> None:
        try:
            with closing(pieces):
                for piece in pieces:
                    if not _put(queue, piece, stopped):
                        return
            _put(queue, _END, stopped)
        except BaseException as error:  # noqa: BLE001  handed over whole to the reader, who raises it
            _put(queue, error, stopped)

    thread = threading.Thread(target=run, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, bytes)
            yield item
    finally:
        stopped.set()
        while thread.is_alive():
            try:
                queue.get(timeout=_POLL_S)
            except Empty:
                thread.join(_POLL_S)


def _put(queue: Queue[object], item: object, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            queue.put(item, timeout=_POLL_S)
        except Full:
            continue
        return True
    return False

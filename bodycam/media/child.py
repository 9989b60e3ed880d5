"""The child side of `sandbox`: `python -m bodycam.media.child FD MEMORY_MIB`, started by `Sandbox` only.

It ends when its parent's socket closes. Whatever a reader raises becomes an answer; only a killed process gives none.
"""

import importlib
import io
import json
import logging
import os
import resource
import socket
import sys
from typing import Any, BinaryIO, cast

import structlog

from bodycam.errors import BodycamError
from bodycam.media.sandbox import COUNT, MAX_READ, OP, limit_process, receive
from bodycam.media.source import as_file


class _Remote:
    """Byte ranges of one source, asked of the parent."""

    def __init__(self, channel: socket.socket, index: int, size: int) -> None:
        self._channel = channel
        self._index = index
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        """Ask the parent for a range."""
        self._channel.sendall(OP.pack(b"R", self._index, start, min(length, MAX_READ)))
        (count,) = COUNT.unpack(receive(self._channel, COUNT.size))
        return receive(self._channel, count)


def main() -> None:
    """Serve requests until the parent is gone."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # nobody reads our output
    channel = socket.socket(fileno=int(sys.argv[1]))
    limit_process(int(sys.argv[2]))
    while True:
        try:
            (length,) = COUNT.unpack(receive(channel, COUNT.size))
            request = json.loads(receive(channel, length))
            answer = json.dumps(_answer(channel, request), allow_nan=False).encode()
            channel.sendall(OP.pack(b"A", 0, 0, len(answer)) + answer)
        except (EOFError, OSError):
            return


def _answer(channel: socket.socket, request: dict[str, Any]) -> dict[str, object]:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + request["cpu_s"]) + 1, hard))
    files: list[BinaryIO] = [as_file(_Remote(channel, index, size)) for index, size in enumerate(request["sizes"])]
    module, _, name = request["function"].partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), name)(files, **request["arguments"])}
    except MemoryError:
        return {"error": "read_memory"}
    except BodycamError as error:
        return {"error": error.code, "detail": str(error.values.get("detail", ""))}
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001  the process's edge: the parent logs it and names it to the person
        if isinstance(error.__cause__ or error.__context__, MemoryError):
            return {"error": "read_memory"}
        return {"error": "read_crash", "detail": type(error).__name__}
    finally:
        for file in files:
            cast("io.BufferedReader", file).close()


if __name__ == "__main__":
    main()
    os._exit(0)  # decoders' threads need no farewell

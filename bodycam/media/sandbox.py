"""Run a reader of foreign bytes in a child process with limits of time and memory, so that a decoder's bug takes nobody down.

The child opens no file of ours and holds no key: it asks this process for byte ranges over a socket, and answers with JSON.
A child is kept for several calls; one that dies, hangs or eats too much is ended and the next call starts a new one.
Protocol: parent -> child: length (4 bytes), JSON request. Child -> parent: op "R" + source, offset, length -> that many
bytes preceded by their count; op "A" + length -> the JSON answer.
"""

import json
import os
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import structlog

import bodycam
from bodycam import clock
from bodycam.media.errors import (
    NoPictureError,
    NotPlayableError,
    SandboxCrashError,
    SandboxMemoryError,
    SandboxTimeoutError,
)

_log = structlog.get_logger()
OP = struct.Struct(">cBQQ")  # op, source, offset, length
COUNT = struct.Struct(">I")
MAX_READ = 8 << 20
MAX_ANSWER = 64 << 20
_EXPECTED = {error.code: error for error in (NoPictureError, NotPlayableError)}


@dataclass(frozen=True)
class Limits:
    """What one call may use: seconds of wall clock and of processor, and MiB of address space."""

    wall_s: float = 60.0
    cpu_s: int = 60
    memory_mib: int = 1536


class Sandbox:
    """A child process that reads foreign bytes; use as a context manager."""

    def __init__(self, limits: Limits | None = None) -> None:
        """Nothing is started before the first call."""
        self.limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.close()

    def call(self, function: Callable[..., Any], sources: Sequence[BinaryIO], **arguments: object) -> Any:  # noqa: ANN401  JSON
        """Run `function(files, **arguments)` in the child and return its JSON answer.

        `function` must be a module's public function; `files` are seekable readers of `sources`. Raises a `MediaError`:
        a timeout, too much memory, a crash, or the reader's own refusal; what a source raises on being read goes through.
        """
        request = {
            "function": f"{function.__module__}:{function.__qualname__}",
            "sizes": [source.seek(0, os.SEEK_END) for source in sources],
            "arguments": arguments,
            "cpu_s": self.limits.cpu_s,
        }
        channel = self._start()
        answer: dict[str, Any] | None = None
        try:
            _send_block(channel, json.dumps(request).encode())
            answer = self._serve(channel, sources, clock.monotonic() + self.limits.wall_s)
        except TimeoutError:
            raise SandboxTimeoutError(seconds=self.limits.wall_s) from None
        except (ConnectionError, EOFError) as error:
            raise self._fallen(error) from None
        finally:
            if answer is None:  # also when a source can't be read: the child is left in mid-sentence
                self.close()
        if "error" in answer:
            raise self._refused(answer)
        return answer["result"]

    def close(self) -> None:
        """End the child now."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._socket = self._process = None

    def _start(self) -> socket.socket:
        if self._socket is not None and self._process is not None and self._process.poll() is None:
            return self._socket
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            command = [
                sys.executable,
                "-P",
                "-m",
                "bodycam.media.child",
                str(theirs.fileno()),
                str(self.limits.memory_mib),
            ]
            environment = {
                "PATH": os.defpath,
                "LANG": "C.UTF-8",
                "PYTHONPATH": str(Path(bodycam.__file__).parent.parent),
            }
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
        self._socket = ours
        return ours

    def _serve(self, channel: socket.socket, sources: Sequence[BinaryIO], deadline: float) -> dict[str, Any]:
        while True:
            channel.settimeout(max(deadline - clock.monotonic(), 0.001))
            op, index, offset, length = OP.unpack(receive(channel, OP.size))
            if op == b"A":
                answer: dict[str, Any] = json.loads(receive(channel, min(length, MAX_ANSWER)))
                return answer
            source = sources[index]
            source.seek(offset)
            data = source.read(min(length, MAX_READ))
            _send_block(channel, data)

    def _fallen(self, error: Exception) -> Exception:
        process = self._process
        code = None
        if process is not None:
            try:
                code = process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                code = None
        self.close()
        _log.warning("sandbox_fell", exit_code=code, error=type(error).__name__)
        if code is not None and -code in (24, 9):  # SIGXCPU, or SIGKILL at the hard limit
            return SandboxTimeoutError(seconds=self.limits.cpu_s)
        return SandboxCrashError(detail=f"exit {code}")

    def _refused(self, answer: dict[str, Any]) -> Exception:
        code, detail = str(answer["error"]), str(answer.get("detail", ""))
        if code == "read_memory":
            self.close()  # what is left of its memory is not trusted
            return SandboxMemoryError(mib=self.limits.memory_mib)
        if code in _EXPECTED:
            return _EXPECTED[code](detail=detail)
        return SandboxCrashError(detail=detail)


def receive(channel: socket.socket, length: int) -> bytes:
    """Return exactly `length` bytes; raises EOFError when the other side is gone."""
    parts = bytearray()
    while len(parts) < length:
        part = channel.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise EOFError("the other side is gone")
        parts += part
    return bytes(parts)


def limit_process(memory_mib: int) -> None:
    """Set the lasting limits of the calling process: memory, no core files, few open files."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _send_block(channel: socket.socket, data: bytes) -> None:
    channel.sendall(COUNT.pack(len(data)) + data)

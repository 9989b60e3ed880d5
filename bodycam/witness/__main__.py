"""The witness as a program: three commands, and the HTTP interface of C2SP tlog-witness. Prefer it behind a TLS proxy."""

import argparse
import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .cosigning import KEY_FILE, NUMBER, RefusedError, Witness, WitnessError, init, read_key

LOCK_FILE = "lock"
MAX_REQUEST = 64 * 1024
MAX_CONNECTIONS = 64
READ_S = 10.0


class Handler(BaseHTTPRequestHandler):
    """POST …/add-checkpoint cosigns; GET / tells who this is and how far it has seen."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "witness", ""
    timeout = READ_S
    server: "Server"

    def do_GET(self) -> None:
        """Show the public key and the last head of each log."""
        if self.path != "/":
            return self._answer(404, "not found\n")
        heads = [
            f"{at.size} {at.root.hex()} {at.time} {name}\n" for name, at in sorted(self.server.witness.heads.items())
        ]
        return self._answer(200, f"{self.server.witness.vkey}\n{''.join(heads)}")

    def do_POST(self) -> None:
        """Cosign a checkpoint, or say why not."""
        length = self.headers.get("Content-Length", "")
        if not NUMBER.fullmatch(length) or int(length) > MAX_REQUEST:
            self.close_connection = True
            return self._answer(413, "a request has a length of at most 64 KiB\n")
        data = self.rfile.read(int(length))
        if not self.path.endswith("/add-checkpoint"):
            return self._answer(404, "not found\n")
        try:
            asked, line = self.server.witness.add_checkpoint(data.decode("utf-8", "replace"))
        except RefusedError as refused:
            say(f"{refused.status} {refused.text}")
            if refused.size is not None:
                return self._answer(refused.status, f"{refused.size}\n", "text/x.tlog.size")
            return self._answer(refused.status, f"{refused.text}\n")
        except (WitnessError, OSError) as error:  # a clock that ran back, a full disk: nothing was signed
            say(str(error))
            return self._answer(503, "this witness can't cosign now\n")
        say(f"200 {asked.size} {asked.root.hex()} {asked.origin}")
        return self._answer(200, line)

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's signature
        """Keep quiet: what matters is said once, above."""


class Server(ThreadingHTTPServer):
    """A bounded number of connections, each with a time limit."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        """Listen; requests are taken by `serve_forever`."""
        self.witness = witness
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, Handler)

    def process_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Take a connection when there is room, else close it."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Serve one connection and free its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two processes over one journal could cosign a fork."""
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise WitnessError(f"Đang có bên xác nhận khác chạy ở {folder} / A witness already runs at {folder}") from None
    finally:
        os.close(descriptor)


def say(text: str) -> None:
    """Write a line for the operator."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def sign_file(witness: Witness, path: Path, output: Path) -> str:
    """Cosign the request in a file, write the cosigned checkpoint, and return what to tell the person."""
    with path.open("rb") as file:
        asked, line = witness.add_checkpoint(file.read(MAX_REQUEST).decode("utf-8", "replace"))
    with output.open("x", encoding="utf-8", newline="") as file:
        file.write(asked.note + line)
    return (
        f"Đã xác nhận {asked.size} mục của {asked.origin} / Cosigned {asked.size} entries of {asked.origin}: {output}"
    )


def main(arguments: Sequence[str] | None = None, program: str = "witness") -> int:
    """Run the command line and return the exit code."""
    options = _parser(program).parse_args(arguments)
    try:
        if options.command == "init":
            sys.stdout.write(f"{init(options.dir, options.name, options.second)}\n")
            return 0
        read_key(options.dir / KEY_FILE)
        with only_one(options.dir):
            witness = Witness(options.dir, options.log, options.second)
            if options.command == "sign":
                sys.stdout.write(f"{sign_file(witness, options.file, options.output)}\n")
                return 0
            host, _, port = options.listen.rpartition(":")
            with Server((host, int(port)), witness) as server:
                say(f"{witness.vkey} http://{options.listen}/")
                server.serve_forever()
    except RefusedError as refused:
        sys.stderr.write(f"Không xác nhận / Not cosigned ({refused.status}): {refused.text}\n")
        return 5
    except KeyboardInterrupt:
        return 0
    except (WitnessError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program, description="Bên xác nhận độc lập / An independent witness of a log")
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "init": "Tạo khóa và in khóa công khai / Make the key and print the public one",
        "run": "Chạy (POST /add-checkpoint) / Serve",
        "sign": "Xác nhận một tệp mang đến / Cosign a request brought as a file",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--dir", type=Path, default=Path("witness"), help="key and journal (default: ./witness)")
        command.add_argument("--second", type=Path, metavar="FILE", help="a second journal, on another disk")
        if name == "init":
            command.add_argument("--name", default="", help="such as procuracy.example/w1; never changed later")
            continue
        command.add_argument(
            "--log", action="append", required=True, metavar="VKEY", help="the log's public key; repeatable"
        )
        if name == "run":
            command.add_argument("--listen", default="127.0.0.1:8090", metavar="HOST:PORT")
        else:
            command.add_argument("file", type=Path)
            command.add_argument(
                "-o", "--output", type=Path, required=True, help="the cosigned checkpoint to bring back"
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Logs that may lie, and real witnesses on real sockets, for tests."""

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bodycam.custody import merkle
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.cosignature import Cosigner
from bodycam.custody.note import Signer, encode
from bodycam.custody.policy import Policy
from bodycam.witness.__main__ import Server
from bodycam.witness.cosigning import Witness, init

SIGNER = Signer("bodycam.test/log", b"\x01" * 32)


class Tree:
    """A tree of any leaves; whoever holds its signer can sign whatever it likes."""

    def __init__(self, leaves, signer=SIGNER):
        self.leaves = [merkle.leaf_hash(leaf) for leaf in leaves]
        self.signer = signer

    @classmethod
    def of(cls, size, *, forked_at=None, signer=SIGNER):
        """Return a tree whose leaves from `forked_at` on differ from all others'."""
        return cls(
            [f"{n}{'x' if forked_at is not None and n >= forked_at else ''}".encode() for n in range(size)], signer
        )

    def node(self, level, index):
        return merkle.complete_root(self.leaves[index << level : (index + 1) << level])

    def head(self, size):
        return Checkpoint.sign(self.signer, size, merkle.root(size, self.node))

    def request(self, old, size, *, note=None):
        proof = merkle.consistency_proof(old, size, self.node)
        return "".join([f"old {old}\n", *(f"{encode(item)}\n" for item in proof), "\n", note or self.head(size).note])


def made(folder: Path, number: int = 1, *, logs=None, second=None) -> Witness:
    """Return a witness with its own folder, key and journal."""
    init(folder, f"w{number}.example/w", second)
    return Witness(folder, logs or [str(SIGNER.verifier)], second)


def cosigner(witness: Witness) -> Cosigner:
    return Cosigner.parse(witness.vkey)


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """Serve a witness on a free port; yields its submission prefix."""
    with Server(("127.0.0.1", 0), witness) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Liar:
    """A key whose holder signs anything, and an HTTP server that answers as a test says."""

    def __init__(self, number: int):
        self.key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.cosigner = Cosigner(f"liar{number}.example/w", self.key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        return str(self.cosigner)

    def line(self, body, *, at=None, key=None):
        seconds = int(time.time() if at is None else at)
        signed = (key or self.key).sign(f"cosignature/v1\ntime {seconds}\n{body}".encode())
        return f"— {self.cosigner.name} {encode(self.cosigner.key_id + struct.pack('>Q', seconds) + signed)}\n"


def body_of(request: bytes) -> str:
    """Return the checkpoint's body from a request to cosign it."""
    return request.decode().split("\n\n", 1)[1].rsplit("\n\n", 1)[0] + "\n"


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """Serve POSTs with any function of the handler and the request's data; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            with suppress(OSError):  # the asker had enough
                answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


def reply(status: int, text: str | bytes, kind: str = "text/plain"):
    """Return an answer for `answering`: always this."""

    def answer(handler, _request):
        data = text if isinstance(text, bytes) else text.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def cosigning(liar: Liar, **how):
    """Return an answer for `answering`: a cosignature on whatever is asked, changed as `how` says."""

    def answer(handler, request):
        reply(200, liar.line(how.get("body") or body_of(request), at=how.get("at"), key=how.get("key")))(
            handler, request
        )

    return answer


def policy_of(log_vkey, witnesses, least=2) -> Policy:
    """Return a policy of (vkey, url) pairs named w1, w2, …, `least` of which are a quorum."""
    names = [f"w{number}" for number in range(1, len(witnesses) + 1)]
    lines = [f"witness {name} {vkey} {url}".rstrip() for name, (vkey, url) in zip(names, witnesses, strict=True)]
    return Policy.parse("\n".join([f"log {log_vkey}", *lines, f"group q {least} {' '.join(names)}", "quorum q"]) + "\n")

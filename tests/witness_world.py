"""Logs that may lie, and real witnesses on real sockets, for tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodycam.custody import merkle
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.cosignature import Cosigner
from bodycam.custody.note import Signer, encode
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

"""A proof as text: this entry stands at this index under this signed head (C2SP tlog-proof)."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodycam.custody import merkle
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError
from bodycam.custody.log import Log
from bodycam.custody.note import Verifier, decode, encode
from bodycam.custody.policy import Judged, Policy

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 64


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was read; nothing is believed before `check`."""

    index: int
    hashes: tuple[bytes, ...]
    note: str

    def check(self, entry: bytes, verifier: Verifier) -> Checkpoint:
        """Return the checkpoint under which `entry` is proven.

        Raises:
            NoteError: the checkpoint isn't the log's, or the entry isn't at that place in its tree.
        """
        checkpoint = Checkpoint.open(self.note, verifier)
        self._include(entry, checkpoint)
        return checkpoint

    def judge(self, entry: bytes, policy: Policy) -> Judged:
        """Return what the policy says of the checkpoint under which `entry` is proven.

        Raises:
            NoteError: the checkpoint isn't one of the policy's logs, a witness's line is false, or the entry isn't there.
        """
        judged = policy.judge(self.note)
        self._include(entry, judged.checkpoint)
        return judged

    def _include(self, entry: bytes, checkpoint: Checkpoint) -> None:
        leaf = merkle.leaf_hash(entry)
        if not merkle.check_inclusion(leaf, self.index, checkpoint.size, self.hashes, checkpoint.root):
            raise NoteError(reason="the event is not in the log's tree at that place")


def prove(log: Log, index: int, checkpoint: Checkpoint, *, entry: bytes | None = None) -> str:
    """Return the proof of the entry at `index`; with `entry` given, the text carries it as extra data.

    Raises:
        ValueError: the checkpoint doesn't cover the index.
        LogDamagedError: a tile is missing or cut.
    """
    hashes = merkle.inclusion_proof(index, checkpoint.size, log.tiles.node(checkpoint.size))
    return _format(index, hashes, checkpoint.note, entry)


def parse_proof(text: str) -> Proof:
    """Read a proof; extra data is skipped, since nothing vouches for it.

    Raises:
        NoteError: it isn't in the format.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines.pop(0) != _FIRST_LINE:
        raise NoteError(reason="not a tlog-proof")
    if lines and lines[0].startswith("extra "):
        decode(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise NoteError(reason="the proof has no index")
    index = lines.pop(0).removeprefix("index ")
    if not (index.isascii() and index.isdigit()) or len(index) > 20 or str(int(index)) != index:  # noqa: PLR2004  2^64
        raise NoteError(reason="the proof's index is not a number")
    hashes = tuple(decode(line) for line in lines)
    if len(hashes) > _MAX_HASHES or any(len(item) != merkle.HASH_SIZE for item in hashes):
        raise NoteError(reason="the proof's hashes are malformed")
    return Proof(int(index), hashes, note)


def _format(index: int, hashes: Sequence[bytes], note: str, entry: bytes | None) -> str:
    lines = [_FIRST_LINE]
    if entry is not None:
        lines.append(f"extra {encode(entry)}")
    lines.append(f"index {index}")
    lines.extend(encode(item) for item in hashes)
    return "\n".join(lines) + "\n\n" + note

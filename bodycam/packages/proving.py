"""What in a package is proven by cryptography: heads of the log, events under them, what opens an event's commitments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bodycam.custody import merkle
from bodycam.custody.canonical import canonical
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError, ReceiptError
from bodycam.custody.leaf import CONTENT, MAX_LEAF, commitment
from bodycam.custody.note import decode, split_note
from bodycam.custody.policy import NO_QUORUM, Policy
from bodycam.custody.proof import Proof, parse_proof
from bodycam.custody.receipt import VerifiedReceipt, verify_receipt
from bodycam.packages.documents import ContentOpening, DocumentError, EventDocument, ValueOpening, as_model
from bodycam.packages.layout import MAX_CHECKPOINT

_MAX_SIZE = 2**53 - 1


class UnprovenError(ValueError):
    """Something isn't proven; `code` is the reason's."""

    def __init__(self, code: str) -> None:
        """Name the reason's code."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Head:
    """A head of the log that the policy believes; `witnesses` by the policy's names with their times (UTC)."""

    checkpoint: Checkpoint
    witnesses: tuple[tuple[str, datetime], ...]
    quorum: bool


@dataclass(frozen=True)
class ProvenEvent:
    """An event that stands in the log; `openings` were checked against its commitments."""

    index: int
    leaf: Mapping[str, Any]
    openings: Mapping[str, Mapping[str, Any]]

    def says(self, name: str) -> Any:  # noqa: ANN401  JSON of a leaf
        """Return a value of the event's details, or None."""
        details = self.leaf.get("details")
        return details.get(name) if isinstance(details, Mapping) else None

    def value(self, name: str) -> str | None:
        """Return an opened private value, or None."""
        return self.openings.get(name, {}).get("value")


def judge(policy: Policy, note: str) -> Head:
    """Check a checkpoint under the policy; `quorum none` never counts as reached.

    Raises:
        UnprovenError: log_unknown, or checkpoint_false.
    """
    try:
        if len(note.encode()) > MAX_CHECKPOINT:
            raise UnprovenError("checkpoint_false")
        _, signatures = split_note(note)
    except (NoteError, ValueError):
        raise UnprovenError("checkpoint_false") from None
    known = {(log.name, log.key_id) for log in policy.logs}
    if not any((name, signature[:4]) in known for name, signature in signatures):
        raise UnprovenError("log_unknown")
    try:
        judged = policy.judge(note)
    except (NoteError, ValueError):
        raise UnprovenError("checkpoint_false") from None
    if judged.checkpoint.size > _MAX_SIZE:
        raise UnprovenError("checkpoint_false")
    return Head(judged.checkpoint, judged.witnesses, judged.quorum and policy.quorum != NO_QUORUM)


def leaf_of(event: Mapping[str, Any]) -> bytes:
    """Return the leaf of an event; raises UnprovenError when it is longer than the log takes."""
    leaf = canonical(event).encode()
    if len(leaf) > MAX_LEAF:
        raise UnprovenError("event_false")
    return leaf


def read_proof(text: str) -> Proof:
    """Read a tlog-proof without extra data.

    Raises:
        UnprovenError: proof_false.
    """
    try:
        proof = parse_proof(text)
    except (NoteError, ValueError):
        raise UnprovenError("proof_false") from None
    if text.split("\n", 2)[1].startswith("extra"):
        raise UnprovenError("proof_false")
    return proof


def includes(proof: Proof, leaf: bytes, checkpoint: Checkpoint) -> bool:
    """Say whether the proof leads from the leaf to the root of a checked head."""
    return merkle.check_inclusion(
        merkle.leaf_hash(leaf), proof.index, checkpoint.size, proof.hashes, checkpoint.root
    )  # fmt: skip


def continues(old: Checkpoint, new: Checkpoint, hashes: Sequence[str]) -> bool:
    """Say whether the tree of `new` begins with that of `old`, both heads checked before."""
    try:
        proof = [decode(text) for text in hashes]
    except NoteError:
        return False
    if any(len(item) != merkle.HASH_SIZE for item in proof) or old.origin != new.origin or not old.size:
        return False
    return merkle.check_consistency(old.size, new.size, proof, old.root, new.root)


def stamps(text: bytes, head: Checkpoint, hashes: Sequence[str]) -> bool:
    """Say whether a stamped text is an earlier head of the log of `head`: no signature is needed, the consistency proves it."""
    try:
        _, size, root = text.decode().removesuffix("\n").split("\n")
        old = Checkpoint(head.origin, int(size), decode(root), "")
    except (NoteError, ValueError):
        return False
    return old.body.encode() == text and continues(old, head, hashes)


def prove_event(document: EventDocument, proof_text: str, head: Checkpoint) -> ProvenEvent:
    """Check an event file with its proof under the package's head.

    Raises:
        UnprovenError: event_false.
    """
    try:
        proof = read_proof(proof_text)
        is_there = proof.index == document.index and proof.note == head.note
        is_proven = is_there and includes(proof, leaf_of(document.event), head)
        fits = all(_opens(document.event, name, opening) for name, opening in document.openings.items())
    except (DocumentError, UnprovenError, ValueError):
        is_proven = fits = False
    if not is_proven or not fits:
        raise UnprovenError("event_false")
    return ProvenEvent(document.index, document.event, document.openings)


def check_receipt(policy: Policy, text: str) -> VerifiedReceipt:
    """Check a receipt under any log of the policy; raises UnprovenError: receipt_false."""
    for log in policy.logs:
        try:
            return verify_receipt(text, log)
        except (ReceiptError, NoteError, ValueError, RecursionError):
            continue
    raise UnprovenError("receipt_false")


def _opens(leaf: Mapping[str, Any], name: str, opening: Mapping[str, Any]) -> bool:
    as_model(ContentOpening if name == CONTENT else ValueOpening, opening)
    commitments = leaf.get("commitments")
    return isinstance(commitments, Mapping) and commitments.get(name) == commitment(opening)

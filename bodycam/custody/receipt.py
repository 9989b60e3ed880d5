"""Checking a receipt (biên nhận) by itself: with the log's public key, or a policy, and nothing else. Needs no database."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, canonical, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError, ReceiptError
from bodycam.custody.leaf import CONTENT, commitment
from bodycam.custody.note import Verifier
from bodycam.custody.policy import Judged, Policy
from bodycam.custody.proof import parse_proof

SCHEMA = "bodycam/receipt/1"
_MAX_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a checked receipt proves; `sha256` (hex) and `size` (bytes) when it opens a file's commitment."""

    event: Mapping[str, JSON]
    index: int
    leaf_hash: str
    checkpoint: Checkpoint
    sha256: str | None
    size: int | None
    judged: Judged | None = None  # what the policy says of the witnesses, when one was given


def verify_receipt(text: str, trusted: Verifier | Policy) -> VerifiedReceipt:
    """Check a receipt by itself, without database or network; with a policy, say too who witnessed it.

    Raises:
        ReceiptError: it was altered or cut, or is of another log; nothing in it may be believed.
    """
    try:
        event, openings, lines = read_receipt(text)
        if dump_receipt(event, openings, lines) != text:
            raise ReceiptError(reason="it is not written in its one form")
        leaf = canonical(event).encode()
        proof = parse_proof("\n".join(lines) + "\n")
        judged = None
        if isinstance(trusted, Policy):
            judged = proof.judge(leaf, trusted)
            checkpoint = judged.checkpoint
        else:
            checkpoint = proof.check(leaf, trusted)
        commitments = event.get("commitments", {})
        for name, opening in openings.items():
            if not isinstance(commitments, Mapping) or commitments.get(name) != commitment(opening):
                raise ReceiptError(reason=f"the opening {name!r} doesn't fit the event")
    except NoteError as error:
        raise ReceiptError(reason=error.values["reason"]) from None
    except (ValueError, TypeError) as error:
        raise ReceiptError(reason=str(error)) from None
    content = openings.get(CONTENT, {})
    sha256, size = content.get("sha256"), content.get("size")
    return VerifiedReceipt(
        event=event,
        index=proof.index,
        leaf_hash=merkle.leaf_hash(leaf).hex(),
        checkpoint=checkpoint,
        sha256=sha256 if isinstance(sha256, str) else None,
        size=size if isinstance(size, int) else None,
        judged=judged,
    )


def dump_receipt(event: Mapping[str, JSON], openings: Mapping[str, JSON], proof: Sequence[str]) -> str:
    """Return the one text of a receipt."""
    receipt = {"schema": SCHEMA, "event": event, "openings": openings, "proof": list(proof)}
    return json.dumps(receipt, ensure_ascii=False, indent=1) + "\n"


def read_receipt(text: str) -> tuple[Mapping[str, JSON], dict[str, Mapping[str, JSON]], list[str]]:
    """Return a receipt's event, openings and proof lines, unchecked; raises ReceiptError, ValueError."""
    if len(text) > _MAX_TEXT:
        raise ReceiptError(reason="it is far too long")
    match parse(text):
        case {
            "schema": str() as schema,
            "event": dict() as event,
            "openings": dict() as openings,
            "proof": list() as proof,
        } if schema == SCHEMA:
            if not all(isinstance(item, dict) for item in openings.values()):
                raise ReceiptError(reason="an opening is malformed")
            if not all(isinstance(line, str) for line in proof):
                raise ReceiptError(reason="the proof is malformed")
            return event, openings, proof
    raise ReceiptError(reason=f"it is not a {SCHEMA}")

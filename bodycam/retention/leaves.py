"""Reading the log's own words: what an event says, and whether it provably stands in the log."""

from collections.abc import Mapping
from datetime import datetime

from bodycam.custody import merkle
from bodycam.custody.canonical import JSON, parse
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError
from bodycam.custody.leaf import commitment
from bodycam.custody.log import Log
from bodycam.custody.models import CustodyEvent
from bodycam.custody.proof import parse_proof, prove
from bodycam.custody.service import openings_of


def leaf_of(event: CustodyEvent) -> Mapping[str, JSON]:
    """Return an event's leaf."""
    leaf = parse(event.body)
    return leaf if isinstance(leaf, Mapping) else {}


def details_of(event: CustodyEvent) -> Mapping[str, JSON]:
    """Return what an event tells besides its common fields."""
    details = leaf_of(event).get("details")
    return details if isinstance(details, Mapping) else {}


def time_of(event: CustodyEvent) -> datetime:
    """Return when an event was written, by the server's clock as the leaf has it (UTC)."""
    return datetime.fromisoformat(str(leaf_of(event)["time"]))


def private_of(event: CustodyEvent, name: str) -> str | None:
    """Return a private value that the leaf's commitment still confirms, else None."""
    opening = openings_of(event).get(name)
    commitments = leaf_of(event).get("commitments")
    if opening is None or not isinstance(commitments, Mapping):
        return None
    try:
        fits = commitments.get(name) == commitment(opening)
    except ValueError:
        return None
    return str(opening.get("value")) if fits else None


def leaf_hash(event: CustodyEvent) -> str:
    """Return the hash (hex) under which the log's tree holds an event."""
    return merkle.leaf_hash(event.body.encode()).hex()


def is_proven(log: Log, checkpoint: Checkpoint, event: CustodyEvent) -> bool:
    """Whether an event, byte for byte, stands in the log under this signed checkpoint; a row alone proves nothing."""
    if event.log_index is None or event.log_index >= checkpoint.size:
        return False
    try:
        parse_proof(prove(log, event.log_index, checkpoint)).check(event.body.encode(), log.verifier)
    except NoteError:
        return False
    return True

"""Witnesses without a line: what is to be cosigned goes out as a file or QR code, the cosigned checkpoint comes back as one.

The file that goes out is the request of tlog-witness as it would be posted; the one that comes back is the checkpoint as a note
with the witness's line. Nothing in it is believed before its signatures are checked.
"""

from contextlib import suppress
from datetime import timedelta

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.canonical import JSON
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import write_durably
from bodycam.custody.errors import LogForkError, NoteError
from bodycam.custody.log import Log
from bodycam.custody.note import split_note
from bodycam.custody.policy import Policy, Witness
from bodycam.custody.receipts import upgrade
from bodycam.custody.service import record
from bodycam.custody.witness_client import CLOCK_SLACK, Answer, check_line
from bodycam.custody.witnessing import note_answer, publish
from bodycam.db import Database

EXPORTED_FILE = "exported"
QR_BYTES = 2_953  # the largest QR code, version 40 with the lowest correction (ISO/IEC 18004, table 7)
_OLDEST = timedelta(days=90)


def checkpoint_for(log: Log, known: int, *, new: bool = False) -> Checkpoint | None:
    """Return the checkpoint to take to a witness that cosigned `known` entries last, and remember it; None before the first.

    Witnesses make a quorum on one checkpoint, so the one taken to the last of them is taken to the next, until a quorum covers
    it, this witness has cosigned it or `new` is asked for.
    """
    path = log.dir / EXPORTED_FILE
    current, witnessed = log.checkpoint(), log.witnessed_checkpoint()
    if path.exists() and not new:
        with suppress(NoteError):
            before = Checkpoint.open(path.read_text("utf-8"), log.verifier)
            if before.size > max(known, witnessed.size if witnessed else 0):
                return before
    if current is not None:
        write_durably(path, current.note.encode())
    return current


def import_cosigned(db: Database, log: Log, policy: Policy, text: str, *, actor: str) -> list[Witness]:
    """Take in a cosigned checkpoint: keep the lines that hold, publish it when they make a quorum, and say whose they are.

    Raises:
        NoteError: it isn't a checkpoint of this log, no known witness signed it, or a line's time can't be.
        LogForkError: this log's key signed another tree of that size: somebody forked it.
    """
    checkpoint = Checkpoint.open(text, log.verifier)
    own = log.checkpoint()
    if (
        own is None
        or checkpoint.size > own.size
        or merkle.root(checkpoint.size, log.tiles.node(checkpoint.size)) != checkpoint.root
    ):
        raise LogForkError(
            reason=f"a checkpoint of {checkpoint.size} came back that this log doesn't begin with",
            reason_vi=f"điểm {checkpoint.size} mang về không thuộc nhật ký này",
        )
    lines = "".join(f"{line}\n" for line in text.rpartition("\n\n")[2].split("\n") if line)
    bare = Checkpoint(checkpoint.origin, checkpoint.size, checkpoint.root, _only_log(text, log))
    found = {witness.name: check_line(witness, bare, lines) for witness in policy.witnesses.values()}
    good = {name: item for name, item in found.items() if item is not None}
    if not good:
        raise NoteError(reason="no witness of the policy cosigned it")
    for _, signed_at in good.values():
        if not -_OLDEST < signed_at - clock.now() < CLOCK_SLACK:
            raise NoteError(reason=f"it says it was cosigned at {signed_at:%d/%m/%Y %H:%M}")
    with db.write() as session:
        for name, (line, signed_at) in good.items():
            note_answer(session, policy.witnesses[name], bare, Answer(line, signed_at))
        details: dict[str, JSON] = {
            "size": bare.size,
            "witnesses": sorted(policy.witnesses[name].cosigner.name for name in good),
        }
        record(session, "witness.cosignature_imported", object_id="witnesses", actor=actor, details=details)
    published = publish(db, log, policy, bare)
    if published is not None:
        upgrade(db, log, published)
    return [policy.witnesses[name] for name in good]


def _only_log(text: str, log: Log) -> str:
    """Return the note with the log's own signature lines alone."""
    body, signatures = split_note(text)
    lines = text[len(body) + 1 :].splitlines(keepends=True)
    own = [
        line
        for line, (name, signature) in zip(lines, signatures, strict=True)
        if (name, signature[:4]) == (log.verifier.name, log.verifier.key_id)
    ]
    return f"{body}\n{''.join(own)}"

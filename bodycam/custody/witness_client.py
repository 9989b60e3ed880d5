"""Asks one witness for its cosignature over HTTP (C2SP tlog-witness), believing nothing it says.

Whatever a witness answers (another root, another key, another time, garbage, a gigabyte, nothing) costs at most the time limit
and a few kilobytes, and never harms the log.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from bodycam import clock
from bodycam.custody import merkle
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.errors import NoteError
from bodycam.custody.fetch import AWAY, post
from bodycam.custody.log import Log
from bodycam.custody.note import encode
from bodycam.custody.policy import Witness

MAX_ANSWER = 16 * 1024
CLOCK_SLACK = timedelta(minutes=5)
_CONFLICT = 409
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class Trouble(StrEnum):
    """Why a witness gave no good cosignature."""

    AWAY = "away"  # no answer in time, or none of this protocol
    REFUSED = "refused"  # it doesn't know the log, or finds the signature or the proof false
    OTHER_ROOT = "other_root"  # it cosigned another tree of the same size
    AHEAD = "ahead"  # it cosigned a larger log than there is here
    ROLLED_BACK = "rolled_back"  # it forgot what it cosigned
    FALSE = "false"  # it signed something else, or with another key
    WRONG_TIME = "wrong_time"  # its clock is far off

    @property
    def contradicts(self) -> bool:
        """Whether somebody must look: log and witness say different things."""
        return self is not Trouble.AWAY


@dataclass(frozen=True, slots=True)
class Answer:
    """A good cosignature (its line and time), a trouble, or both: a witness that forgot may sign all the same."""

    line: str | None = None
    signed_at: datetime | None = None
    trouble: Trouble | None = None


def ask(witness: Witness, log: Log, checkpoint: Checkpoint, known: int, *, timeout_s: float) -> Answer:
    """Ask for a cosignature on `checkpoint`; `known` is the size it cosigned last as far as we know.

    Raises:
        LogDamagedError: a tile that the proof needs is missing or cut.
    """
    forgot = None
    for _ in range(2):
        try:
            request = request_text(log, known, checkpoint).encode()
            url = f"{witness.url.rstrip('/')}/add-checkpoint"
            status, data = post(url, request, kind="text/plain", timeout_s=timeout_s, limit=MAX_ANSWER)
        except AWAY:
            return Answer(trouble=Trouble.AWAY)
        told = _SIZE.fullmatch(data)
        if status != _CONFLICT or told is None:
            break
        size = int(told[1])
        if size > checkpoint.size:
            return Answer(trouble=Trouble.AHEAD)
        if size == known:
            return Answer(trouble=Trouble.OTHER_ROOT)
        forgot = Trouble.ROLLED_BACK if size < known else None
        known = size
    return _read(witness, checkpoint, status, data, forgot)


def request_text(log: Log, old: int, checkpoint: Checkpoint) -> str:
    """Return the request of tlog-witness, "add-checkpoint": the old size, its consistency proof and the checkpoint.

    Raises:
        ValueError: the old size is larger than the checkpoint's.
        LogDamagedError: a tile is missing or cut.
    """
    proof = merkle.consistency_proof(old, checkpoint.size, log.tiles.node(checkpoint.size))
    return "\n".join([f"old {old}", *(encode(item) for item in proof), "", checkpoint.note])


def check_line(witness: Witness, checkpoint: Checkpoint, text: str) -> tuple[str, datetime] | None:
    """Return the witness's line among those of `text` and its time, if it holds for the checkpoint; else None."""
    lines = [line for line in text.split("\n") if line.startswith(f"— {witness.cosigner.name} ")]
    with suppress(NoteError):
        for line in lines:
            signed_at = witness.cosigner.signed_at(f"{checkpoint.note}{line}\n")
            if signed_at is not None:
                return f"{line}\n", signed_at
    return None


def _read(witness: Witness, checkpoint: Checkpoint, status: int, data: bytes, forgot: Trouble | None) -> Answer:
    if status != HTTPStatus.OK:
        refusals = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
        return Answer(trouble=Trouble.REFUSED if status in refusals | {_CONFLICT} else Trouble.AWAY)
    found = check_line(witness, checkpoint, data.decode("utf-8", "replace"))
    if found is None:
        return Answer(trouble=Trouble.FALSE)
    if abs(found[1] - clock.now()) > CLOCK_SLACK:
        return Answer(trouble=Trouble.WRONG_TIME)
    return Answer(*found, trouble=forgot)

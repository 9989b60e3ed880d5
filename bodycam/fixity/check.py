"""One copy is read back whole, and when it isn't as it was sealed, repaired from a copy that is.

What is right is never a vote: the object's name is the hash of its sealed bytes, and the log says which name was sealed; the
envelope and the manifest are right when they open. A damaged copy is told in the log before anything is written over it, and
stays as it is while no other copy is whole. What a disposition destroys is never brought back.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.canonical import JSON
from bodycam.custody.models import CustodyEvent
from bodycam.errors import BodycamError
from bodycam.fixity.models import CopyState, VaultCopy
from bodycam.jobs import service as jobs
from bodycam.recordings.models import Recording, Rendition
from bodycam.runtime import Runtime
from bodycam.vault.envelope import read_key, write_envelope
from bodycam.vault.places import VerifyResult

AWAY = "place_away"
SPARED = "recording.spared"  # begun, then held: what is left stays, under the batch's object
GONE = ("recording.destroying", "recording.destroyed")  # retention's: intent and end of a destruction
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checked:
    """What one check found, and from which place the copy was then repaired ("" if it was not)."""

    place: str
    result: VerifyResult
    repaired_from: str = ""

    @property
    def ok(self) -> bool:
        """Return whether the copy is sound now."""
        return self.result.ok or self.repaired_from != ""


class Checker:
    """Checks copies for one run of a scrub: a round, or the clock's share (`run_id` names it in events and jobs)."""

    def __init__(self, rt: Runtime, actor: str, run_id: str) -> None:
        """`actor` is an account's id or "system"."""
        self._rt = rt
        self._actor = actor
        self._run_id = run_id

    def check(self, object_id: str, place: str) -> Checked:
        """Read one copy back; repair it if need and another copy allow. A sound copy is only noted by `save`."""
        result = self._rt.vault.verify_copy(object_id, place)
        if result.ok or AWAY in result.problems:
            return Checked(place, result)
        with self._rt.db.write() as session:
            if is_destroyed(session, object_id):
                self._note(session, object_id, place, CopyState.DESTROYED, result)
                return Checked(place, VerifyResult(object_id, result.cipher_size))
            self._tell_damage(session, place, result)
        source = self._repair(object_id, place, result)
        if not source:
            with self._rt.db.write() as session:
                session.get_one(VaultCopy, (object_id, place)).verified_at = clock.now()
            return Checked(place, result)
        size = self._rt.vault.place(place).size(object_id)
        with self._rt.db.write() as session:
            is_gone = is_destroyed(session, object_id)
            if not is_gone:
                self._tell_repair(session, place, source, result, size)
        if not is_gone:
            return Checked(place, result, source)
        self._rt.vault.place(place).remove(object_id)  # its destruction began while the bytes were copied
        with self._rt.db.write() as session:
            self._note(session, object_id, place, CopyState.DESTROYED, VerifyResult(object_id, 0))
        return Checked(place, VerifyResult(object_id, 0))

    def save(self, batch: list[Checked]) -> None:
        """Note sound copies in one transaction; one that had been damaged has its recording checked anew."""
        if not batch:
            return
        with self._rt.db.write() as session:
            for checked in batch:
                if checked.result.ok:
                    result = checked.result
                    row = session.get(VaultCopy, (result.object_id, checked.place))
                    if row is not None and row.state == CopyState.DESTROYED:
                        continue
                    was_damaged = row is not None and row.problems != ""
                    self._note(session, result.object_id, checked.place, CopyState.PRESENT, result)
                    if was_damaged:
                        self._recheck(session, result.object_id)

    def _repair(self, object_id: str, place: str, result: VerifyResult) -> str:
        """Return from which place the copy was made whole again, "" when none could help."""
        for other in [other.name for other in self._rt.vault.places if other.name != place]:
            try:
                if set(result.problems) <= {"envelope_damaged", "key_missing"} and self._mend(object_id, place, other):
                    return other
                self._rt.vault.repair(object_id, other, place)
            except BodycamError as error:
                _log.warning("fixity.not_repaired", object=object_id, place=place, source=other, error=error.code)
                continue
            return other
        return ""

    def _mend(self, object_id: str, place: str, other: str) -> bool:
        """Write a damaged envelope anew from the other copy's, whatever else is wrong with that copy."""
        vault = self._rt.vault
        key = read_key(object_id, vault.place(other).beside(object_id, ".env"), vault.keyring)
        vault.place(place).replace_envelope(object_id, write_envelope(object_id, key, vault.keyring))
        return vault.verify_copy(object_id, place).ok

    def _tell_damage(self, session: Session, place: str, result: VerifyResult) -> None:
        object_id = result.object_id
        state = CopyState.MISSING if "object_missing" in result.problems else CopyState.DAMAGED
        row = session.get(VaultCopy, (object_id, place))
        was_here = row is None or row.written_at is not None or row.verified_at is not None
        self._note(session, object_id, place, state, result, is_done=False)
        if was_here or state is CopyState.DAMAGED:  # else the place is newer than the object: never written there yet
            details: dict[str, JSON] = {"object": object_id, "problems": list(result.problems)}
            self._record(session, "fixity.damaged", object_id, details | {"place": place, "round": self._run_id})
            self._recheck(session, object_id)

    def _tell_repair(self, session: Session, place: str, source: str, result: VerifyResult, size: int) -> None:
        object_id = result.object_id
        self._note(session, object_id, place, CopyState.PRESENT, VerifyResult(object_id, size), written=True)
        details: dict[str, JSON] = {"object": object_id, "problems": list(result.problems)}
        details |= {"place": place, "from": source, "round": self._run_id}
        self._record(session, "fixity.repaired", object_id, details)
        self._recheck(session, object_id, "repaired")

    def _record(self, session: Session, kind: str, object_id: str, details: dict[str, JSON]) -> None:
        owner = session.scalar(select(Recording.id).where(Recording.object_id == object_id)) or object_id
        custody.record(session, kind, object_id=owner, actor=self._actor, details=details)

    def _note(
        self,
        session: Session,
        object_id: str,
        place: str,
        state: CopyState,
        result: VerifyResult,
        *,
        written: bool = False,
        is_done: bool = True,
    ) -> None:
        """Bring a copy's row up; unless `is_done` it counts as unread, and whoever goes on after a kill reads it again."""
        row = session.get(VaultCopy, (object_id, place))
        if row is None:
            row = VaultCopy(object_id=object_id, place=place)
            session.add(row)
        row.state, row.problems = state, ",".join(result.problems)
        if is_done:
            row.verified_at = clock.now()
        row.cipher_size = result.cipher_size or row.cipher_size or 0
        if written:
            row.written_at = row.verified_at

    def _recheck(self, session: Session, object_id: str, why: str = "") -> None:
        recording_id = session.scalar(select(Recording.id).where(Recording.object_id == object_id))
        if recording_id is not None:
            key = f"recording.recheck:{recording_id}:{self._run_id}{why}"
            jobs.enqueue(session, "recording.recheck", {"recording_id": recording_id}, key=key)


def is_destroyed(session: Session, object_id: str) -> bool:
    """Tell whether the log says that this object was, or is being, destroyed."""
    owner = session.scalar(select(Recording.id).where(Recording.object_id == object_id))
    if owner is None:
        owner = session.scalar(select(Rendition.recording_id).where(Rendition.object_id == object_id).limit(1))
    if owner is None:
        return False
    gone = custody.history(session, owner, only=CustodyEvent.kind.in_(GONE))
    if not gone or gone[-1].kind == GONE[1]:
        return bool(gone)
    spared = select(CustodyEvent.id).where(
        CustodyEvent.kind == SPARED, CustodyEvent.id > gone[-1].id, CustodyEvent.body.contains(owner, autoescape=True)
    )
    return session.scalar(spared.limit(1)) is None

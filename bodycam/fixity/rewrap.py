"""Replacing the vault's key: every envelope of every copy is wrapped anew, and nothing sealed is renamed or re-encrypted.

The new key wraps from the first moment on; the old one stays beside it until a whole pass over every place found nothing that
needs it. A pass may be interrupted at any moment: what was done is current, and the next pass goes over it. The same pass brings
envelopes to the escrow keys there are now, writes a damaged envelope anew from another copy's, and after the loss of the
vault's key opens them by way of escrow.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.custody.models import CustodyEvent
from bodycam.runtime import Runtime
from bodycam.vault import chunked
from bodycam.vault.envelope import is_current, read_escrowed, read_key, write_envelope
from bodycam.vault.errors import DamagedObjectError, KeyMissingError, ObjectMissingError, PlaceAwayError, VaultIoError
from bodycam.vault.escrow import EscrowKey
from bodycam.vault.keyring import VaultKey
from bodycam.vault.places import Place

SETTLED_AFTER = timedelta(hours=1)  # whoever wrapped with the old key a moment before has long written it down
_MOST_NAMED = 1000
_UNREACHED = (PlaceAwayError, VaultIoError)


class Outcome(StrEnum):
    """What became of one envelope."""

    CURRENT = "current"
    REWRAPPED = "rewrapped"
    MENDED = "mended"  # it was damaged; written anew by a data key from elsewhere
    LOST = "lost"  # damaged, or for a key we don't have, in every copy
    AWAY = "away"  # its place can't be reached


@dataclass(frozen=True)
class Step:
    """One envelope of one place, and how far this pass is."""

    place: str
    object_id: str
    outcome: Outcome
    done: int
    total: int


@dataclass(frozen=True)
class Report:
    """A whole pass: envelopes by outcome, what couldn't be opened (at most 1,000), old keys retired, and why others are kept."""

    counts: dict[Outcome, int]
    lost: tuple[tuple[str, str], ...]
    retired: tuple[str, ...]
    kept: tuple[tuple[str, str, str], ...]  # key id, reason in Vietnamese, in English


def replace_key(rt: Runtime, actor: str) -> str:
    """Make a new key for the vault unless a replacement is under way; return the id of the key that wraps now."""
    if not rt.keyring.older:
        old = rt.keyring.key_id

        def announce(key_id: str) -> None:
            with rt.db.write() as session:
                _record_once(session, "key.rotated", key_id, actor, {"replaces": old})

        rt.keyring.replace(clock.now(), announce)
    for place in rt.vault.places:
        try:
            place.bind()
        except _UNREACHED:  # it learns of the new key when it's back
            continue
    return rt.keyring.key_id


class Rewrap:
    """One pass over all envelopes. Iterate `steps` to the end, then `finish`; leaving earlier loses nothing."""

    def __init__(self, rt: Runtime, rewrap_rest: Callable[[], int], escrow: EscrowKey | None = None) -> None:
        """`rewrap_rest` does it for what is wrapped outside the vault and returns how much still needs an older key."""
        self._rt = rt
        self._rewrap_rest = rewrap_rest
        self._escrow = escrow
        self._counts = dict.fromkeys(Outcome, 0)
        self._lost: list[tuple[str, str]] = []
        self._is_through = False

    def steps(self) -> Generator[Step, None, None]:
        """Go over the envelopes place by place."""
        total = sum(self._count(place) for place in self._rt.vault.places)
        done = 0
        for place in self._rt.vault.places:
            try:
                for object_id in place.ids():
                    done += 1
                    outcome = self._one(place, object_id)
                    self._note(place, object_id, outcome)
                    yield Step(place.name, object_id, outcome, done, total)
            except _UNREACHED:
                self._note(place, "", Outcome.AWAY)
        self._is_through = True

    def finish(self, actor: str) -> Report:
        """Do the rest, then retire the older keys that nothing needs; call when `steps` has come to its end."""
        left = self._rewrap_rest()
        retired, kept = [], []
        for key in self._rt.keyring.older:
            reason = self._reason_to_keep(key, left)
            if reason is None:
                self._retire(key, actor)
                retired.append(key.key_id)
            else:
                kept.append((key.key_id, *reason))
        return Report(self._counts, tuple(self._lost), tuple(retired), tuple(kept))

    def _one(self, place: Place, object_id: str) -> Outcome:
        try:
            envelope = place.beside(object_id, ".env")
        except ObjectMissingError:  # destroyed meanwhile
            return Outcome.CURRENT
        except DamagedObjectError:
            envelope = b""
        keyring = self._rt.keyring
        if is_current(object_id, envelope, keyring):
            return Outcome.CURRENT
        key, outcome = self._key(place, object_id, envelope)
        if key is None:
            return outcome
        place.replace_envelope(object_id, write_envelope(object_id, key, keyring))
        return outcome

    def _key(self, place: Place, object_id: str, envelope: bytes) -> tuple[bytes | None, Outcome]:
        try:
            return read_key(object_id, envelope, self._rt.keyring), Outcome.REWRAPPED
        except (DamagedObjectError, KeyMissingError):
            pass
        key = self._by_escrow(place, object_id, envelope)
        if key is not None:
            return key, Outcome.REWRAPPED
        for other in self._rt.vault.places:
            try:
                theirs = other.beside(object_id, ".env")
                return read_key(object_id, theirs, self._rt.keyring), Outcome.MENDED
            except (DamagedObjectError, KeyMissingError, ObjectMissingError, *_UNREACHED):
                continue
        return None, Outcome.LOST

    def _by_escrow(self, place: Place, object_id: str, envelope: bytes) -> bytes | None:
        """Return the key if it came from escrow and fits the object: anybody can wrap something for escrow."""
        if self._escrow is None:
            return None
        try:
            key = read_escrowed(object_id, envelope, self._escrow)
            chunked.Chunks(place.read(object_id, 0, chunked.HEADER), key, chunked.OBJECT)
        except (DamagedObjectError, KeyMissingError, ObjectMissingError, chunked.BrokenMessageError):
            return None
        return key

    def _count(self, place: Place) -> int:
        try:
            return sum(1 for _ in place.ids())
        except _UNREACHED:
            return 0

    def _note(self, place: Place, object_id: str, outcome: Outcome) -> None:
        self._counts[outcome] += 1
        if outcome is Outcome.LOST and len(self._lost) < _MOST_NAMED:
            self._lost.append((place.name, object_id))

    def _reason_to_keep(self, key: VaultKey, left: int) -> tuple[str, str] | None:
        lost, away = self._counts[Outcome.LOST], self._counts[Outcome.AWAY]
        settled_at = (key.replaced_at or clock.now()) + SETTLED_AFTER
        rules = [
            (not self._is_through, "lượt gói lại chưa đi hết kho", "the pass didn't come to its end"),
            (away > 0, "có nơi lưu không truy cập được", "a place can't be reached"),
            (lost > 0, f"{lost} phong bì khóa không mở được", f"{lost} envelopes can't be opened"),
            (left > 0, f"{left} mục ngoài kho còn dùng khóa này", f"{left} things outside the vault still need it"),
            (clock.now() < settled_at, f"khóa mới bị thay, chờ đến {_when(settled_at)}",
             f"it was replaced just now: wait until {_when(settled_at)}"),
        ]  # fmt: skip
        return next(((vi, en) for holds, vi, en in rules if holds), None)

    def _retire(self, key: VaultKey, actor: str) -> None:
        for place in self._rt.vault.places:
            place.bind(retired=key.key_id)
        with self._rt.db.write() as session:
            _record_once(session, "key.retired", key.key_id, actor, {"by": self._rt.keyring.key_id})
        self._rt.keyring.retire(key.key_id)


def _record_once(session: Session, kind: str, key_id: str, actor: str, details: dict[str, str]) -> None:
    """Record an event of a key unless a try that was killed has recorded it."""
    query = select(CustodyEvent.id).where(CustodyEvent.object_id == key_id, CustodyEvent.kind == kind)
    if session.scalar(query.limit(1)) is None:
        custody.record(session, kind, object_id=key_id, actor=actor, details=details)


def _when(moment: datetime) -> str:
    return clock.local(moment).strftime("%H:%M %d/%m/%Y")

"""How the witnesses and the timestamp authorities stand, for a page or a command to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam.custody.log import Log
from bodycam.custody.models import Cosignature, TimestampToken, WitnessStanding
from bodycam.custody.policy import NO_QUORUM, Policy
from bodycam.custody.witness_client import Trouble
from bodycam.custody.witnessing import key_of, quorum_is_late


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """One witness: how far it signed and when that came (UTC), and what is wrong with it since when, if anything."""

    name: str
    key: str
    by_line: bool
    size: int
    received_at: datetime | None
    trouble: Trouble | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class WitnessesState:
    """All witnesses of a policy; `size` entries are witnessed by a quorum since `at`, `behind` are not yet."""

    each: Sequence[WitnessLine]
    size: int
    behind: int
    at: datetime | None
    late: bool
    needed: tuple[int, int] | None  # k of n, when the quorum is one group of witnesses


@dataclass(frozen=True, slots=True)
class AuthorityLine:
    """One timestamp authority: its latest token's time (UTC) and size, and since when a checkpoint waits for it."""

    name: str
    token_at: datetime | None
    size: int
    waiting_since: datetime | None


def witnesses_state(session: Session, log: Log, policy: Policy, late: timedelta) -> WitnessesState:
    """Return how the policy's witnesses stand.

    Raises:
        LogDamagedError: a published checkpoint isn't one of this log.
    """
    current, witnessed = log.checkpoint(), log.witnessed_checkpoint()
    size = witnessed.size if witnessed else 0
    at = None
    if witnessed is not None:
        at = session.scalar(select(func.max(Cosignature.received_at)).where(Cosignature.size == size))
    return WitnessesState(
        each=_lines(session, policy),
        size=size,
        behind=max(0, (current.size if current else 0) - size),
        at=at,
        late=quorum_is_late(session, log, policy, late),
        needed=_needed(policy),
    )


def authority_lines(session: Session, names: Sequence[str]) -> list[AuthorityLine]:
    """Return how each of these timestamp authorities stands."""
    found = []
    for name in names:
        query = select(TimestampToken).where(TimestampToken.authority == name).order_by(TimestampToken.size.desc())
        latest = session.scalar(query.where(TimestampToken.token_at.is_not(None)).limit(1))
        waits = session.scalar(query.where(TimestampToken.token_at.is_(None)).limit(1))
        found.append(
            AuthorityLine(
                name=name,
                token_at=latest.token_at if latest else None,
                size=latest.size if latest else 0,
                waiting_since=waits.queued_at if waits else None,
            )
        )
    return found


def _lines(session: Session, policy: Policy) -> list[WitnessLine]:
    lines = []
    for witness in policy.witnesses.values():
        key = key_of(witness)
        query = select(Cosignature).where(Cosignature.witness == key).order_by(Cosignature.size.desc()).limit(1)
        latest, standing = session.scalar(query), session.get(WitnessStanding, key)
        trouble = standing.trouble if standing else None
        lines.append(
            WitnessLine(
                name=witness.name,
                key=key,
                by_line=bool(witness.url),
                size=latest.size if latest else 0,
                received_at=latest.received_at if latest else None,
                trouble=Trouble(trouble) if trouble else None,
                since=standing.since if standing and trouble else None,
            )
        )
    return lines


def _needed(policy: Policy) -> tuple[int, int] | None:
    if policy.quorum == NO_QUORUM:
        return None
    group = policy.groups.get(policy.quorum)
    if group is None:
        return (1, 1)
    return (group.least, len(group.members)) if all(name in policy.witnesses for name in group.members) else None

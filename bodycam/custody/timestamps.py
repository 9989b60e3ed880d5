"""RFC 3161 timestamps over checkpoints: somebody outside says that this head, and all under it, existed at a time.

The imprint is the SHA-256 of the checkpoint's three lines. An authority is believed only through its own configured root, its
certificate valid at the token's time. While there is no network the newest due checkpoint waits: it covers every older one.
A token is known by its checkpoint and authority, never by its own hash: it can be written in several ways and still be true.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
from rfc3161_client.verify import VerifierBuilder
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bodycam import clock
from bodycam.custody.canonical import JSON
from bodycam.custody.checkpoint import Checkpoint
from bodycam.custody.durable import write_durably
from bodycam.custody.errors import TimestampError
from bodycam.custody.fetch import AWAY, post
from bodycam.custody.log import Log
from bodycam.custody.models import TimestampToken
from bodycam.custody.service import format_time, record

FOLDER = "timestamps"
MAX_TOKEN = 64 * 1024
CLOCK_SLACK = timedelta(minutes=10)
_OK = 200
_LONGEST_NAME = 60
_QUERY = "application/timestamp-query"  # RFC 3161, 3.4


@dataclass(frozen=True, slots=True)
class Authority:
    """A timestamp authority: its address, the file of its certificates, and how it is named in files and tables."""

    name: str
    url: str
    certificates: Path


def verify_token(
    token: bytes, body: str, certificates: Sequence[x509.Certificate], *, nonce: int | None = None
) -> datetime:
    """Check a `TimeStampResp` over a checkpoint's body against the authority's certificates; return its time (UTC).

    Self-signed certificates are the roots, others may help to build the chain.

    Raises:
        TimestampError: it is over something else, of another authority, of an expired certificate, or no token.
    """
    roots = [each for each in certificates if each.issuer == each.subject]
    others = [each for each in certificates if each.issuer != each.subject]
    if not roots:
        raise TimestampError(reason="there is no root certificate to check it with")
    verifier = VerifierBuilder(roots=roots, intermediates=others, nonce=nonce).build()
    try:
        answer = decode_timestamp_response(token)
        verifier.verify(answer, hashlib.sha256(body.encode()).digest())
        return answer.tst_info.gen_time.astimezone(UTC)
    except Exception as error:  # noqa: BLE001  foreign bytes in others' parsers: whatever they raise, it is no good token
        raise TimestampError(reason=str(error) or type(error).__name__) from None


def authorities(pairs: Sequence[tuple[str, Path]]) -> list[Authority]:
    """Name each authority by its host, so that its files and rows keep their name when its path changes."""
    found: list[Authority] = []
    for url, certificates in pairs:
        host = urlsplit(url).netloc.rpartition("@")[2].lower()
        name = re.sub(r"[^a-z0-9.-]", "-", host)[:_LONGEST_NAME].strip(".-") or "authority"
        if any(other.name == name for other in found):
            name = f"{name}-{len(found) + 1}"
        found.append(Authority(name, url, certificates))
    return found


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read the PEM certificates of an authority.

    Raises:
        TimestampError: the file can't be read or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TimestampError(reason=f"{path}: {error}") from None


def ask(authority: Authority, body: str, *, timeout_s: float) -> tuple[bytes, datetime] | None:
    """Ask for a timestamp over a checkpoint's body and check it; None when the authority is away.

    Raises:
        TimestampError: it answered something that isn't a good token of its own for this body and this moment.
    """
    request = TimestampRequestBuilder().data(body.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        status, token = post(authority.url, request.as_bytes(), kind=_QUERY, timeout_s=timeout_s, limit=MAX_TOKEN)
    except AWAY:
        return None
    if status != _OK:
        return None
    moment = verify_token(token, body, read_certificates(authority.certificates), nonce=request.nonce)
    if abs(moment - clock.now()) > CLOCK_SLACK:
        raise TimestampError(reason=f"it says {format_time(moment)}, far from this clock")
    return token, moment


def queue_due(session: Session, authority: Authority, checkpoint: Checkpoint, every: timedelta) -> None:
    """Put a checkpoint in the queue when the last one was `every` ago; it takes the place of one that still waits."""
    query = select(func.max(TimestampToken.queued_at), func.max(TimestampToken.size))
    last, size = session.execute(query.where(TimestampToken.authority == authority.name)).one()
    if last is not None and (clock.now() - last < every or checkpoint.size <= size):
        return
    session.execute(
        delete(TimestampToken).where(TimestampToken.authority == authority.name, TimestampToken.token_at.is_(None))
    )
    session.add(
        TimestampToken(
            size=checkpoint.size,
            authority=authority.name,
            checkpoint=checkpoint.note,
            queued_at=clock.now(),
            token_at=None,
        )
    )


def waiting(session: Session, authority: Authority) -> TimestampToken | None:
    """Return what waits for this authority."""
    query = select(TimestampToken).where(TimestampToken.authority == authority.name, TimestampToken.token_at.is_(None))
    return session.scalar(query.order_by(TimestampToken.size.desc()).limit(1))


def body_of(row: TimestampToken) -> str:
    """Return what is timestamped of a queued checkpoint: its three lines."""
    return row.checkpoint.partition("\n\n")[0] + "\n"


def keep(session: Session, log: Log, authority: Authority, row: TimestampToken, token: bytes, moment: datetime) -> None:
    """Store a token that was checked: its files first, then the row and its event in the caller's transaction."""
    folder = log.dir / FOLDER
    write_durably(folder / f"{row.size}.checkpoint", row.checkpoint.encode())
    write_durably(folder / f"{authority.name}.pem", authority.certificates.read_bytes())
    write_durably(token_path(log, row.size, authority.name), token)
    kept = session.get_one(TimestampToken, (row.size, row.authority))
    kept.token_at = moment
    details: dict[str, JSON] = {"authority": authority.name, "size": row.size, "at": format_time(moment)}
    record(session, "timestamp.received", object_id="timestamps", actor="system", details=details)


def token_path(log: Log, size: int, authority: str) -> Path:
    """Return the file of a token; beside it lie `<size>.checkpoint` and `<authority>.pem`."""
    return log.dir / FOLDER / f"{size}-{authority}.tsr"


def tokens_covering(session: Session, index: int) -> list[TimestampToken]:
    """Return, for each authority, the first token whose checkpoint covers the entry at `index`: the earliest proven time."""
    first = (
        select(TimestampToken.authority, func.min(TimestampToken.size).label("size"))
        .where(TimestampToken.token_at.is_not(None), TimestampToken.size > index)
        .group_by(TimestampToken.authority)
        .subquery()
    )
    query = select(TimestampToken).join(
        first, (TimestampToken.authority == first.c.authority) & (TimestampToken.size == first.c.size)
    )
    return list(session.scalars(query.order_by(TimestampToken.authority).limit(10)))

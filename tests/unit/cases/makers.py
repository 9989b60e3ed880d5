"""Makers of recordings and of what a person enters of a case."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from bodycam.cases.service import CaseFacts
from bodycam.recordings.models import Recording

START = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)  # 14:20 in Vietnam
QL1A = (21.0285, 105.8542)
_number = count()


@dataclass(frozen=True)
class World:
    traffic: str
    tax: str
    officer: str
    other: str
    account: str


def recording(session: Session, **changes: Any) -> Recording:
    n = next(_number)
    start = changes.pop("started_at", START)
    minutes = changes.pop("minutes", 20)
    values: dict[str, Any] = {
        "id": f"r{n}",
        "object_id": f"{n:064}",
        "sha256": f"{n:064}",
        "size": 1,
        "name": f"{n}.MP4",
        "kind": "video",
        "origin": "dock",
        "sealed_at": start,
        "sealed_event_id": f"e{n}",
        "shown_at": start,
        "started_at": start,
        "ended_at": start + timedelta(minutes=minutes),
    }
    made = Recording(**(values | changes))
    session.add(made)
    session.flush()
    return made


def facts(**changes: Any) -> CaseFacts:
    values: dict[str, Any] = {
        "starts_at": START + timedelta(minutes=4),
        "ends_at": START + timedelta(minutes=15),
        "number": "45/BB-VPHC",
        "place": "Km 12 QL1A",
        "lat": QL1A[0],
        "lon": QL1A[1],
        "identifiers": {"plate": ["29A-123.45"]},
    }
    return CaseFacts(**(values | changes))

from datetime import UTC, datetime

from bodycam.db import Database, new_id
from bodycam.recordings.models import Recording, Verdict
from bodycam.verification.finding import Finding, Row
from bodycam.verification.queries import findings_of
from bodycam.verification.service import store

NOW = datetime(2026, 11, 21, 7, 20, tzinfo=UTC)
FINDINGS = [
    Finding(Row.INTEGRITY, "integrity.sealed", Verdict.MATCH, "Đã đọc lại.", "Re-read.", {"sha256": "ab"}),
    Finding(Row.GPS, "gps.jump", Verdict.CONTRADICTION, "Nhảy.", "Jumps.", {"metres": 40200.0}, (29.0, 30.0)),
]


def recording() -> Recording:
    return Recording(
        id=new_id(),
        object_id="cd" * 32,
        sha256="ab" * 32,
        size=1,
        name="a.mp4",
        kind="video",
        origin="dock",
        sealed_at=NOW,
        sealed_event_id=new_id(),
        shown_at=NOW,
    )


def test_findings_are_kept_in_order_and_replaced_by_the_next_check(db: Database):
    row = recording()
    with db.write() as session:
        session.add(row)
        session.flush()
        assert store(session, row, FINDINGS) is Verdict.CONTRADICTION
    with db.read() as session:
        assert findings_of(session, row.id) == FINDINGS
        assert session.get_one(Recording, row.id).verdict == "contradiction"
    with db.write() as session:
        store(session, session.get_one(Recording, row.id), FINDINGS[:1])
    with db.read() as session:
        assert findings_of(session, row.id) == FINDINGS[:1]
        assert session.get_one(Recording, row.id).verdict == "not_checked"  # its clock was not
        assert findings_of(session, "nobody") == []

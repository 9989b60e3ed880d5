"""Read stored findings."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam.recordings.models import Verdict
from bodycam.verification.finding import Finding, Row
from bodycam.verification.models import VerificationFinding

MAX_FINDINGS = 200  # a check leaves at most some twenty


def findings_of(session: Session, recording_id: str) -> list[Finding]:
    """Return the findings of a recording's last check in order; empty when it was never checked."""
    rows = session.scalars(
        select(VerificationFinding)
        .where(VerificationFinding.recording_id == recording_id)
        .order_by(VerificationFinding.position)
        .limit(MAX_FINDINGS),
    )
    return [_finding(row) for row in rows]


def _finding(row: VerificationFinding) -> Finding:
    span = None if row.span_start_s is None or row.span_end_s is None else (row.span_start_s, row.span_end_s)
    return Finding(Row(row.row), row.code, Verdict(row.result), row.vi, row.en, json.loads(row.numbers), span)

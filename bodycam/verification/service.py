"""Run the checks and keep their findings. `check` is pure; `store` replaces what an earlier check left."""

import json
from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bodycam import clock as now
from bodycam.db import new_id, nfc
from bodycam.recordings.models import Recording, Verdict
from bodycam.sections import VerificationSettings
from bodycam.verification import clock, continuity, gps, integrity
from bodycam.verification.facts import RecordingFacts
from bodycam.verification.finding import Finding
from bodycam.verification.models import VerificationFinding
from bodycam.verification.verdict import verdict


def check(facts: RecordingFacts, limits: VerificationSettings) -> list[Finding]:
    """Return all findings on a recording, in the order of the timeline's rows."""
    return [
        integrity.sealed_bytes(facts),
        integrity.device_signature(facts),
        clock.dock_offset(facts, limits),
        clock.file_against_gps(facts, limits),
        *clock.impossible_dates(facts, limits),
        *gps.check_positions(facts, limits),
        *continuity.check_continuity(facts, limits),
    ]


def store(session: Session, recording: Recording, findings: Sequence[Finding]) -> Verdict:
    """Replace a recording's findings and set its verdict; returns the verdict. The caller records the custody event."""
    session.execute(delete(VerificationFinding).where(VerificationFinding.recording_id == recording.id))
    moment = now.now()
    for position, finding in enumerate(findings):
        start, end = finding.span or (None, None)
        session.add(
            VerificationFinding(
                id=new_id(),
                recording_id=recording.id,
                position=position,
                row=finding.row,
                code=finding.code,
                result=finding.result,
                vi=nfc(finding.vi),
                en=finding.en,
                numbers=json.dumps(dict(finding.numbers), ensure_ascii=False),
                span_start_s=start,
                span_end_s=end,
                checked_at=moment,
            ),
        )
    result = verdict(findings)
    recording.verdict = result
    return result

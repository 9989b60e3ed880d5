"""The verification timeline: five rows, always all five, each with its spans on the film's time.

A row without a finding says "not checked" over its whole length; the chip at its end is the worst of its findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bodycam.recordings.models import Recording, Verdict
from bodycam.verification.finding import ROW_NAMES, Finding
from bodycam.verification.queries import findings_of
from webui.common.locale import t
from webui.staff.verdicts import Look, look

_BAD_FIRST = [
    Verdict.CONTRADICTION,
    Verdict.LOOK_CLOSER,
    Verdict.NOTE,
    Verdict.MATCH,
    Verdict.NOT_CHECKED,
    Verdict.NOT_APPLICABLE,
]


@dataclass(frozen=True)
class Span:
    """A stretch of the film (seconds) and what was found there; `whole` when it concerns all of it."""

    start: float
    end: float
    whole: bool
    look: Look
    text: str
    code: str


@dataclass(frozen=True)
class Row:
    """One row of the timeline."""

    key: str
    title: str
    verdict: str
    spans: Sequence[Span]


def rows_of(session: Session, recording: Recording) -> list[Row]:
    """Return the five rows of a recording, in their fixed order."""
    found = findings_of(session, recording.id)
    length = recording.duration_s or 1.0
    return [_row(key, t(*words), [f for f in found if f.row == key], length) for key, words in ROW_NAMES.items()]


def _row(key: str, title: str, findings: Sequence[Finding], length: float) -> Row:
    if not findings:
        empty = Span(
            0, length, whole=True, look=look(Verdict.NOT_CHECKED), text=t("chưa kiểm tra", "not checked"), code=""
        )
        return Row(key, title, Verdict.NOT_CHECKED, [empty])
    worst = min((f.result for f in findings), key=_BAD_FIRST.index)
    spans = [_span(finding, length) for finding in findings]
    return Row(key, title, worst, sorted(spans, key=lambda span: (not span.whole, span.start)))


def _span(finding: Finding, length: float) -> Span:
    start, end = finding.span or (0.0, length)
    text = t(finding.vi, finding.en)
    whole = finding.span is None
    return Span(max(0.0, start), min(length, max(end, start)), whole, look(finding.result), text, finding.code)

"""From findings to one verdict: the worst of what was checked; good only when enough was checked. Table: docs/verification.md."""

from collections.abc import Iterable, Sequence

from bodycam.recordings.models import Verdict
from bodycam.verification.finding import Finding, Row

WORST_FIRST = (
    Verdict.CONTRADICTION,
    Verdict.LOOK_CLOSER,
    Verdict.NOTE,
    Verdict.MATCH,
    Verdict.NOT_CHECKED,
    Verdict.NOT_APPLICABLE,
)


def worst(results: Iterable[Verdict]) -> Verdict:
    """Return the worst result; what was not checked counts only when nothing was, NOT_CHECKED for no results at all."""
    return min(results, key=WORST_FIRST.index, default=Verdict.NOT_CHECKED)


def row_verdict(findings: Sequence[Finding], row: Row) -> Verdict:
    """Return the verdict of one row of the timeline."""
    return worst(finding.result for finding in findings if finding.row is row)


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Return the verdict of a recording.

    `MATCH` needs the integrity row to match (or, for a loose file, not to apply) and the clock row to match: what rests on
    an unchecked clock or unread bytes is "not checked", however well the rest looks.
    """
    result = worst(finding.result for finding in findings)
    if result is not Verdict.MATCH:
        return result
    is_whole = row_verdict(findings, Row.INTEGRITY) in {Verdict.MATCH, Verdict.NOT_APPLICABLE}
    is_timed = row_verdict(findings, Row.CLOCK) is Verdict.MATCH
    return Verdict.MATCH if is_whole and is_timed else Verdict.NOT_CHECKED

"""Reading reports: for their sender by the code, for intake in a list."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from bodycam.petitions.models import FileState, Submission, SubmissionFile, SubmissionState

PAGE = 50


def list_submissions(
    session: Session,
    *,
    states: Sequence[SubmissionState] = (),
    after: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> list[Submission]:
    """Return received reports, newest first; `after` is (received_at, id) of the last row shown. Drafts never appear."""
    wanted = states or [state for state in SubmissionState if state != SubmissionState.DRAFT]
    query = select(Submission).where(Submission.state.in_(wanted), Submission.received_at.is_not(None))
    if after is not None:
        query = query.where(tuple_(Submission.received_at, Submission.id) < after)
    return list(session.scalars(query.order_by(Submission.received_at.desc(), Submission.id.desc()).limit(limit)))


def count_files(session: Session, submission_ids: Sequence[str]) -> dict[str, int]:
    """Return how many files of each report are here in full."""
    here = (FileState.COMPLETE, FileState.SEALED)
    query = (
        select(SubmissionFile.submission_id, func.count())
        .where(SubmissionFile.submission_id.in_(submission_ids), SubmissionFile.state.in_(here))
        .group_by(SubmissionFile.submission_id)
        .order_by(SubmissionFile.submission_id)
        .limit(len(submission_ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def count_new(session: Session) -> int:
    """Return how many reports wait for a first look (for the badge of those who may read them)."""
    query = select(func.count()).select_from(Submission).where(Submission.state == SubmissionState.RECEIVED)
    return session.scalar(query) or 0

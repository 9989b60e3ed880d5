"""A person's decision on a recording of a case: attach, reject, detach; the machine only proposes.

Rejecting and detaching need a reason, which enters the log as a commitment. What was rejected may be attached later, and
back; every step is an event of the recording.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bodycam import custody
from bodycam.cases.errors import LinkError
from bodycam.cases.models import CaseRecording, LinkState
from bodycam.cases.service import get_case
from bodycam.clock import now
from bodycam.db import new_id, nfc
from bodycam.errors import NotFoundError
from bodycam.recordings.models import Origin, Recording

MAX_REASON = 1_000
MOST = 500


def attach(
    session: Session, *, case_id: str, recording_id: str, account_id: str, reason: str | None = None
) -> CaseRecording:
    """Attach a recording, proposed or not; attaching twice changes nothing."""
    get_case(session, case_id)
    recording = session.get(Recording, recording_id)
    if recording is None:
        raise NotFoundError(what="recording")
    if recording.origin == Origin.CITIZEN:
        raise LinkError(
            reason_vi="Bản ghi do người dân gửi vào hồ sơ qua bộ phận tiếp nhận, không gắn trực tiếp",
            reason_en="A citizen's recording joins a case through intake, it can't be attached directly",
        )
    link = link_of(session, case_id, recording_id)
    if link is None:
        link = CaseRecording(id=new_id(), case_id=case_id, recording_id=recording_id, score=0.0, reasons="[]")
        session.add(link)
    elif link.state == LinkState.ATTACHED:
        return link
    return _decide(session, link, LinkState.ATTACHED, account_id, reason)


def reject(session: Session, *, case_id: str, recording_id: str, account_id: str, reason: str) -> CaseRecording:
    """Reject a proposal, with a reason."""
    return _leave(session, case_id, recording_id, (LinkState.PROPOSED, LinkState.REJECTED), account_id, reason)


def detach(session: Session, *, case_id: str, recording_id: str, account_id: str, reason: str) -> CaseRecording:
    """Take an attached recording out of a case, with a reason."""
    return _leave(session, case_id, recording_id, (LinkState.ATTACHED, LinkState.DETACHED), account_id, reason)


def link_of(session: Session, case_id: str, recording_id: str) -> CaseRecording | None:
    """Return how a recording stands to a case."""
    same = (CaseRecording.case_id == case_id, CaseRecording.recording_id == recording_id)
    return session.scalar(select(CaseRecording).where(*same))


def recordings_of(session: Session, case_id: str) -> list[tuple[CaseRecording, Recording]]:
    """Return a case's recordings with their links: attached first, then the best proposals; at most 500."""
    query = (
        select(CaseRecording, Recording)
        .join(Recording, Recording.id == CaseRecording.recording_id)
        .where(CaseRecording.case_id == case_id)
        .order_by(CaseRecording.state, CaseRecording.score.desc(), CaseRecording.id)  # "attached" sorts first
    )
    order = {LinkState.ATTACHED: 0, LinkState.PROPOSED: 1, LinkState.REJECTED: 2, LinkState.DETACHED: 3}
    rows = [(link, recording) for link, recording in session.execute(query.limit(MOST))]
    return sorted(rows, key=lambda row: order[LinkState(row[0].state)])


def _leave(
    session: Session,
    case_id: str,
    recording_id: str,
    step: tuple[LinkState, LinkState],
    account_id: str,
    reason: str,
) -> CaseRecording:
    before, after = step
    link = link_of(session, case_id, recording_id)
    if link is None:
        raise NotFoundError(what="recording of this case")
    if link.state == after:
        return link
    if link.state != before:
        raise LinkError(
            reason_vi="Trạng thái của bản ghi trong hồ sơ vừa thay đổi; tải lại trang rồi làm lại",
            reason_en="The recording's state in this case has changed; reload the page and try again",
        )
    if not nfc(reason).strip():
        raise LinkError(reason_vi="Cần ghi lý do", reason_en="A reason is needed")
    return _decide(session, link, after, account_id, reason)


def _decide(
    session: Session, link: CaseRecording, state: LinkState, account_id: str, reason: str | None
) -> CaseRecording:
    link.state, link.decided_by, link.decided_at = state.value, account_id, now()
    link.reason = nfc(reason).strip()[:MAX_REASON] or None if reason else None
    session.flush()
    custody.record(
        session,
        f"recording.{state.value}",
        object_id=link.recording_id,
        actor=account_id,
        case_id=link.case_id,
        private={"reason": link.reason} if link.reason else None,
    )
    return link

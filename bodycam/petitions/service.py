"""The life of a report: told step by step as a draft, received once, then triaged.

A draft is the citizen's: it leaves no event and disappears when it rests too long. `receive` is the moment that counts: the
text is fixed, committed to the custody log, and earns the first receipt. After it only triage changes the state.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bodycam import clock, custody
from bodycam.db import new_id
from bodycam.errors import InvalidInputError
from bodycam.jobs.service import enqueue
from bodycam.petitions import content as contents
from bodycam.petitions import holding
from bodycam.petitions.content import MOST_LINE, MOST_TEXT, Content, Identity, clean
from bodycam.petitions.errors import ForbiddenStepError, NoSuchSubmissionError, SubmissionClosedError
from bodycam.petitions.models import CodeSource, FileState, Submission, SubmissionFile, SubmissionState, Track
from bodycam.petitions.secret_code import CodeKeys
from bodycam.vault.keyring import Keyring

BATCH = 200
_NEXT: dict[SubmissionState, frozenset[SubmissionState]] = {
    SubmissionState.RECEIVED: frozenset({SubmissionState.SORTING, SubmissionState.DECLINED}),
    SubmissionState.SORTING: frozenset(
        {SubmissionState.VERIFYING, SubmissionState.FORWARDED, SubmissionState.DECLINED, SubmissionState.ANSWERED}
    ),
    SubmissionState.VERIFYING: frozenset(
        {SubmissionState.FORWARDED, SubmissionState.ANSWERED, SubmissionState.DECLINED, SubmissionState.SORTING}
    ),
    SubmissionState.FORWARDED: frozenset({SubmissionState.ANSWERED, SubmissionState.SORTING}),
}
_TOLD_TO_CITIZEN = {SubmissionState.ANSWERED, SubmissionState.DECLINED, SubmissionState.FORWARDED}


def start(session: Session, keyring: Keyring) -> Submission:
    """Open an empty draft with its own data key."""
    now = clock.now()
    submission_id = new_id()
    key = contents.new_key(keyring, submission_id)
    empty = contents.lock(keyring, key, submission_id, "content", contents.write_content(Content()))
    submission = Submission(id=submission_id, wrapped_key=key, content=empty, created_at=now, changed_at=now)
    session.add(submission)
    session.flush()
    return submission


def draft(session: Session, submission_id: str) -> Submission:
    """Return a draft to go on with; raises NoSuchSubmissionError when it is gone, SubmissionClosedError once received."""
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NoSuchSubmissionError(what="submission")
    if submission.state != SubmissionState.DRAFT:
        raise SubmissionClosedError(what="submission")
    return submission


def tell(session: Session, keyring: Keyring, submission_id: str, **answers: str) -> Content:
    """Change some answers of a draft (names are the fields of `Content`) and return all of them.

    Raises InvalidInputError for an answer that is too long.
    """
    submission = draft(session, submission_id)
    checked = {name: clean(name, value, MOST_TEXT if name == "text" else MOST_LINE) for name, value in answers.items()}
    told = replace(content_of(keyring, submission), **checked)
    plain = contents.write_content(told)
    submission.content = contents.lock(keyring, submission.wrapped_key, submission.id, "content", plain)
    submission.changed_at = clock.now()
    return told


def identify(session: Session, keyring: Keyring, submission_id: str, identity: Identity | None) -> None:
    """Keep who reports under a key of its own, or forget it (None: anonymous).

    Raises InvalidInputError when a name comes without any way to reach the person.
    """
    submission = draft(session, submission_id)
    submission.changed_at = clock.now()
    if identity is None:
        submission.identity = submission.identity_wrapped_key = None
        return
    checked = Identity(
        name=clean("name", identity.name, MOST_LINE),
        contact=clean("contact", identity.contact, MOST_LINE),
        address=clean("address", identity.address, MOST_LINE),
    )
    if not checked.name or not checked.contact:
        raise InvalidInputError(
            field="name",
            reason="give a name and a phone number or e-mail, or choose to stay anonymous",
            reason_vi="ghi họ tên và số điện thoại hoặc thư điện tử, hoặc chọn ẩn danh",
        )
    place = identity_place(submission.id)
    key = contents.new_key(keyring, place)
    submission.identity_wrapped_key = key
    submission.identity = contents.lock(keyring, key, place, "identity", contents.write_identity(checked))


def receive(session: Session, keyring: Keyring, submission_id: str) -> Submission:
    """Fix the text of a draft and log it: from here on the first receipt is due. Files already complete go to sealing.

    Raises InvalidInputError when nothing was told and no file was chosen.
    """
    submission = draft(session, submission_id)
    told = content_of(keyring, submission)
    files = files_of(session, submission_id)
    if not told.text and not files:
        raise InvalidInputError(
            field="text",
            reason="choose a video or photo, or write down what you saw",
            reason_vi="chọn video, ảnh hoặc viết lại điều bạn đã chứng kiến",
        )
    plain = contents.write_content(told).encode()
    event = custody.record(
        session,
        "submission.received",
        object_id=submission.id,
        sha256=hashlib.sha256(plain).hexdigest(),
        size=len(plain),
        details={"files": len(files)},
    )
    now = clock.now()
    submission.state = SubmissionState.RECEIVED
    submission.received_at = submission.changed_at = now
    submission.received_event_id = event.id
    enqueue(session, "submission.hold", {"submission_id": submission.id}, key=f"submission.hold:{submission.id}")
    for file in files:
        if file.state == FileState.COMPLETE:
            ask_to_seal(session, file.id)
    return submission


def register_code(session: Session, submission_id: str, keys: CodeKeys, source: CodeSource) -> None:
    """Keep the public halves of a secret code; another one replaces it until its holder confirmed that he has it."""
    submission = session.get(Submission, submission_id)
    if submission is None:
        raise NoSuchSubmissionError(what="submission")
    if submission.code_confirmed:
        raise SubmissionClosedError(what="code")
    taken = session.scalar(select(Submission.id).where(Submission.lookup_id == keys.lookup_id))
    if taken not in {None, submission_id}:  # 128 random bits never meet by chance: somebody copied it off a receipt
        raise SubmissionClosedError(what="code")
    submission.lookup_id = keys.lookup_id
    submission.sign_in_public = keys.sign_in_public
    submission.reply_public = keys.reply_public
    submission.code_source = source


def confirm_code(session: Session, submission_id: str) -> None:
    """Note that the holder typed the last group back: the code is final now."""
    submission = session.get(Submission, submission_id)
    if submission is None or submission.lookup_id is None:
        raise NoSuchSubmissionError(what="submission")
    submission.code_confirmed = True


def triage(
    session: Session,
    submission_id: str,
    *,
    account_id: str,
    state: SubmissionState,
    track: Track | None = None,
    answer: str = "",
) -> Submission:
    """Move a report to its next state, choose its track, and keep what the citizen will read.

    Raises ForbiddenStepError for a step out of order, InvalidInputError when declining or answering without a word.
    """
    submission = session.get(Submission, submission_id)
    if submission is None or submission.state == SubmissionState.DRAFT:
        raise NoSuchSubmissionError(what="submission")
    before = SubmissionState(submission.state)
    if state not in _NEXT.get(before, frozenset()):
        raise ForbiddenStepError(what="submission")
    words = clean("answer", answer, MOST_TEXT)
    if state in _TOLD_TO_CITIZEN and not words:
        raise InvalidInputError(
            field="answer",
            reason="write what the sender will read (the answer, the receiving body, or the reason)",
            reason_vi="ghi nội dung người gửi sẽ đọc (trả lời, cơ quan nhận, hoặc lý do không thụ lý)",
        )
    submission.state = state
    submission.track = track or submission.track
    submission.answer = words or submission.answer
    submission.changed_at = clock.now()
    custody.record(
        session,
        "submission.state_changed",
        object_id=submission.id,
        actor=account_id,
        details={"from": before.value, "to": state.value, "track": submission.track},
        private={"answer": words} if words else None,
    )
    holding.follow(session, submission)
    return submission


def next_states(state: str) -> list[SubmissionState]:
    """Return the states that may follow, in the order of the way."""
    allowed = _NEXT.get(SubmissionState(state), frozenset())
    return [candidate for candidate in SubmissionState if candidate in allowed]


def content_of(keyring: Keyring, submission: Submission) -> Content:
    """Open what was told."""
    plain = contents.unlock(keyring, submission.wrapped_key, submission.id, "content", submission.content)
    return contents.read_content(plain)


def identity_of(keyring: Keyring, submission: Submission) -> Identity | None:
    """Open who reports; None for an anonymous report. Callers record who looked."""
    if submission.identity is None or submission.identity_wrapped_key is None:
        return None
    place = identity_place(submission.id)
    plain = contents.unlock(keyring, submission.identity_wrapped_key, place, "identity", submission.identity)
    return contents.read_identity(plain)


def files_of(session: Session, submission_id: str) -> list[SubmissionFile]:
    """Return a report's files that still count (not expired, not taken back), in the order they were begun."""
    gone = (FileState.EXPIRED, FileState.REMOVED)
    query = select(SubmissionFile).where(SubmissionFile.submission_id == submission_id)
    return list(
        session.scalars(query.where(SubmissionFile.state.not_in(gone)).order_by(SubmissionFile.id).limit(BATCH))
    )


def ask_to_seal(session: Session, file_id: str) -> None:
    """Ask for the job that seals a complete file; asking twice is the same as once."""
    enqueue(session, "submission.seal_file", {"file_id": file_id}, key=f"submission.seal_file:{file_id}")


def discard_draft(session: Session, submission_id: str) -> list[str]:
    """Delete a draft that its writer gives up; return the ids of its files, whose spooled bytes the caller discards."""
    submission = session.get(Submission, submission_id)
    if submission is None or submission.state != SubmissionState.DRAFT:
        return []
    ids = list(session.scalars(select(SubmissionFile.id).where(SubmissionFile.submission_id == submission_id)))
    session.execute(delete(SubmissionFile).where(SubmissionFile.submission_id == submission_id))
    session.delete(submission)
    return ids


def expire_drafts(session: Session, rest: timedelta) -> list[str]:
    """Delete drafts that rested longer than `rest` and have no live upload; return their files' ids as `discard_draft` does."""
    live = select(SubmissionFile.submission_id).where(SubmissionFile.state == FileState.RECEIVING)
    query = select(Submission.id).where(
        Submission.state == SubmissionState.DRAFT,
        Submission.changed_at < clock.now() - rest,
        Submission.id.not_in(live),
    )
    stale = list(session.scalars(query.order_by(Submission.id).limit(BATCH)))
    return [file_id for submission_id in stale for file_id in discard_draft(session, submission_id)]


def identity_place(submission_id: str) -> str:
    """Return what the data key of a reporter's identity is bound to."""
    return f"{submission_id}/identity"

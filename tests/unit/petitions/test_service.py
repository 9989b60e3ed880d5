import hashlib
import json
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bodycam import clock, custody
from bodycam.custody.service import openings_of
from bodycam.errors import InvalidInputError
from bodycam.petitions import content, queries, secret_code, service
from bodycam.petitions.content import Identity
from bodycam.petitions.errors import ForbiddenStepError, NoSuchSubmissionError, SubmissionClosedError
from bodycam.petitions.models import CodeSource, Submission, SubmissionState, Track
from bodycam.runtime import Runtime

WORDS = "Tổ công tác dừng xe nhưng không lập biên bản."


def told(rt: Runtime, **answers: str) -> str:
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
        service.tell(session, rt.keyring, submission.id, **answers)
    return submission.id


def received(rt: Runtime) -> str:
    submission_id = told(rt, when="14:20 09/11/2026", where="QL1A", plate="29A-123.45", text=WORDS)
    with rt.db.write() as session:
        service.receive(session, rt.keyring, submission_id)
    return submission_id


def test_answers_are_kept_step_by_step_and_in_nfc(rt: Runtime) -> None:
    submission_id = told(rt, when="hôm qua")
    with rt.db.write() as session:
        service.tell(session, rt.keyring, submission_id, where="Ha\u0300 No\u0323\u0302i")
    with rt.db.read() as session:
        said = service.content_of(rt.keyring, session.get_one(Submission, submission_id))
    assert (said.when, said.where) == ("hôm qua", "Hà Nội")


def test_nothing_a_citizen_says_lies_readable_in_the_database(rt: Runtime) -> None:
    submission_id = told(rt, text=WORDS, where="Km 12 QL1A")
    with rt.db.write() as session:
        service.identify(session, rt.keyring, submission_id, Identity("Người gửi thử", "0900 000 000"))
        service.receive(session, rt.keyring, submission_id)
    rt.db.close()
    stored = b"".join(path.read_bytes() for path in rt.settings.data_dir.glob("bodycam.db*"))
    for said in (WORDS, "Km 12 QL1A", "Người gửi thử", "0900 000 000"):
        assert said.encode() not in stored


def test_the_schema_has_no_place_for_an_address_or_a_browser(rt: Runtime) -> None:
    with rt.db.read() as session:
        query = text(
            "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.name LIKE 'submission%'"
        )
        columns = {column for _, column in session.execute(query)}
    assert columns
    assert not {
        c for c in columns if any(word in c.split("_") for word in ("ip", "address", "agent", "host", "remote"))
    }


def test_the_name_has_a_key_of_its_own(rt: Runtime) -> None:
    submission_id = told(rt, text=WORDS)
    who = Identity("Người gửi thử", "0900 000 000", "Hà Nội")
    with rt.db.write() as session:
        service.identify(session, rt.keyring, submission_id, who)
    with rt.db.read() as session:
        submission = session.get_one(Submission, submission_id)
        assert service.identity_of(rt.keyring, submission) == who
        assert not submission.anonymous
        assert submission.identity is not None
        with pytest.raises(ValueError, match="belongs elsewhere"):
            content.unlock(rt.keyring, submission.wrapped_key, submission.id, "identity", submission.identity)
    with rt.db.write() as session:
        service.identify(session, rt.keyring, submission_id, None)
    with rt.db.read() as session:
        assert session.get_one(Submission, submission_id).anonymous


def test_a_name_without_a_way_to_reach_the_person_is_refused(rt: Runtime) -> None:
    submission_id = told(rt, text=WORDS)
    with rt.db.write() as session, pytest.raises(InvalidInputError):
        service.identify(session, rt.keyring, submission_id, Identity("Người gửi thử", " "))


def test_an_answer_that_is_too_long_is_refused_by_name(rt: Runtime) -> None:
    submission_id = told(rt)
    with rt.db.write() as session, pytest.raises(InvalidInputError) as caught:
        service.tell(session, rt.keyring, submission_id, text="a" * 20_001)
    assert caught.value.values["field"] == "text"


def test_receiving_commits_to_every_word_of_the_text(rt: Runtime) -> None:
    submission_id = received(rt)
    with rt.db.read() as session:
        submission = session.get_one(Submission, submission_id)
        [event] = custody.history(session, submission_id)
        plain = content.write_content(service.content_of(rt.keyring, submission)).encode()
    assert (event.kind, event.id) == ("submission.received", submission.received_event_id)
    opening = openings_of(event)["content"]
    assert opening["sha256"] == hashlib.sha256(plain).hexdigest()
    assert WORDS not in event.body
    assert "actor" not in json.loads(event.body)


def test_an_empty_report_is_refused_and_a_sent_one_is_fixed(rt: Runtime) -> None:
    empty = told(rt, when="hôm qua")
    with rt.db.write() as session, pytest.raises(InvalidInputError):
        service.receive(session, rt.keyring, empty)
    sent = received(rt)
    with rt.db.write() as session, pytest.raises(SubmissionClosedError):
        service.tell(session, rt.keyring, sent, text="khác")


def test_a_code_may_be_made_anew_until_its_holder_has_confirmed_it(rt: Runtime) -> None:
    submission_id = received(rt)
    first, second = secret_code.keys(secret_code.make()), secret_code.keys(secret_code.make())
    with rt.db.write() as session:
        service.register_code(session, submission_id, first, CodeSource.BROWSER)
        service.register_code(session, submission_id, second, CodeSource.SERVER)
        service.confirm_code(session, submission_id)
        with pytest.raises(SubmissionClosedError):
            service.register_code(session, submission_id, first, CodeSource.BROWSER)
    with rt.db.read() as session:
        assert session.get_one(Submission, submission_id).lookup_id == second.lookup_id


def test_triage_follows_the_order_of_states_and_leaves_an_event_each(rt: Runtime) -> None:
    submission_id = received(rt)
    steps = [
        (SubmissionState.SORTING, "", Track.VIOLATION_DATA),
        (SubmissionState.VERIFYING, "", None),
        (SubmissionState.FORWARDED, "Đã chuyển cơ quan có thẩm quyền.", Track.DENUNCIATION),
        (SubmissionState.ANSWERED, "Đã trả lời bằng văn bản.", None),
    ]
    for state, words, track in steps:
        with rt.db.write() as session:
            service.triage(session, submission_id, account_id="a-1", state=state, track=track, answer=words)
    with rt.db.read() as session:
        submission = session.get_one(Submission, submission_id)
        events = custody.history(session, submission_id)
    assert (submission.track, submission.answer) == (Track.DENUNCIATION, "Đã trả lời bằng văn bản.")
    assert [event.kind for event in events[1:]] == ["submission.state_changed"] * 4
    assert all("văn bản" not in event.body for event in events)


def test_a_step_out_of_order_or_without_a_reason_is_refused(rt: Runtime) -> None:
    submission_id = received(rt)
    with rt.db.write() as session:
        with pytest.raises(ForbiddenStepError):
            service.triage(session, submission_id, account_id="a-1", state=SubmissionState.ANSWERED, answer="x")
        with pytest.raises(InvalidInputError):
            service.triage(session, submission_id, account_id="a-1", state=SubmissionState.DECLINED)
        with pytest.raises(NoSuchSubmissionError):
            service.triage(session, "unknown", account_id="a-1", state=SubmissionState.SORTING)


def test_drafts_are_never_listed_and_the_list_pages_by_key(rt: Runtime) -> None:
    told(rt, text="nháp")
    ids = [received(rt) for _ in range(3)]
    with rt.db.read() as session:
        first = queries.list_submissions(session, limit=2)
        assert first[-1].received_at is not None
        rest = queries.list_submissions(session, after=(first[-1].received_at, first[-1].id))
        assert queries.count_new(session) == 3
    assert [row.id for row in [*first, *rest]] == ids[::-1]


def test_a_draft_that_rests_too_long_disappears(rt: Runtime) -> None:
    submission_id = told(rt, text="nháp")
    kept = received(rt)
    moment = clock.now() + timedelta(hours=80)
    clock.set_now(lambda: moment)
    try:
        with rt.db.write() as session:
            service.expire_drafts(session, timedelta(hours=72))
    finally:
        clock.set_now(None)
    with rt.db.read() as session:
        assert session.scalars(select(Submission.id)).all() == [kept]
        assert session.get(Submission, submission_id) is None

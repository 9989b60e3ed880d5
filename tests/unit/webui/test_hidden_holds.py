"""A hold that a complaint caused changes nothing that the accused's line can see: every page, list, count and refusal, byte for byte."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import wipe_story
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from staff_story import Story

from bodycam import clock
from bodycam.custody.sequencer import Sequencer
from bodycam.people.models import Account
from bodycam.petitions import holding, service
from bodycam.petitions.models import Submission, SubmissionState
from bodycam.recordings.models import Recording
from bodycam.retention import clockwatch, holds, queries
from bodycam.retention.models import Tombstone
from bodycam.retention.targets import Target
from bodycam.runtime import Runtime
from webui.apps import create_public_app

LINE = ("officer", "commander", "head", "plan_approver", "case_officer")
JUMP = timedelta(hours=72)
_VARIES = re.compile(rb'(value|content)="[^"]{40,}"')
_REQUEST = re.compile(rb"\b[0-9a-f]{12,16}\b(?=[<\"])")
_LOOKS = re.compile('<li class="[^"]*"><b>Xem vụ việc</b>.*?</li>\\s*'.encode(), re.DOTALL)
_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def drain(rt: Runtime) -> None:
    Sequencer(rt.db, rt.log).run_once()


def complain(rt: Runtime, story: Story) -> str:
    """A citizen reports; its job places the holds, and one of his files is taken over."""
    with rt.db.write() as session:
        submission = service.start(session, rt.keyring)
        service.tell(
            session,
            rt.keyring,
            submission.id,
            when="14:20 ngày 09/11/2026",
            where="QL1A",
            unit="184-221",
            text="vòi tiền",
        )
        service.receive(session, rt.keyring, submission.id)
    with rt.db.write() as session:
        row = session.get_one(Submission, submission.id)
        holding.hold_for(session, row, service.content_of(rt.keyring, row))
        holding.hold_file(session, row, story.citizen_id)
        for recording_id in (story.stop_id, story.plain_id):
            holds.place_for_complaint(session, Target(recording_id=recording_id), submission_id=submission.id)
        holds.place_for_complaint(session, Target(case_id=story.case_id), submission_id=submission.id)
    drain(rt)
    return submission.id


def pages(story: Story, hold_id: str) -> list[str]:
    return [
        "/recordings", f"/recordings/{story.stop_id}", f"/recordings/{story.plain_id}", f"/recordings/{story.stop_id}/receipt",
        "/recordings?q=29A12345", "/cases", f"/cases/{story.case_id}", "/owed", "/slips", "/devices", "/officers", "/docks",
        f"/docks/{story.station_id}", "/wipes", "/wipes?ended=1", "/wipes/new", "/holds", "/holds?ended=1",
        "/holds?cause=complaint", "/holds/new", f"/holds/{hold_id}", "/negatives", "/negatives/new", "/retention",
        "/disposition", "/submissions", "/log", "/vault", f"/recordings/{story.stop_id}/access",
    ]  # fmt: skip


def seen(client: FlaskClient, addresses: list[str]) -> dict[str, tuple[int, bytes]]:
    """Return status and bytes of each page and JSON answer, but for what is new at every look whoever complains.

    That is a form's token, an error's request id, and in a case's story the line of this very look.
    """
    found = {}
    for address in addresses:
        for kind in ("text/html", "application/json"):
            answer = client.get(address, headers={"Accept": kind})
            data = _UUID.sub(b"ID", answer.data) if address.startswith("/holds/") else answer.data
            found[f"{kind} {address}"] = answer.status_code, _LOOKS.sub(b"", _REQUEST.sub(b"", _VARIES.sub(b"", data)))
    return found


@pytest.fixture
def frozen(rt: Runtime) -> Iterator[Runtime]:
    """The same second for both looks, 14 months on: every shown term is over, and a person has confirmed the clock."""
    drain(rt)
    moment = clock.now() + timedelta(days=420)
    clock.set_now(lambda: moment)
    with rt.db.write() as session:
        clockwatch.confirm(session, JUMP, actor=_account(rt, "administrator"))
    drain(rt)
    return rt


def _account(rt: Runtime, name: str) -> str:
    with rt.db.read() as session:
        return session.scalars(select(Account.id).where(Account.username == name)).one()


def _opened(as_role, role: str, story: Story) -> FlaskClient:
    client = as_role(role)
    for recording_id in (story.stop_id, story.plain_id):
        client.post(f"/recordings/{recording_id}/view", data={"reason": "shift_check"})
    return client


@pytest.mark.parametrize("role", LINE)
def test_every_page_of_the_line_stays_the_same_byte_for_byte(rt: Runtime, story: Story, as_role, role: str) -> None:
    wipe_story.lies_on_camera(rt, story)
    with rt.db.write() as session:
        holds.place(
            session,
            Target(recording_id=story.plain_id),
            actor=_account_in(session, "auditor"),
            reason_code="court",
            reason="CV 1",
        )
    drain(rt)
    client = _opened(as_role, role, story)
    addresses = pages(story, "00000000-0000-7000-8000-000000000000")
    seen(client, addresses)  # what a first look leaves behind is there for both
    before = seen(client, addresses)
    complain(rt, story)
    with rt.db.read() as session:
        hidden = [one.row.id for one in holds.standing(session) if one.row.cause == "complaint"]
        assert queries.is_held(session, story.stop_id)
    assert len(hidden) >= 5
    after = seen(client, addresses)
    for address, answer in before.items():
        assert after[address] == answer, (role, address)
    # the address of a hidden hold is answered like one that never was
    missing = seen(client, ["/holds/00000000-0000-7000-8000-000000000000"])
    real = seen(client, [f"/holds/{hidden[0]}"])
    assert list(real.values()) == list(missing.values())


def _account_in(session: Session, name: str) -> str:
    return session.scalars(select(Account.id).where(Account.username == name)).one()


@pytest.mark.parametrize("role", ["officer", "commander", "head"])
def test_when_the_shown_term_is_over_held_and_free_wait_in_the_same_words(
    frozen: Runtime, story: Story, as_role, role: str
) -> None:
    client = _opened(as_role, role, story)
    address = f"/recordings/{story.plain_id}"
    seen(client, [address])
    before = seen(client, [address])
    page = client.get(address).text
    assert "hết hạn, chờ hủy theo đợt" in page
    complain(frozen, story)
    assert seen(client, [address]) == before
    assert client.get(address).text.count("Tạm dừng xóa</span>") == 0


def test_a_later_hold_by_order_has_the_number_it_would_have_had(rt: Runtime, story: Story) -> None:
    with rt.db.write() as session:
        head = _account_in(session, "head")
        first = holds.place(
            session, Target(recording_id=story.stop_id), actor=head, reason_code="court", reason="1"
        ).number
    complain(rt, story)
    with rt.db.write() as session:
        second = holds.place(
            session, Target(recording_id=story.stop_id), actor=head, reason_code="court", reason="2"
        ).number
    assert int(second[-5:]) == int(first[-5:]) + 1


def test_the_line_releases_nothing_it_cannot_see_and_is_told_what_a_stranger_is(
    rt: Runtime, story: Story, as_role
) -> None:
    complain(rt, story)
    with rt.db.read() as session:
        hidden = holds.standing(session)[0].row.id
    for role in ("head", "monitor"):
        answer = as_role(role).post(f"/holds/{hidden}/release", data={"reason": "x"})
        assert answer.status_code == 404, role
    for role in ("commander", "officer", "case_officer"):
        assert as_role(role).post(f"/holds/{hidden}/release", data={"reason": "x"}).status_code == 403, role
    for role in LINE:
        assert as_role(role).post(f"/holds/{hidden}/narrow", data={}).status_code == 403, role
        assert as_role(role).get("/disposition").status_code == 403, role


def test_intake_and_the_auditor_see_it_and_intake_narrows_it(rt: Runtime, story: Story, as_role) -> None:
    complain(rt, story)
    for role in ("intake", "auditor"):
        page = as_role(role).get("/holds?cause=complaint").text
        assert "Tin người dân gửi" in page
        assert "mọi nơi" in page
    assert "mọi nơi" not in as_role("monitor").get("/holds?cause=complaint").text
    with rt.db.read() as session:
        wide = next(one.row.id for one in holds.standing(session) if one.row.kind == "place")
    client = as_role("intake")
    answer = client.post(
        f"/holds/{wide}/narrow",
        data={
            "starts_at": "09/11/2026 13:00", "ends_at": "09/11/2026 16:00", "lat": "20,98713", "lon": "105,86442",
            "radius_m": "2000", "reason": "người gửi cho biết vị trí",
        },
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    with rt.db.read() as session:
        standing = {one.row.id: one for one in holds.standing(session)}
        assert wide not in standing
        assert queries.is_held(session, story.stop_id)


def test_the_hold_of_a_closed_report_ends_as_scheduled_and_stands_again_when_it_is_opened(
    rt: Runtime, story: Story
) -> None:
    submission_id = complain(rt, story)
    for state, answer in ((SubmissionState.SORTING, ""), (SubmissionState.ANSWERED, "đã xử lý")):
        with rt.db.write() as session:
            service.triage(
                session, submission_id, account_id=_account_in(session, "intake"), state=state, answer=answer
            )
    moment = clock.now() + timedelta(days=364)
    clock.set_now(lambda: moment)
    with rt.db.read() as session:
        assert queries.is_held(session, story.stop_id)
    clock.set_now(lambda: moment + timedelta(days=2))
    with rt.db.read() as session:
        assert not queries.is_held(session, story.stop_id)


def test_a_complaints_hold_covers_the_whole_shift_and_a_camera_clock_at_2050_or_1980_does_not_slip_out(
    rt: Runtime, story: Story
) -> None:
    with rt.db.write() as session:
        for recording_id, year in ((story.stop_id, 1980), (story.plain_id, 2050)):
            row = session.get_one(Recording, recording_id)
            row.started_at = row.ended_at = row.shown_at = row.sealed_at.replace(year=year)
        sealed = session.get_one(Recording, story.stop_id).sealed_at
        span = {"starts_at": sealed - timedelta(hours=8), "ends_at": sealed - timedelta(hours=7)}
        holds.place_for_complaint(session, Target(lat=10.7, lon=106.7, radius_m=500.0, **span), submission_id="far")
    with rt.db.read() as session:
        assert not queries.is_held(session, story.stop_id)  # its track says that it was elsewhere
        assert queries.is_held(session, story.plain_id)  # nobody knows where it was
    with rt.db.write() as session:
        holds.place_for_complaint(session, Target(**span), submission_id="anywhere")
    with rt.db.read() as session:
        assert queries.is_held(session, story.stop_id)


def test_the_public_list_tells_the_leaf_the_rule_the_dates_and_nothing_else(rt: Runtime) -> None:
    with rt.db.write() as session:
        moment = clock.now()
        session.add(
            Tombstone(
                leaf_index=7, leaf_hash="ab" * 32, recording_id="secret-id", rule="official", sealed_at=moment, due_at=moment,
                destroyed_at=moment, complete_at=moment, event_id="e",
            )
        )  # fmt: skip
    client = create_public_app(rt).test_client()
    page = client.get("/da-huy")
    assert ("ab" * 32) in page.text
    assert "secret-id" not in page.text
    [row] = client.get("/da-huy.json").get_json()["tombstones"]
    assert sorted(row) == ["complete", "destroyed", "due", "leaf", "rule", "sealed"]
    for after in (
        "x",
        "~",
        "2026-01-01T00:00:00~1",
        "2026-01-01T00:00:00+00:00~-1",
        "2026-01-01T00:00:00+00:00~9" + "9" * 30,
    ):
        assert client.get("/da-huy", query_string={"after": after}).status_code == 200

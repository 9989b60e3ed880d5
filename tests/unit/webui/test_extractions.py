"""Extraction orders on the staff pages: requested by one, approved by another, made by a job, fetched and handed over."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from staff_story import Story

from bodycam.cases.models import CaseRecording
from bodycam.custody.models import CustodyEvent
from bodycam.custody.policy import Policy
from bodycam.custody.sequencer import Sequencer
from bodycam.jobs import service as jobs
from bodycam.packages.models import ExtractionOrder, OrderState
from bodycam.packages.reasons import Verdict
from bodycam.packages.verify import verify
from bodycam.people.models import Account, Grant
from bodycam.recordings.models import Recording
from bodycam.runtime import Runtime
from bodycam.tasks import packages as task
from bodycam.tasks.table import bind

FORM = {"purpose": "Phục vụ điều tra", "recipient": "Viện kiểm sát", "days": "7"}


@pytest.fixture(autouse=True)
def sequenced(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log takes events as soon as the job waits for it: here no sequencer runs beside."""
    Sequencer(rt.db, rt.log).run_once()
    monkeypatch.setattr(task, "_wait_for_log", lambda rt: Sequencer(rt.db, rt.log).run_once())


def _request(client: FlaskClient, **form: str) -> str:
    answer = client.post("/extractions/new", data={**FORM, **form})
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def _approve(client: FlaskClient, order_id: str) -> int:
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', client.get(f"/extractions/{order_id}").text)
    return client.post(f"/extractions/{order_id}/approve", data={"seen": seen[1] if seen else ""}).status_code


def _order(rt: Runtime, order_id: str) -> ExtractionOrder:
    with rt.db.read() as session:
        return session.get_one(ExtractionOrder, order_id)


def _kinds(rt: Runtime, object_id: str) -> list[str]:
    with rt.db.read() as session:
        query = select(CustodyEvent.kind).where(CustodyEvent.object_id == object_id).order_by(CustodyEvent.id)
        return list(session.scalars(query))


def test_the_way_from_a_recordings_page_to_the_hand_over(rt: Runtime, story: Story, as_role, tmp_path: Path) -> None:
    officer, head = as_role("case_officer"), as_role("head")
    form = officer.get(f"/extractions/new?recording={story.stop_id}").text
    assert "REC_0007.MP4" in form
    order_id = _request(officer, recording=story.stop_id, renditions="1")
    assert "<i>1<" in head.get("/extractions").text  # the menu counts what waits for the approver
    assert officer.post(f"/extractions/{order_id}/make").status_code == 409
    assert officer.post(f"/extractions/{order_id}/approve", data={}).status_code == 403
    assert _approve(head, order_id) == 302
    assert officer.post(f"/extractions/{order_id}/make").status_code == 302
    assert "data-watch" in officer.get(f"/extractions/{order_id}").text
    jobs.drain(rt.db, bind(rt))
    order = _order(rt, order_id)
    assert (order.state, order.making_problem) == (OrderState.MADE, "")
    page = officer.get(f"/extractions/{order_id}").text
    assert order.manifest_sha256 in page
    assert "data-watch" not in page
    fetched = officer.post(f"/extractions/{order_id}/package.zip")
    assert fetched.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(fetched.data)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    policy = Policy.parse(f"log {rt.log.verifier}\nquorum none\n")
    assert verify(tmp_path / "unpacked" / order.number, policy).verdict is Verdict.UNWITNESSED
    assert (
        officer.post(f"/extractions/{order_id}/hand-over", data={"taken_by": "Kiểm sát viên Lê Văn A"}).status_code
        == 302
    )
    assert "Kiểm sát viên Lê Văn A" in officer.get(f"/extractions/{order_id}").text
    assert [kind for kind in _kinds(rt, order_id) if kind.startswith("package.")] == [
        "package.requested", "package.approved", "package.created", "package.downloaded", "package.handed_over",
    ]  # fmt: skip
    assert "recording.exported" in _kinds(rt, story.stop_id)


def test_a_cases_order_takes_what_is_attached_and_never_a_citizens_recording(
    rt: Runtime, story: Story, as_role
) -> None:
    officer = as_role("case_officer")
    assert officer.get(f"/extractions/new?case={story.case_id}").status_code == 400  # nothing is attached
    officer.post(f"/cases/{story.case_id}/recordings/{story.stop_id}/attach")
    with rt.db.write() as session:
        for link in session.scalars(select(CaseRecording)):
            link.state = "attached"
        session.add(CaseRecording(id="x", case_id=story.case_id, recording_id=story.citizen_id, state="attached"))
    order_id = _request(officer, case=story.case_id)
    page = officer.get(f"/extractions/{order_id}").text
    assert "REC_0007.MP4" in page
    assert "VID_20261109.mp4" not in page
    assert story.case_id in page


def test_a_citizens_recording_is_requested_only_by_who_reads_citizens_reports(story: Story, as_role) -> None:
    for role in ("case_officer", "commander"):
        assert as_role(role).post("/extractions/new", data={**FORM, "recording": story.citizen_id}).status_code == 404
    order_id = _request(as_role("intake"), recording=story.citizen_id)
    assert _approve(as_role("auditor"), order_id) == 302


def test_the_line_of_the_recorded_officer_sees_no_order_of_intake(rt: Runtime, story: Story, as_role) -> None:
    """An order that intake or audit requested could tell of a complaint: it isn't there, nor counted, for the unit's line."""
    order_id = _request(as_role("intake"), recording=story.citizen_id)
    with rt.db.write() as session:
        session.get_one(ExtractionOrder, order_id).unit_id = story.team_id
    for role in ("commander", "head", "case_officer"):
        client = as_role(role)
        assert client.get(f"/extractions/{order_id}").status_code == 404
        listing = client.get("/extractions").text
        assert _order(rt, order_id).number not in listing
        assert "<i>1<" not in listing
    assert as_role("auditor").get(f"/extractions/{order_id}").status_code == 200


def test_nobody_approves_his_own_order_and_other_units_see_nothing(rt: Runtime, story: Story, as_role) -> None:
    with rt.db.write() as session:
        both = session.scalars(select(Account).where(Account.username == "head")).one()
        session.add(Grant(account_id=both.id, role="case_officer", unit_id=story.team_id))
    head = as_role("head")
    order_id = _request(head, recording=story.stop_id)
    page = head.get(f"/extractions/{order_id}").text
    assert "người khác phải duyệt" in page
    seen = _order(rt, order_id).list_sha256
    assert head.post(f"/extractions/{order_id}/approve", data={"seen": seen}).status_code == 403
    for role in ("officer", "administrator"):
        assert as_role(role).get(f"/extractions/{order_id}").status_code == 403


def test_an_order_needs_its_words_and_a_refusal_its_reason(story: Story, as_role) -> None:
    officer, head = as_role("case_officer"), as_role("head")
    for wrong in ({"purpose": " "}, {"recipient": ""}, {"days": "400"}, {"days": "x"}):
        assert officer.post("/extractions/new", data={**FORM, "recording": story.stop_id, **wrong}).status_code == 400
    order_id = _request(officer, recording=story.stop_id)
    assert head.post(f"/extractions/{order_id}/refuse", data={"reason": ""}).status_code == 400
    assert head.post(f"/extractions/{order_id}/refuse", data={"reason": "Không đúng thẩm quyền"}).status_code == 302
    assert "Không đúng thẩm quyền" in officer.get(f"/extractions/{order_id}").text
    assert officer.post(f"/extractions/{order_id}/withdraw", data={"reason": "x"}).status_code == 409


def test_the_order_prints_in_both_languages(story: Story, as_role) -> None:
    officer = as_role("case_officer")
    order_id = _request(officer, recording=story.stop_id)
    for address in (f"/extractions/{order_id}/order.pdf", f"/extractions/{order_id}/order.pdf?lang=en"):
        paper = officer.get(address)
        assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")


def test_what_stopped_the_making_stands_on_the_page_with_a_way_on(rt: Runtime, story: Story, as_role) -> None:
    officer = as_role("case_officer")
    order_id = _request(officer, recording=story.stop_id)
    _approve(as_role("head"), order_id)
    with rt.db.read() as session:
        object_id = session.get_one(Recording, story.stop_id).object_id
    sealed = rt.vault.root / "objects" / object_id[:2] / object_id
    kept = sealed.read_bytes()
    sealed.chmod(0o600)
    sealed.write_bytes(kept[:20_000] + b"\0" + kept[20_001:])
    officer.post(f"/extractions/{order_id}/make")
    jobs.drain(rt.db, bind(rt))
    page = officer.get(f"/extractions/{order_id}").text
    assert "Chưa tạo được gói" in page
    assert "Thử tạo lại" in page
    sealed.write_bytes(kept)
    officer.post(f"/extractions/{order_id}/make")
    jobs.drain(rt.db, bind(rt))
    assert _order(rt, order_id).state == OrderState.MADE

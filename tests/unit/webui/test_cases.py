"""Cases: opened by form, recordings proposed with the reason, attached by people, hidden outside the scope."""

from http import HTTPStatus

import pytest
from sqlalchemy import select
from staff_story import Story

from bodycam.cases.models import Case, CaseRecording
from bodycam.custody.models import CustodyEvent
from bodycam.people import units
from bodycam.runtime import Runtime

FORM = {"number": "0400/BB-VPHC", "starts_at": "09/11/2026 14:15", "ends_at": "09/11/2026 14:30", "id-plate": "29A-123.45", "officers": "184-221"}  # fmt: skip


def _state(rt: Runtime, case_id: str) -> str | None:
    with rt.db.read() as session:
        return session.scalar(select(CaseRecording.state).where(CaseRecording.case_id == case_id))


def test_a_case_shows_the_recording_and_why(as_role, story: Story) -> None:
    page = as_role("case_officer").get(f"/cases/{story.case_id}").text
    assert story.stop_id in page
    assert "Rất khớp" in page
    assert "29A-123.45" in page
    assert 'class="reasons"' in page
    assert "Thời hạn" in page


def test_a_proposal_is_attached_and_detached_with_a_reason(rt: Runtime, as_role, story: Story) -> None:
    client, base = as_role("case_officer"), f"/cases/{story.case_id}/recordings/{story.stop_id}"
    assert client.post(f"{base}/attach").status_code == HTTPStatus.FOUND
    assert _state(rt, story.case_id) == "attached"
    assert client.post(f"{base}/detach", data={"reason": " "}).status_code == HTTPStatus.BAD_REQUEST
    assert client.post(f"{base}/detach", data={"reason": "nhầm vụ việc"}).status_code == HTTPStatus.FOUND
    assert _state(rt, story.case_id) == "detached"
    assert "nhầm vụ việc" in client.get(f"/cases/{story.case_id}").text
    assert client.post(f"{base}/burn").status_code == HTTPStatus.NOT_FOUND


def test_a_recording_is_attached_by_the_number_of_a_case(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("commander")
    address = f"/recordings/{story.plain_id}/attach"
    assert "không có hồ sơ đang mở nào khớp" in client.post(address, data={"number": "9999/BB"}).text
    assert client.post(address, data={"number": "0231/BB-VPHC"}).status_code == HTTPStatus.FOUND
    with rt.db.read() as session:
        states = session.scalars(select(CaseRecording.state).where(CaseRecording.recording_id == story.plain_id)).all()
    assert states == ["attached"]


def test_a_case_opened_by_form_gets_its_proposals_at_once(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("case_officer")
    answer = client.post("/cases/new/traffic_stop", data=FORM | {"unit": story.team_id})
    assert answer.status_code == HTTPStatus.FOUND, answer.text
    assert story.stop_id in client.get(answer.headers["Location"]).text
    with rt.db.read() as session:
        assert session.scalar(select(Case.opened_by).where(Case.number == "0400/BB-VPHC")) is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts_at": "2026-11-09"}, "Bắt đầu: cần viết ngày/tháng/năm"),
        ({"starts_at": ""}, "Bắt đầu: cần điền"),
        ({"ends_at": "08/11/2026"}, "trước lúc bắt đầu"),
        ({"id-plate": "hai mươi chín"}, "Biển số"),
        ({"officers": "999-999"}, "không có số hiệu “999-999”"),
        ({"lat": "20,98", "lon": ""}, "Vĩ độ và kinh độ"),
        ({"lat": "bắc", "lon": "105"}, "Vĩ độ: cần viết độ thập phân"),
        ({"unit": ""}, "Đơn vị: chọn một đơn vị"),
    ],
)
def test_a_wrong_field_is_named_and_what_was_typed_stays(as_role, story: Story, change, words: str) -> None:
    answer = as_role("case_officer").post("/cases/new/traffic_stop", data=FORM | {"unit": story.team_id} | change)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert words in answer.text
    assert 'value="0400/BB-VPHC"' in answer.text


def test_a_case_is_corrected_in_the_same_form(as_role, story: Story) -> None:
    client, address = as_role("case_officer"), f"/cases/{story.case_id}/edit"
    page = client.get(address).text
    assert 'value="29A-123.45"' in page
    assert 'value="09/11/2026 14:20"' in page
    data = FORM | {"unit": story.team_id, "place": "Quốc lộ 1A, Thường Tín"}
    assert client.post(address, data=data).status_code == HTTPStatus.FOUND
    assert "Thường Tín" in client.get(f"/cases/{story.case_id}").text


def test_a_case_of_another_unit_is_not_there(rt: Runtime, as_role, story: Story) -> None:
    with rt.db.write() as session:
        other = units.create_unit(session, name="Chi cục Hải quan", force="customs")
        session.get_one(Case, story.case_id).unit_id = other.id
    for address in (f"/cases/{story.case_id}", f"/cases/{story.case_id}/edit"):
        assert as_role("case_officer").get(address).status_code == HTTPStatus.NOT_FOUND
    assert "0231/BB-VPHC" not in as_role("case_officer").get("/cases").text
    assert "0231/BB-VPHC" not in as_role("commander").get("/recordings").text


def test_a_role_without_cases_learns_nothing_of_them_from_a_recording(as_role) -> None:
    assert "0231/BB-VPHC" not in as_role("plan_approver").get("/recordings").text


def test_looking_at_a_case_and_closing_it_are_events(rt: Runtime, as_role, story: Story) -> None:
    client = as_role("case_officer")
    client.get(f"/cases/{story.case_id}")
    client.post(f"/cases/{story.case_id}/close")
    with rt.db.read() as session:
        query = select(CustodyEvent.kind).where(CustodyEvent.object_id == story.case_id).order_by(CustodyEvent.id)
        assert session.scalars(query).all()[-2:] == ["case.viewed", "case.closed"]
    page = client.get(f"/cases/{story.case_id}").text
    assert "Đã đóng" in page
    assert "/close" not in page


def test_cases_are_listed_by_kind_words_and_state(as_role) -> None:
    client = as_role("case_officer")
    for query in ("q=0231", "q=quoc+lo", "q=29a12345", "kind=traffic_stop", "state=open"):
        assert "0231/BB-VPHC" in client.get(f"/cases?{query}").text
    for query in ("q=9999", "kind=tax_check", "state=closed"):
        assert "Không có hồ sơ nào" in client.get(f"/cases?{query}").text
